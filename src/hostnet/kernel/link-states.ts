/**
 * What the host's interfaces are like now, for who looks every two seconds: starting a command for it would cost more than all other
 * housekeeping of an idle router together.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { interfaceNames } from './interface-names.js';
import { type Link, links } from './ip.js';
import { bridgeAlias } from './ownership.js';

const SYSFS = '/sys/class/net';
const IFF_UP = 1; // linux/if.h

/** One interface. */
export interface LinkState {
  readonly isUp: boolean;
  readonly mtu: number;
  readonly mac: string;
  /** The bridge that it is a port of. */
  readonly master: string | undefined;
  /** As a port: no frame passes between it and another isolated one. */
  readonly isIsolated: boolean;
  /** As a port: a frame may leave by it that came by it. */
  readonly isHairpin: boolean;
  /** Up, and connected to something: only then the kernel tells its addresses. */
  readonly isRunning: boolean;
}

/** All interfaces of this host. */
export interface LinkStates {
  readonly names: ReadonlySet<string>;
  /** Undefined when there is none of that name (any more). */
  of(name: string): LinkState | undefined;
}

/** Looks at the interfaces of this host, on which this router (peer id) has this bridge. */
export async function linkStates(bridge: string, owner: string): Promise<LinkStates> {
  const names = await interfaceNames();
  if (isOurSysfs(names, bridge, owner)) return { names, of: fromSysfs };
  const found = new Map((await links()).map((link) => [link.ifname, fromIp(link)]));
  return { names: new Set(found.keys()), of: (name) => found.get(name) };
}

/** It may be mounted in another network namespace than the one we are in, and shows that one then. */
function isOurSysfs(names: ReadonlySet<string>, bridge: string, owner: string): boolean {
  return names.has(bridge) && attribute(bridge, 'ifalias') === bridgeAlias(owner) && showsAll(names);
}

function showsAll(names: ReadonlySet<string>): boolean {
  const shown = new Set(readdirSync(SYSFS));
  return [...names].every((name) => shown.has(name));
}

function fromSysfs(name: string): LinkState | undefined {
  const flags = attribute(name, 'flags');
  if (flags === undefined) return undefined;
  return {
    isUp: (Number(flags) & IFF_UP) !== 0,
    mtu: Number(attribute(name, 'mtu')),
    master: masterOf(name),
    // Read by few, and every read costs as much as it gives.
    get mac() {
      return attribute(name, 'address') ?? '';
    },
    get isIsolated() {
      return attribute(name, 'brport/isolated') === '1';
    },
    get isHairpin() {
      return attribute(name, 'brport/hairpin_mode') === '1';
    },
    get isRunning() {
      return attribute(name, 'operstate') === 'up';
    },
  };
}

function attribute(name: string, file: string): string | undefined {
  try {
    return readFileSync(`${SYSFS}/${name}/${file}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function masterOf(name: string): string | undefined {
  try {
    return basename(readlinkSync(`${SYSFS}/${name}/master`));
  } catch {
    return undefined;
  }
}

function fromIp({ flags = [], mtu = 0, address = '', master, operstate, linkinfo }: Link): LinkState {
  const { isolated = false, hairpin = false } = linkinfo?.info_slave_data ?? {};
  return {
    isUp: flags.includes('UP'),
    mtu,
    mac: address,
    master,
    isIsolated: isolated,
    isHairpin: hairpin,
    isRunning: operstate === 'UP',
  };
}

/** What keeps an interface from being the port of a bridge that it should be; undefined when nothing does. */
export function portFlaw(
  { isUp, mtu, master, isIsolated }: LinkState,
  wanted: { readonly bridge: string; readonly mtu: number; readonly isIsolated: boolean },
): string | undefined {
  if (master !== wanted.bridge) return `not on the bridge ${wanted.bridge}`;
  if (!isUp) return 'down';
  if (mtu !== wanted.mtu) return `of another MTU than ${wanted.mtu}`;
  if (isIsolated !== wanted.isIsolated) return isIsolated ? 'isolated' : 'not isolated';
  return undefined;
}
