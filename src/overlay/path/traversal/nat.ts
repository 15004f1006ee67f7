import ipaddr from 'ipaddr.js';
import { parseHostPort } from '../../../net/index.js';

/**
 * What stands between a router and its peers, as far as they can tell:
 * - `unknown`: no peer has told yet;
 * - `none`: they see one of its own addresses;
 * - `steady`: a NAT that gives it the same outside port whoever it talks to, which others can be told;
 * - `rewriting`: a NAT that gives it another port; whether the same for everybody, one observer alone cannot tell;
 * - `changing`: a NAT that gives it another port for each peer (a symmetric NAT): nobody can be told where it will be.
 */
export const NATS = ['unknown', 'none', 'steady', 'rewriting', 'changing'] as const;
export type Nat = (typeof NATS)[number];

/**
 * @param observed our address of the data plane, `address:port`, as each peer sees it, by each family
 * @param local our own addresses, without ports
 * @param port our own port
 */
export function natOf(observed: readonly string[], local: readonly string[], port: number): Nat {
  if (observed.length === 0) return 'unknown';
  const own = new Set(local.map((address) => ipaddr.parse(address).toNormalizedString()));
  const seen = observed.map((text) => parseHostPort(text));
  // IPv6 and IPv4 may leave by different routers; a NAT is a matter of IPv4, or of either.
  const outside = seen.filter(({ host }) => !own.has(ipaddr.parse(host).toNormalizedString()));
  if (outside.length === 0) return 'none';
  if (outside.every((address) => address.port === port)) return 'steady';
  const ports = new Set(outside.map((address) => address.port));
  if (outside.length === 1) return 'rewriting';
  return ports.size === 1 ? 'steady' : 'changing';
}

/** Why two routers cannot reach each other directly, as far as their NATs are to blame; undefined when they are not. */
export function natConflict(ours: Nat, theirs: Nat): string | undefined {
  const moves = (nat: Nat) => nat === 'changing' || nat === 'rewriting';
  if (moves(ours) && moves(theirs)) return 'both hosts are behind NATs that change ports (symmetric NATs)';
  if (moves(ours) && theirs !== 'none')
    return 'this host is behind a NAT that changes ports (a symmetric NAT)';
  if (moves(theirs) && ours !== 'none')
    return 'the peer is behind a NAT that changes ports (a symmetric NAT)';
  return undefined;
}
