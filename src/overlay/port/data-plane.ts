import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { PeerId } from '../../identity/index.js';

/** A cipher that the data plane has on this machine. */
export interface CipherInfo {
  readonly name: string;
  readonly implementation: string;
  readonly hardware: boolean;
  readonly nanosecondsPer1400: number;
}

/** What the data plane says about itself (`hello` in docs/forwarder.md; the overlay needs only these). */
export interface DataPlaneInfo {
  readonly ciphers: readonly CipherInfo[];
}

/** `peer.set` */
export interface PeerSetting {
  readonly peer: PeerId;
  /** Candidates, best first: `1.2.3.4:6783` or `[2001:db8::1]:6783`. */
  readonly endpoints: readonly string[];
  /** Numbers of the Ethernet segments that this peer has. */
  readonly networks: readonly number[];
  /** Of the peer's containers: no larger frame gets through its bridge. */
  readonly mtu: number;
  readonly via: PeerId | null;
  /** Milliseconds between keepalive probes. */
  readonly keepalive: number;
}

/** `key.set`; keys are raw bytes here: 32 for seal and open, 16 for the hop keys. */
export interface KeySetting {
  readonly peer: PeerId;
  readonly localIndex: number;
  readonly remoteIndex: number;
  readonly cipher: string;
  readonly sealKey: Uint8Array;
  readonly openKey: Uint8Array;
  readonly hopSealKey: Uint8Array;
  readonly hopOpenKey: Uint8Array;
  readonly role: 'initiator' | 'responder';
  /** Subnets in which this end does without encryption, and those of the other end. */
  readonly trusted: readonly string[];
  readonly peerTrusts: readonly string[];
}

export interface DataPlaneKeyState {
  readonly localIndex: number;
  readonly remoteIndex: number;
  readonly cipher: string;
  readonly role: 'initiator' | 'responder';
  readonly sealing: boolean;
  readonly sentPackets: number;
  readonly trusted: readonly string[];
  /** Seconds. */
  readonly age: number;
}

/** What takes packets to the next hop. */
export type Transport = 'udp' | 'tcp';

/** An address that was tried. */
export interface DataPlaneCandidate {
  readonly endpoint: string;
  /** Learned from packets that came from it, not from what the peer published. */
  readonly learned: boolean;
  readonly probes: number;
  readonly answers: number;
  /** Microseconds. */
  readonly rtt: number | null;
  /** Seconds ago. */
  readonly lastAnswer: number | null;
}

export interface DataPlanePeerState {
  readonly peer: PeerId;
  readonly via: PeerId | null;
  readonly transport: Transport;
  /** It answers over UDP without a relay, whatever its packets take. */
  readonly direct: boolean;
  readonly networks: readonly number[];
  readonly candidates: readonly DataPlaneCandidate[];
  readonly endpoint: string | null;
  readonly keys: readonly DataPlaneKeyState[];
  /** Its packets are not encrypted: both ends trust the wire between them. */
  readonly plain: boolean;
  readonly up: boolean;
  /** Microseconds. */
  readonly rtt: number | null;
  readonly rttVariance: number | null;
  /** 0 to 1. */
  readonly loss: number;
  readonly pathMtu: number;
  /** From how many UDP ports, of all, packets leave for it; `probed`: there is traffic enough to try all. */
  readonly sourcePorts: { readonly used: number; readonly of: number; readonly probed: boolean };
  readonly observed: string | null;
  readonly sentBytes: number;
  readonly sentPackets: number;
  readonly receivedBytes: number;
  readonly receivedPackets: number;
  /** Seconds ago. */
  readonly lastReceived: number | null;
}

export interface DataPlaneDump {
  readonly peers: readonly DataPlanePeerState[];
}

export interface DataPlaneEvents {
  /**
   * Connected (again), `self` is set and events are subscribed. The overlay then asks for `hello` and `dump` and brings
   * the data plane to the desired state: keeps what is there (adoption), sets what is not (restart).
   */
  ready: [];
  /** The connection is gone; calls fail until the next `ready`. */
  lost: [];
  'peer-up': [
    event: { readonly peer: PeerId; readonly endpoint: string | null; readonly rtt: number | null },
  ];
  'peer-down': [event: { readonly peer: PeerId }];
  endpoint: [event: { readonly peer: PeerId; readonly endpoint: string; readonly reason: string }];
  transport: [event: { readonly peer: PeerId; readonly transport: Transport }];
  /** While packets take a relay or TCP: the peer began or ceased to answer directly over UDP. */
  direct: [event: { readonly peer: PeerId; readonly answers: boolean }];
  /** A probe that was asked for is answered; microseconds. */
  probed: [event: { readonly peer: PeerId; readonly id: number; readonly rtt: number }];
  /** The peer's TCP connection ended. */
  'stream-lost': [event: { readonly peer: PeerId }];
  'key-confirmed': [event: { readonly peer: PeerId; readonly localIndex: number }];
  'key-expiring': [event: { readonly peer: PeerId; readonly localIndex: number }];
  observed: [event: { readonly peer: PeerId; readonly address: string }];
}

/**
 * The data plane as the overlay sees it. Implemented by the forwarder's client.
 *
 * Methods reject with a WeftError: `index-in-use` from `setKey` when the local index is taken; anything else means that the
 * data plane is gone or refused, and the overlay waits for the next `ready`.
 */
export interface DataPlane extends EventEmitter<DataPlaneEvents> {
  /** True between `ready` and `lost`. */
  readonly connected: boolean;
  hello(): Promise<DataPlaneInfo>;
  dump(): Promise<DataPlaneDump>;
  setPeer(setting: PeerSetting): Promise<void>;
  removePeer(peer: PeerId): Promise<void>;
  /** Gives it a TCP connection to the peer, for use while UDP does not pass. It is ours no longer, whatever happens. */
  passStream(peer: PeerId, socket: Socket): Promise<void>;
  /** Closes the peer's TCP connection. */
  removeStream(peer: PeerId): Promise<void>;
  /** Probes all addresses of the peer at once. */
  punch(peer: PeerId): Promise<void>;
  /**
   * Sends a probe along the path of the peer's packets, and returns its id: `probed` tells when it is answered. It is as large as a full
   * packet of containers with that MTU, or small.
   */
  probe(peer: PeerId, mtu?: number): Promise<number>;
  setKey(setting: KeySetting): Promise<void>;
  removeKey(localIndex: number): Promise<void>;
}
