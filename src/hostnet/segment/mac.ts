import { createHash } from 'node:crypto';
import { WeftError } from '../../errors.js';
import { macOf } from './bridge.js';
import { RESOLVER_MAC } from './resolver-port.js';

/**
 * A MAC address that a container of this router may be given, in the kernel's spelling. Throws `bad-mac` for what is none, belongs to a group,
 * or is one that the router itself has on the segment.
 */
export function parseMac(text: string, owner: string): string {
  const mac = text.toLowerCase();
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac)) {
    throw badMac(text, 'it is not a MAC address: write six bytes such as 02:00:00:aa:bb:01');
  }
  if (Number.parseInt(mac.slice(0, 2), 16) % 2 === 1) {
    throw badMac(text, 'it is the address of a group: the first byte of an interface is even');
  }
  if (mac === '00:00:00:00:00:00') throw badMac(text, "it is nobody's: choose another one");
  if (mac === RESOLVER_MAC || mac === macOf(owner)) {
    throw badMac(text, "it is the router's own: choose another one");
  }
  return mac;
}

/** The MAC of whoever has an address on a network, whoever that is: when the address goes to another, its neighbours need not learn a new one. */
export function macOfAddress(network: number, address: string): string {
  const digest = createHash('sha256').update(`${network} ${address}`).digest('hex');
  return `02${digest.slice(0, 10).replace(/../g, ':$&')}`;
}

function badMac(text: string, why: string): WeftError {
  return new WeftError('bad-mac', `"${text}" cannot be a container's MAC: ${why}`);
}
