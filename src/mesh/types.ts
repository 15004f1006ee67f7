import type { WeftError } from '../errors.js';
import type { Identity, Network, PeerId, PublicKey } from '../identity/index.js';

/** A cipher that a peer's data plane has, and what it costs there. */
export interface CipherSpeed {
  readonly name: string;
  /** The CPU does the work (AES-NI and alike), so the figure holds under load. */
  readonly hardware: boolean;
  /** Measured time to seal 1400 bytes, in nanoseconds. */
  readonly nanosecondsPer1400: number;
}

/** An address of this host: on a default route, on another way out, or one that is of use only where there is none of these. */
export interface LocalAddress {
  readonly address: string;
  readonly use: 'primary' | 'uplink' | 'spare';
}

export interface MeshOptions {
  readonly identity: Identity;
  readonly network: Network;
  /** Shown to people beside the peer id; at most 63 bytes of it are kept. */
  readonly nickname: string;
  /** TCP port to listen on; 0 takes any (read `mesh.port` after `start`). */
  readonly port: number;
  /** UDP port of the data plane, announced in our record. Default: the TCP port. */
  readonly dataPort?: number;
  /** Of our containers on the overlay, in bytes (at least 1280), announced in our record. */
  readonly mtu: number;
  /** Address to listen on. Default: all addresses, IPv6 and IPv4. */
  readonly host?: string;
  /** `host[:port]` at which other routers can reach us, besides what is found out. */
  readonly endpoints?: readonly string[];
  /** Names of optional abilities, gossiped with our record. */
  readonly features?: readonly string[];
  /** Links are made to members that are not configured targets. Default: true. */
  readonly discovery?: boolean;
  /** This host's own addresses, best first; asked again and again. Default: none but `host`. */
  readonly localAddresses?: () => Promise<readonly LocalAddress[]>;
  /** True for addresses inside of the segments that the routers make: they are no way to a router. Default: none. */
  readonly isInside?: (address: string) => boolean;
  /** False for a peer that was expelled, or removed in this incarnation or a later one. Default: everybody is admitted. */
  readonly admits?: (peer: PeerId, incarnation: number) => boolean;
  readonly timings?: Partial<MeshTimings>;
  readonly limits?: Partial<MeshLimits>;
}

/** All in milliseconds. */
export interface MeshTimings {
  /** From an accepted or dialled TCP connection to an established link. */
  readonly handshakeTimeout: number;
  readonly pingInterval: number;
  /** A link that has been silent for so long is dead. */
  readonly linkTimeout: number;
  readonly backoffInitial: number;
  readonly backoffMax: number;
  /** A target that leads back to this router is looked at again after so long. */
  readonly selfRetry: number;
  /** A link that lived so long resets the backoff of its target. */
  readonly backoffReset: number;
  /** How long an existing link gets to show life when a second one to the same peer arrives. */
  readonly duplicateProbe: number;
  /** How often local addresses are read anew. */
  readonly addressRefresh: number;
  /** How long news about members is collected before it is passed on. */
  readonly gossipDelay: number;
  /** From one digest of the gossiped data, sent to a random neighbour, to the next, on average. */
  readonly antiEntropy: number;
  /** A peer whose link is lost and does not come back within this time is suspected to be gone. */
  readonly relinkTime: number;
  /** A suspicion that nobody refutes for so long holds: the peer is down. */
  readonly suspicionTime: number;
  /** A peer that left is shown for so long. */
  readonly leftTime: number;
}

export interface MeshLimits {
  /** Connections in handshake at a time, over all addresses. */
  readonly handshakes: number;
  /** Connections in handshake at a time from one address. */
  readonly handshakesPerAddress: number;
  /** New connections that one address may open at once, and then a second. */
  readonly acceptBurst: number;
  readonly acceptRate: number;
  /** Bytes that may wait to be sent on one link. */
  readonly sendQueue: number;
  /** Up to so many members, everybody links to everybody; beyond, each to some. */
  readonly fullMesh: number;
  /** Most links. */
  readonly connections: number;
  /** Member records that are kept. */
  readonly members: number;
}

export type TargetState = 'connecting' | 'connected' | 'waiting' | 'self';

/** A configured target (`weft connect`). */
export interface TargetView {
  /** As it was given: `host[:port]`. */
  readonly target: string;
  readonly state: TargetState;
  /** The peer found there, once it is known. */
  readonly peer?: PeerId;
  /** Unix time in milliseconds of the next attempt, when waiting. */
  readonly retryAt?: number;
  readonly lastError?: { readonly code: string; readonly message: string };
}

export interface LinkView {
  readonly peer: PeerId;
  readonly nickname: string;
  /** Who dialled: `outbound` is us. */
  readonly direction: 'inbound' | 'outbound';
  /** `1.2.3.4:40000` or `[2001:db8::1]:40000`. */
  readonly remoteAddress: string;
  /** Unix time in milliseconds at which the link was established. */
  readonly since: number;
  /** Milliseconds, smoothed; undefined before the first answered ping. */
  readonly rtt?: number;
}

/** Where a member's control port was reached or may be reached: what to remember of it. */
export interface Contact {
  readonly peer: PeerId;
  /** `1.2.3.4:6783` or `[2001:db8::1]:6783`, best first. */
  readonly addresses: readonly string[];
}

export interface MemberView {
  readonly peer: PeerId;
  readonly publicKey: PublicKey;
  readonly nickname: string;
  /** `address:port` for the data plane, as the peer announces them, best first. */
  readonly endpoints: readonly string[];
  /** Its port for both TCP and UDP. */
  readonly port: number;
  /** Of its containers on the overlay, in bytes. */
  readonly mtu: number;
  readonly features: readonly string[];
  readonly ciphers: readonly CipherSpeed[];
  /** It said goodbye. */
  readonly left: boolean;
  /** It was not to be reached by anybody for a while. */
  readonly down: boolean;
  /** The peers that it has links to, as it tells; none in a large mesh. */
  readonly neighbours: readonly PeerId[];
  readonly incarnation: number;
  readonly sequence: number;
  readonly self: boolean;
  readonly linked: boolean;
}

export interface MeshEvents {
  /** The first link to this peer is up. */
  'link-up': [link: LinkView];
  /** The last link to this peer is gone. */
  'link-down': [peer: PeerId, reason: WeftError];
  /** A member is new, its record changed (also: it left), it is down, or it is up again. */
  member: [member: MemberView];
  /** A peer was removed or expelled, and is not back: nothing that it said counts any more. */
  forgotten: [peer: PeerId];
  /**
   * A peer (also: this router itself, or one that is back already) was removed or expelled by another, who takes over what must have an owner.
   * Told again when an earlier removal by somebody else becomes known: that one counts.
   */
  removed: [peer: PeerId, by: PeerId];
  /** A message that the peer sent with `send`. */
  message: [peer: PeerId, channel: string, bytes: Buffer];
  /** Something was refused or failed; `error.code` names the counter. At most one a second and code. */
  warning: [error: WeftError, origin: { readonly peer?: PeerId; readonly address?: string }];
  /** The configured targets changed (connect, forget). */
  targets: [targets: readonly string[]];
}
