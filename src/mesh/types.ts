import type { WeftError } from '../errors.js';
import type { Identity, Network, PeerId } from '../identity/index.js';
import type { AdmissionLimits, LinkTimings, LinkView } from './link/index.js';
import type { MemberView } from './membership/index.js';

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
  /** True for interfaces whose addresses must not be announced (weft's own bridges and TAPs, containers' veths). */
  readonly ignoreInterface?: (name: string) => boolean;
  /** False for a peer that was expelled, or removed in this incarnation or a later one. Default: everybody is admitted. */
  readonly admits?: (peer: PeerId, incarnation: number) => boolean;
  readonly timings?: Partial<MeshTimings>;
  readonly limits?: Partial<MeshLimits>;
}

/** All in milliseconds. */
export interface MeshTimings extends LinkTimings {
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

export interface MeshLimits extends AdmissionLimits {
  /** Bytes that may wait to be sent on one link. */
  readonly sendQueue: number;
  /** Up to so many members, everybody links to everybody; beyond, each to some. */
  readonly fullMesh: number;
  /** Most links. */
  readonly connections: number;
  /** Member records that are kept. */
  readonly members: number;
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
