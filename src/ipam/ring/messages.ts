import type { Span } from './range.js';
import type { ParticipantRecord, RingRecord } from './records.js';

/**
 * A span that a peer is about to take over, with the version of the record that it believes to be in force
 * there.
 */
export interface VersionedSpan extends Span {
  readonly version: number;
}

/**
 * Why a peer grants nothing: all is allocated, the address is allocated, it belongs to another peer, or it
 * may not grant now.
 */
export type DenialReason = 'full' | 'used' | 'not-mine' | 'not-now';

/** What two participants say to each other. Any message may be lost, repeated or overtaken by another. */
export type Message =
  /**
   * Asks the donor for addresses of the span, for the incarnation of the sender that the participant record
   * names.
   */
  | {
      readonly type: 'request';
      readonly nonce: number;
      readonly span: Span;
      readonly participant: ParticipantRecord;
    }
  /** Answers a `request`: the ownership record that grants addresses is among the records. */
  | { readonly type: 'grant'; readonly nonce: number; readonly records: readonly RingRecord[] }
  /** Answers a `request`: the records tell who owns the span, as far as the sender knows. */
  | {
      readonly type: 'denial';
      readonly nonce: number;
      readonly reason: DenialReason;
      readonly records: readonly RingRecord[];
    }
  /**
   * Asks every participant to confirm a takeover of spans whose owners' incarnations have ended. The records
   * are participant records that the receiver was found to lack.
   */
  | {
      readonly type: 'confirm';
      readonly round: number;
      readonly participantsHash: string;
      readonly spans: readonly VersionedSpan[];
      readonly records: readonly RingRecord[];
    }
  /**
   * Answers a `confirm` with an equal hash. From now on the sender accepts no addresses from the ended
   * incarnations.
   */
  | {
      readonly type: 'confirmed';
      readonly round: number;
      readonly participantsHash: string;
      readonly records: readonly RingRecord[];
    }
  /** Answers a `confirm` with another hash: the records are the participant records that the sender knows. */
  | { readonly type: 'mismatch'; readonly round: number; readonly records: readonly RingRecord[] }
  /** Offers everything that the sender owns, because it leaves. */
  | { readonly type: 'offer'; readonly nonce: number }
  | { readonly type: 'accept'; readonly nonce: number; readonly participant: ParticipantRecord }
  /**
   * What a leaving peer hands over: first the ownership records, in a second transfer the end of its
   * incarnation.
   */
  | { readonly type: 'transfer'; readonly nonce: number; readonly records: readonly RingRecord[] }
  /** The transfer is on the receiver's disk. */
  | { readonly type: 'receipt'; readonly nonce: number };

/** A message of one type. */
export type MessageOf<T extends Message['type']> = Extract<Message, { readonly type: T }>;
