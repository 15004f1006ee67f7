import type { Endpoint } from '../../endpoints/index.js';
import type { Remote, Stations } from '../../hostnet/index.js';
import type { PeerId } from '../../identity/index.js';
import type { KernelPeer } from './peers.js';

/** A network of which frames may stay in the kernel. */
export interface WantedNetwork {
  readonly network: number;
  readonly bridge: string;
  /** Those that have this network, too. */
  readonly peers: readonly WantedPeer[];
  readonly stations: Stations;
}

export interface WantedPeer {
  readonly peer: PeerId;
  readonly address: string;
  /** Of its router's bridges: probes go there. */
  readonly mac: string;
}

export interface WantedFacts {
  readonly peers: readonly KernelPeer[];
  /** Networks of this host, with their bridges. */
  readonly networks: ReadonlyMap<number, string>;
  readonly endpoints: readonly Endpoint[];
  readonly stationOf: (peer: PeerId) => string;
  /** UDP port of the peer's VXLAN devices. */
  readonly portOf: (peer: PeerId) => number | undefined;
  /** Whether probes that take this path are answered. */
  readonly isProven: (network: number, peer: PeerId) => boolean;
}

/** More stations than any segment has; a member that announces more gets no place in the kernel for them. */
const MAX_STATIONS = 16_384;

/**
 * What the kernel should have. It knows behind whom all announced stations of trusted peers are; the bridge gives the device frames only for those of peers
 * to which the path is proven. Pure.
 */
export function wantedNetworks(facts: WantedFacts): WantedNetwork[] {
  return [...facts.networks].flatMap(([network, bridge]) => {
    const peers = peersOn(network, facts);
    if (peers.size === 0) return [];
    const behind = new Map<string, Remote>();
    const taken = new Set<string>();
    for (const { mac, remote } of peers.values()) behind.set(mac, remote);
    for (const { mac, peer } of facts.endpoints.filter((endpoint) => endpoint.network === network)) {
      const found = peers.get(peer);
      if (found === undefined || behind.size >= MAX_STATIONS) continue;
      behind.set(mac, found.remote);
      if (facts.isProven(network, peer)) taken.add(mac);
    }
    return [{ network, bridge, peers: [...peers.values()], stations: { behind, taken } }];
  });
}

function peersOn(network: number, { peers, portOf, stationOf }: WantedFacts) {
  const found = new Map<PeerId, WantedPeer & { readonly remote: Remote }>();
  for (const { peer, address, networks } of peers) {
    const port = portOf(peer);
    if (port === undefined || !networks.includes(network)) continue;
    found.set(peer, { peer, address, mac: stationOf(peer), remote: { address, port } });
  }
  return found;
}
