import {
  forwarderMacOf,
  linkLocalOf,
  macOf,
  RESOLVER_ADDRESS,
  RESOLVER_ADDRESS6,
  RESOLVER_MAC,
  type Reserved,
} from '../../hostnet/index.js';
import type { PeerId } from '../../identity/index.js';

/** What a router itself has on each of its segments: its DNS server, the bridge, and the forwarder. */
export function reservedBy(peer: PeerId): Reserved {
  const own = macOf(peer);
  return {
    macs: [RESOLVER_MAC, own, forwarderMacOf(peer)],
    addresses: [RESOLVER_ADDRESS, RESOLVER_ADDRESS6, linkLocalOf(own).address],
    server: RESOLVER_MAC,
  };
}

/** Who has a MAC or an address that this router itself has, in words; undefined for all others. */
export function reservedHolder(peer: PeerId, claimed: string): string | undefined {
  if ([RESOLVER_MAC, RESOLVER_ADDRESS, RESOLVER_ADDRESS6].includes(claimed)) return 'the DNS server';
  const { macs, addresses } = reservedBy(peer);
  return [...macs, ...addresses].includes(claimed) ? 'this host' : undefined;
}
