import { isWeftLink, links, routes } from '../kernel/index.js';
import { underlayAddresses } from './underlay.js';

const MAX_ADDRESSES = 8;

/**
 * The addresses under which other hosts may reach this one, best first, at most 8. Those that mean another host on every host only where
 * there are no others; those of the subnets that are `inside`, of segments of weft, never.
 */
export async function hostAddresses(inside: readonly string[]): Promise<string[]> {
  const all = await underlayAddresses(inside);
  const lasting = all.filter(({ use }) => use !== 'spare');
  const told = lasting.length > 0 ? lasting : all;
  return told.map(({ address }) => address).slice(0, MAX_ADDRESSES);
}

/** IPv4 routes of this host as `10.0.0.0/8` or `10.0.0.1`, but those through weft's own interfaces, among them the bridges of this name. */
export async function ipv4Routes(bridge: string): Promise<string[]> {
  const [all, found] = await Promise.all([links(), routes(['-4', 'route', 'show'])]);
  const own = new Set(all.filter(isWeftLink).map(({ ifname }) => ifname));
  return found.flatMap(({ dst, dev = '' }) =>
    dst === undefined || dst === 'default' || own.has(dev) || dev === bridge ? [] : [dst],
  );
}
