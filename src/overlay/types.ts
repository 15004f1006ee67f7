import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { WeftError } from '../errors.js';
import type { GossipChannel, OpenChannel } from '../gossip/index.js';
import type { Identity, Network, PeerId } from '../identity/index.js';
import type { CipherSpeed, LinkView, MemberView, MeshEvents } from '../mesh/index.js';
import type { DataPlane, DataPlaneCandidate } from './data-plane.js';
import type { Nat } from './nat.js';
import type { RelayOption } from './routes.js';

/** What the overlay needs of the mesh (`Mesh` is one). */
export interface OverlayMesh extends EventEmitter<MeshEvents> {
  send(peer: PeerId, channel: string, bytes: Uint8Array): boolean;
  link(peer: PeerId): LinkView | undefined;
  members(): readonly MemberView[];
  member(peer: PeerId): MemberView | undefined;
  /** A way for messages to this member is known. */
  reachable(peer: PeerId): boolean;
  openChannel(channel: GossipChannel): OpenChannel;
  /** False for a peer that was expelled, or was removed and is not back. */
  admits(peer: PeerId): boolean;
  /** The next connection to our TCP port that begins with these bytes, paused. Rejects after so many milliseconds. */
  expectConnection(opening: Uint8Array, timeout: number): Promise<Socket>;
  /** `address:port` of a member's TCP port, best first. */
  addressesOf(peer: PeerId): readonly string[];
  /** Puts the data plane's ciphers into our record. */
  announceCiphers(ciphers: readonly CipherSpeed[]): void;
  /** An address of ours, `address:port`, as somebody sees it over UDP: a candidate for others. */
  addObservedEndpoint(endpoint: string): void;
  /** There is reason to believe that this peer can be reached again: dial now instead of waiting. */
  retry(peer: PeerId): void;
}

/** Where this host's packets for an address go: to itself, into one of our segments, or out over another interface. */
export interface Way {
  readonly to: 'host' | 'segment' | 'out';
  readonly device: string;
}

export interface OverlayOptions {
  readonly identity: Identity;
  readonly network: Network;
  readonly mesh: OverlayMesh;
  readonly dataPlane: DataPlane;
  /** `auto`, or the one cipher to use. */
  readonly cipher: string;
  /** Subnets in which data is not encrypted, where the other end lists ours, too. Default: none. */
  readonly trustedSubnets?: readonly string[];
  /** The ways to these IP addresses as things are now, to say why a peer is not reached. Default: nothing is known of them. */
  readonly waysTo?: (addresses: readonly string[]) => Promise<ReadonlyMap<string, Way>>;
  readonly timings?: Partial<OverlayTimings>;
}

/** All in milliseconds. */
export interface OverlayTimings {
  /** Age of a key at which a new one is agreed. */
  readonly rekeyInterval: number;
  /** How long an old key stays usable once a newer one is confirmed. */
  readonly keyGrace: number;
  /** First repetition of an unanswered key agreement; doubles up to `retryMax`. */
  readonly retryInitial: number;
  readonly retryMax: number;
  /** A peer without link and without UDP for so long is taken out of the data plane. */
  readonly deadPeer: number;
  /** Between keepalive probes of the data plane. */
  readonly keepalive: number;
}

/** How packets reach a peer now: straight over UDP, through another router, straight over TCP, or not at all. */
export type PathKind = 'direct' | 'relay' | 'tcp' | 'none';

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
  /** Whether packets get there, whatever way: `up`: probes are answered; `waiting`: keys are there, no answer yet; `no-key`: no key was agreed yet. */
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
  /** A new key was agreed and handed to the data plane. */
  session: [peer: PeerId, session: { readonly cipher: string; readonly role: 'initiator' | 'responder' }];
  warning: [error: WeftError, origin: { readonly peer?: PeerId }];
}
