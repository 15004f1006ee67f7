import type { Clock } from '../clock.js';
import type { WeftError } from '../errors.js';
import type { Identity, Network, PeerId } from '../identity/index.js';
import type { Nat, RelayOption, Way } from './path/index.js';
import type { DataPlane, DataPlaneCandidate, OverlayMesh } from './port/index.js';
import type { SessionTimings } from './session/index.js';

export interface OverlayOptions {
  readonly identity: Identity;
  readonly network: Network;
  readonly mesh: OverlayMesh;
  readonly dataPlane: DataPlane;
  /** `auto`, or the one cipher to use. */
  readonly cipher: string;
  /** Subnets in which data is not encrypted, where the other end lists ours, too. Default: none. */
  readonly trustedSubnets?: readonly string[];
  /** The routes to these IP addresses as things are now, to say why a peer is not reached. Default: nothing is known of them. */
  readonly waysTo?: (addresses: readonly string[]) => Promise<ReadonlyMap<string, Way>>;
  readonly timings?: Partial<OverlayTimings>;
  /** Default: real time. */
  readonly clock?: Clock;
}

/** All in milliseconds. */
export interface OverlayTimings extends SessionTimings {
  /** A peer that neither control messages nor packets have reached for this long is taken out of the data plane. */
  readonly deadPeer: number;
  /** Between keepalive probes of the data plane. */
  readonly keepalive: number;
}

/** How packets reach a peer now: directly over UDP, through a relay, directly over TCP, or not at all. */
export type PathKind = 'direct' | 'relay' | 'tcp' | 'none';

/** From how many UDP ports packets leave for a peer. */
export interface UdpPorts {
  readonly used: number;
  readonly of: number;
  /** Why not from all. */
  readonly reason?: string;
}

/** What `weft status paths` says about a peer. */
export interface PathView extends ConnectionView {
  /** The addresses that were tried. */
  readonly candidates: readonly DataPlaneCandidate[];
  /** Neighbours through which it could be reached, cheapest first. */
  readonly relays: readonly RelayOption[];
  /** What is between this router and the world, and between the peer and the world. */
  readonly nats: { readonly ours: Nat; readonly theirs: Nat };
}

/** One line of `weft status connections`. */
export interface ConnectionView {
  readonly peer: PeerId;
  readonly nickname: string;
  /** Control link over TCP. */
  readonly link: 'up' | 'down';
  /** Whether packets get there, over whatever path: `up`: probes are answered; `waiting`: keys are there, no answer yet; `no-key`: no key was agreed yet. */
  readonly udp: 'up' | 'down' | 'waiting' | 'no-key';
  readonly path: PathKind;
  /** Relay that carries the traffic, when it is not direct. */
  readonly via: PeerId | null;
  readonly viaNickname: string | null;
  readonly endpoint: string | null;
  /** Microseconds. */
  readonly rtt: number | null;
  /** 0 to 1. */
  readonly loss: number | null;
  readonly pathMtu: number | null;
  /** Null while no packets get there. */
  readonly udpPorts: UdpPorts | null;
  /** `plain`: none, since both ends trust the wire between them. */
  readonly cipher: string | null;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly sentPackets: number;
  readonly receivedPackets: number;
  /** Why traffic does not flow, or not straight over UDP; undefined when it does. */
  readonly reason?: string;
}

export interface OverlayEvents {
  /** UDP to this peer works / stopped working. */
  'peer-up': [peer: PeerId];
  'peer-down': [peer: PeerId];
  /** Packets to this peer take another way from now on: another relay, or none. */
  'next-hop': [peer: PeerId];
  /** A new key was agreed and handed to the data plane. */
  session: [peer: PeerId, session: { readonly cipher: string; readonly role: 'initiator' | 'responder' }];
  warning: [error: WeftError, origin: { readonly peer?: PeerId }];
}
