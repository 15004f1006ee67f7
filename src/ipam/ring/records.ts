import type { PeerId } from '../../identity/index.js';
import type { Span } from './range.js';

/*
 * Two kinds of signed records make up the ring. Of two records about the same subject one supersedes the
 * other, by a total order, so that all routers arrive at the same ring in whichever order the records reach
 * them.
 *
 * A peer participates in *incarnations*. Within one incarnation it remembers everything that it has signed; a
 * peer that cannot be sure of that, because its disk may be an older copy, begins another one. An owner of
 * addresses is therefore always a peer in one particular incarnation.
 */

/** One incarnation of a peer. */
export interface PeerIncarnation {
  readonly peer: PeerId;
  readonly incarnation: number;
}

/** What authenticates a record. Opaque to the ring. */
export interface Signature {
  readonly publicKey: Uint8Array;
  readonly bytes: Uint8Array;
}

/**
 * States that the addresses of a span belong to the owner. Signed by the former owner when it hands them
 * over, and by the owner itself when it takes them over or states again that they are its own.
 */
export interface OwnershipRecord extends Span {
  readonly kind: 'ownership';
  /** Of two records for one address the one with the higher version supersedes the other. */
  readonly version: number;
  readonly owner: PeerId;
  readonly ownerIncarnation: number;
  readonly signer: PeerId;
  readonly signerIncarnation: number;
  readonly signature: Signature;
}

/**
 * States that an incarnation of a peer participates in the ring, or that it has ended. The peer itself signs
 * that it participates. The end is signed by the peer (it left) or by its successor (which removed it).
 */
export interface ParticipantRecord extends PeerIncarnation {
  readonly kind: 'participant';
  readonly ended: boolean;
  /**
   * The peer that takes over what an ended incarnation still owns. While the incarnation participates: the
   * peer itself.
   */
  readonly successor: PeerId;
  /** The incarnation in which the successor took that on. */
  readonly successorIncarnation: number;
  readonly signer: PeerId;
  /** Counts the changes of `free` in this incarnation. */
  readonly sequence: number;
  /** Approximate number of unallocated addresses that the peer owns. */
  readonly free: number;
  readonly signature: Signature;
}

export type RingRecord = OwnershipRecord | ParticipantRecord;

export type OwnershipContent = Omit<OwnershipRecord, 'kind' | 'signer' | 'signature'>;
export type ParticipantContent = Omit<ParticipantRecord, 'kind' | 'signer' | 'signature'>;

/** Signs records as this router. */
export interface RecordSigner {
  readonly peer: PeerId;
  ownership(content: OwnershipContent): OwnershipRecord;
  participant(content: ParticipantContent): ParticipantRecord;
}

/** Stands in records that follow from the list of founders, which are true without a signature. */
export const UNSIGNED: Signature = { publicKey: new Uint8Array(0), bytes: new Uint8Array(0) };

/** Whether `a` supersedes `b`, both of which are about the same address. A total order. */
export function supersedesOwnership(a: OwnershipRecord, b: OwnershipRecord): boolean {
  if (a.version !== b.version) return a.version > b.version;
  if (a.owner !== b.owner) return a.owner > b.owner;
  if (a.signer !== b.signer) return a.signer > b.signer;
  const difference =
    a.ownerIncarnation - b.ownerIncarnation ||
    a.signerIncarnation - b.signerIncarnation ||
    a.start - b.start ||
    a.end - b.end;
  return difference > 0;
}

/** Whether `a` supersedes `b`, both of which are about the same peer. A total order. */
export function supersedesParticipant(a: ParticipantRecord, b: ParticipantRecord): boolean {
  if (a.incarnation !== b.incarnation) return a.incarnation > b.incarnation;
  if (a.ended !== b.ended) return a.ended;
  const byName = compare(b.successor, a.successor) || compare(b.signer, a.signer);
  const byNumber =
    a.successorIncarnation - b.successorIncarnation || a.sequence - b.sequence || a.free - b.free;
  return (a.ended ? byName || byNumber : byNumber || byName) > 0;
}

function compare(a: PeerId, b: PeerId): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
