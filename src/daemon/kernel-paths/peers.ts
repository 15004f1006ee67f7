import type { ForwarderDump } from '../../forwarder/index.js';
import type { PeerId } from '../../identity/index.js';
import { parseHostPort } from '../../net/index.js';

type PeerState = ForwarderDump['peers'][number];

/** A peer that shares a wire with this host which both trust. */
export interface KernelPeer {
  readonly peer: PeerId;
  /** IP address of its host. */
  readonly address: string;
  /** Numbers of its networks. */
  readonly networks: readonly number[];
}

/** With whom the kernel may exchange frames, and why not with the others. */
export interface KernelPeers {
  /** The address of this host that all of them are reached from; undefined when there are none. */
  readonly local: string | undefined;
  readonly peers: readonly KernelPeer[];
  readonly reasons: ReadonlyMap<PeerId, string>;
}

/** What was chosen before. */
export interface Former {
  readonly local: string;
  /** Of those to whom frames go this way. */
  readonly peers: ReadonlyMap<PeerId, KernelPeer>;
}

/** This host: all its addresses, which of them its packets to others come from, and the MTU of containers, here and on the hosts of others. */
export interface Here {
  readonly own: ReadonlySet<string>;
  readonly sources: ReadonlyMap<string, string>;
  readonly mtu: number;
  readonly mtuOf: (peer: PeerId) => number | undefined;
}

/** IP addresses of peers whose packets are not encrypted. */
export function addressesOf(states: readonly PeerState[]): string[] {
  return states.flatMap(({ plain, endpoint }) =>
    plain && endpoint !== null ? [parseHostPort(endpoint).host] : [],
  );
}

/** A peer, and the address of this host that it is reached from. */
interface Reached extends KernelPeer {
  readonly local: string;
}

/**
 * Chooses among peers as the data plane sees them. All devices have one address of this host: `former`, while anybody is reached from it, else the one from
 * which most are. Those in use that the forwarder does not reach stay what they were: their kernels may do so. Pure.
 */
export function kernelPeers(
  states: readonly PeerState[],
  here: Here,
  { local: formerLocal, peers: used }: Former,
): KernelPeers {
  const reached: Reached[] = [];
  const reasons = new Map<PeerId, string>();
  for (const state of states) {
    const peer = state.peer as PeerId;
    const former = state.up ? undefined : used.get(peer);
    const found = former ? { ...former, local: formerLocal } : reach(state, here);
    if (typeof found === 'string') reasons.set(peer, found);
    else reached.push(found);
  }
  const local = localOf(reached, formerLocal);
  for (const { peer, local: theirs } of reached) {
    if (theirs !== local) reasons.set(peer, `it is reached from ${theirs}, and others from ${local}`);
  }
  return { local, peers: reached.filter((peer) => peer.local === local), reasons };
}

/** Why not, in words. */
function reach(state: PeerState, { sources, own, mtu, mtuOf }: Here): Reached | string {
  const { peer, endpoint, observed, networks } = state;
  if (!state.up) return 'no packets get there';
  if (state.via !== null) return 'its packets take a relay';
  if (state.transport === 'tcp') return 'its packets go over TCP';
  if (!state.plain)
    return 'its packets are encrypted: both ends must name the wire between them with --trusted-subnets';
  const theirs = mtuOf(peer as PeerId) ?? mtu;
  // The kernel drops without a word what is too large for the other end.
  if (theirs !== mtu)
    return `its containers have MTU ${theirs}, and those here ${mtu}: \`weft launch --mtu\` on both hosts makes them equal`;
  const { host = '' } = endpoint === null ? {} : parseHostPort(endpoint);
  if (host.includes('%')) return 'it is reached by a link-local address';
  const local = sources.get(host);
  if (local === undefined) return 'this host has no route to it';
  const seen = observed === null ? local : parseHostPort(observed).host;
  const isSameFamily = seen.includes(':') === local.includes(':');
  if (isSameFamily && !own.has(seen)) return `it sees this host at ${seen}, behind address translation`;
  return { peer: peer as PeerId, address: host, networks, local };
}

function localOf(reached: readonly Reached[], former: string): string | undefined {
  const counts = new Map<string, number>();
  for (const { local } of reached) counts.set(local, (counts.get(local) ?? 0) + 1);
  if (counts.has(former)) return former;
  const [most] = [...counts].sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1));
  return most?.[0];
}
