/** What a launch says about addresses, understood. */

import { WeftError } from '../../errors.js';
import { ipv4Routes, sysctl } from '../../hostnet/index.js';
import type { Network } from '../../identity/index.js';
import { type Block, isWithin, MAX_ELECTORS, overlappingRoute, parseBlock, Ula } from '../../ipam/index.js';
import type { Settings } from '../state/index.js';

/** Who shares the range at first. */
export type Init =
  /** The router that made the network. */
  | { readonly kind: 'creator' }
  /** Whoever is there already: this router only joins. */
  | { readonly kind: 'join' }
  | { readonly kind: 'consensus'; readonly electors: number | undefined }
  /** Ids or nicknames. */
  | { readonly kind: 'seed'; readonly seeds: readonly string[] }
  | { readonly kind: 'observer' };

export interface AddressPlan {
  readonly range: Block;
  readonly defaultSubnet: Block;
  /** Undefined where the kernel has no IPv6. */
  readonly ula: Ula | undefined;
  readonly init: Init;
}

/** The subnets from which containers are given addresses. */
export function rangesOf({ range, ula }: AddressPlan): string[] {
  return ula === undefined ? [range.text] : [range.text, ula.range];
}

/** Throws `bad-subnet`, `bad-ipalloc-init` or, when addresses of the range are elsewhere on this host, `range-used`. */
export async function planAddresses(settings: Settings, network: Network): Promise<AddressPlan> {
  const range = parseBlock(settings.ipallocRange);
  const { ipallocDefaultSubnet: subnet, bridge } = settings;
  const defaultSubnet = subnet === 'auto' ? range : parseBlock(subnet);
  if (!isWithin(defaultSubnet, range)) {
    throw new WeftError(
      'bad-subnet',
      `the default subnet ${defaultSubnet.text} is not within the range ${range.text}: choose a part of it, or another --ipalloc-range`,
    );
  }
  const init = initOf(settings.ipallocInit, network);
  const route = overlappingRoute(range, await ipv4Routes(bridge));
  if (route !== undefined) {
    throw new WeftError(
      'range-used',
      `containers would be given addresses of ${range.text}, but this host has a route to ${route}: choose another --ipalloc-range, the same on every host, such as 172.30.0.0/16`,
    );
  }
  const hasIpv6 = (await sysctl('net/ipv6/conf/all/disable_ipv6')) === '0';
  return { range, defaultSubnet, ula: hasIpv6 ? new Ula(network.id) : undefined, init };
}

function initOf(text: string, { mode, creator }: Network): Init {
  if (mode === 'token' && text !== 'auto') {
    throw badInit('a network with a token begins with the router that made it: leave it out');
  }
  if (mode === 'token') return { kind: creator ? 'creator' : 'join' };
  if (text === 'auto' || text === 'consensus') return { kind: 'consensus', electors: undefined };
  if (text === 'observer') return { kind: 'observer' };
  const [how, value = ''] = text.split('=', 2);
  if (how === 'consensus' && /^[1-9]\d{0,3}$/.test(value) && Number(value) <= MAX_ELECTORS) {
    return { kind: 'consensus', electors: Number(value) };
  }
  const seeds = value.split(',').filter((seed) => seed !== '');
  if (how === 'seed' && seeds.length > 0) return { kind: 'seed', seeds };
  throw badInit(
    `"${text}" is none of consensus, consensus=N (1 to ${MAX_ELECTORS}), seed=PEER,… (ids or nicknames) and observer`,
  );
}

function badInit(why: string): WeftError {
  return new WeftError('bad-ipalloc-init', `--ipalloc-init: ${why}`);
}
