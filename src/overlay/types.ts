import type { EventEmitter } from 'node:events';
import type { WeftError } from '../errors.js';
import type { Identity, Network, PeerId } from '../identity/index.js';
import type { CipherSpeed, LinkView, MemberView, MeshEvents } from '../mesh/index.js';
import type { DataPlane } from './data-plane.js';

/** What the overlay needs of the mesh (`Mesh` is one). */
export interface OverlayMesh extends EventEmitter<MeshEvents> {
  send(peer: PeerId, channel: string, bytes: Uint8Array): boolean;
  links(): readonly LinkView[];
  member(peer: PeerId): MemberView | undefined;
  /** Puts the data plane's ciphers into our record. */
  announceCiphers(ciphers: readonly CipherSpeed[]): void;
  /** An address of ours, `address:port`, as somebody sees it over UDP: a candidate for others. */
  addObservedEndpoint(endpoint: string): void;
  /** There is reason to believe that this peer can be reached again: dial now instead of waiting. */
  retry(peer: PeerId): void;
}

export interface OverlayOptions {
  readonly identity: Identity;
  readonly network: Network;
  readonly mesh: OverlayMesh;
  readonly dataPlane: DataPlane;
  /** `auto`, or the one cipher to use. */
  readonly cipher: string;
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

/** One line of `weft status connections`. */
export interface ConnectionView {
  readonly peer: PeerId;
  readonly nickname: string;
  /** Control link over TCP. */
  readonly link: 'up' | 'down';
  /** `up`: probes are answered; `waiting`: keys are there, no answer yet; `no-key`: no key was agreed yet. */
  readonly udp: 'up' | 'down' | 'waiting' | 'no-key';
  /** Relay that carries the traffic, when it is not direct. */
  readonly via: PeerId | null;
  readonly endpoint: string | null;
  /** Microseconds. */
  readonly rtt: number | null;
  /** 0 to 1. */
  readonly loss: number | null;
  readonly pathMtu: number | null;
  readonly cipher: string | null;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly sentPackets: number;
  readonly receivedPackets: number;
  /** Why traffic does not flow; undefined when it does. */
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
