import type { WeftError } from '../errors.js';
import type { Identity, Network, PeerId } from '../identity/index.js';
import type { AdmissionLimits, LinkOrigin, LinkTimings, LinkView } from './link/index.js';
import type { LocalAddress, MemberView } from './membership/index.js';

export interface MeshOptions {
  readonly identity: Identity;
  readonly network: Network;
  /** A name that people see beside the peer id; at most 63 bytes of it are kept. */
  readonly nickname: string;
  /** Of this weft, at most 32 bytes, which our record announces. */
  readonly version: string;
  /** The TCP port to listen on; 0 takes any free one (read `mesh.port` after `start`). */
  readonly port: number;
  /** The UDP port of the data plane, which our record announces. Default: the TCP port. */
  readonly dataPort?: number;
  /** The MTU of our containers on the overlay, in bytes (at least 1280), which our record announces. */
  readonly mtu: number;
  /** The address to listen on. Default: all addresses, IPv6 and IPv4. */
  readonly host?: string;
  /** Addresses, `host[:port]`, at which other routers can reach us, besides those that this router finds out. */
  readonly endpoints?: readonly string[];
  /** The names of optional abilities, which our record announces. */
  readonly features?: readonly string[];
  /** Links are made to members that are not configured targets. Default: true. */
  readonly discovery?: boolean;
  /** This host's own addresses, best first; read again and again. Default: none but `host`. */
  readonly localAddresses?: () => Promise<readonly LocalAddress[]>;
  /** True for addresses inside of the segments that the routers make, where no router can be reached. Default: none. */
  readonly isInside?: (address: string) => boolean;
  /** False for a peer that was expelled, or removed in this incarnation or a later one. Default: everybody is admitted. */
  readonly admits?: (peer: PeerId, incarnation: number) => boolean;
  readonly timings?: Partial<MeshTimings>;
  readonly limits?: Partial<MeshLimits>;
}

/** All in milliseconds. */
export interface MeshTimings extends LinkTimings {
  /** Interval at which local addresses are read anew. */
  readonly addressRefresh: number;
  /** How long deltas are collected before they are pushed. */
  readonly gossipDelay: number;
  /** Average interval between two exchanges of digests with random neighbours. */
  readonly antiEntropy: number;
  /** How long a lost link may take to come back before its peer is suspected. */
  readonly relinkTime: number;
  /** How long a suspected peer may take to refute the suspicion before it is down. */
  readonly suspicionTime: number;
  /** How long a peer that left is shown. */
  readonly leftTime: number;
}

export interface MeshLimits extends AdmissionLimits {
  /** Maximum number of bytes that wait to be sent on one link. */
  readonly sendQueue: number;
  /** Maximum number of members that form a full mesh; with more, each router links to some of the others. */
  readonly fullMesh: number;
  /** Maximum number of links. */
  readonly connections: number;
  /** Maximum number of member records that are kept. */
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
   * A peer (also: this router itself, or one that is back already) was removed or expelled by another, who takes over what must have an
   * owner. Emitted again when an earlier removal by somebody else becomes known, since that one counts.
   */
  removed: [peer: PeerId, by: PeerId];
  /** A message that the peer sent with `send`. */
  message: [peer: PeerId, channel: string, bytes: Buffer];
  /** Something was refused or failed; `error.code` names the counter. At most one warning per second and code. */
  warning: [error: WeftError, origin: LinkOrigin];
  /** The configured targets changed (connect, forget). */
  targets: [targets: readonly string[]];
}
