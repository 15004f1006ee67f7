import type { Endpoint } from '../../endpoints/index.js';
import type { Remote, Stations } from '../../hostnet/index.js';
import type { PeerId } from '../../identity/index.js';
import { keyOf } from './key.js';
import type { KernelPeer } from './peers.js';

/** A network of which frames may stay in the kernel. */
export interface WantedNetwork {
  readonly network: number;
  readonly bridge: string;
  /** Those that have this network, too. */
  readonly peers: ReadonlyMap<PeerId, WantedPeer>;
  readonly stations: Stations;
}

export interface WantedPeer {
  /** Of its router's bridges: probes go there. */
  readonly mac: string;
  readonly remote: Remote;
}

export interface WantedFacts {
  readonly peers: readonly KernelPeer[];
  /** Networks of this host, with their bridges. */
  readonly networks: ReadonlyMap<number, string>;
  readonly endpoints: readonly Endpoint[];
  readonly stationOf: (peer: PeerId) => string;
  /** UDP port of the peer's VXLAN devices. */
  readonly portOf: (peer: PeerId) => number | undefined;
  /** Keys of the paths whose probes are answered. */
  readonly proven: ReadonlySet<string>;
}

/** More stations than any segment has; a member that announces more gets no place in the kernel for them. */
const MAX_STATIONS = 16_384;

/**
 * What the kernel should have. It knows behind whom all announced stations of trusted peers are; the bridge gives the device frames only for those of peers
 * to which the path is proven. Pure.
 */
export function wantedNetworks(facts: WantedFacts): WantedNetwork[] {
  const wanted = new Map<number, Wanted>();
  for (const [network, bridge] of facts.networks) {
    const peers = peersOn(network, facts);
    const routers = [...peers.values()].map(({ mac, remote }) => [mac, remote] as const);
    const stations = { behind: new Map(routers), taken: new Set<string>() };
    if (peers.size > 0) wanted.set(network, { network, bridge, peers, stations });
  }
  for (const { network, mac, peer } of facts.endpoints) {
    const { peers, stations } = wanted.get(network) ?? {};
    const remote = peers?.get(peer)?.remote;
    if (stations === undefined || remote === undefined || stations.behind.size >= MAX_STATIONS) continue;
    stations.behind.set(mac, remote);
    if (facts.proven.has(keyOf(network, peer))) stations.taken.add(mac);
  }
  return [...wanted.values()];
}

interface Wanted extends WantedNetwork {
  readonly stations: { readonly behind: Map<string, Remote>; readonly taken: Set<string> };
}

function peersOn(network: number, { peers, portOf, stationOf }: WantedFacts): Map<PeerId, WantedPeer> {
  const found = new Map<PeerId, WantedPeer>();
  for (const { peer, address, networks } of peers) {
    const port = portOf(peer);
    if (port === undefined || !networks.includes(network)) continue;
    found.set(peer, { mac: stationOf(peer), remote: { address, port } });
  }
  return found;
}
