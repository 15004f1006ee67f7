import type { Span } from './range.js';
import type { Fact, Seat } from './records.js';

/** A span that somebody is about to take over, with the version of the deed that counts there as far as it knows. */
export interface Question extends Span {
  readonly version: number;
}

/** Why somebody gives nothing: all is in use, the address is in use, it is another's, or it may not give now. */
export type Denial = 'full' | 'used' | 'not-mine' | 'not-now';

/** What two peers say to each other. Any of them may be lost, repeated or overtaken. */
export type Message =
  /** Asks for addresses of the span, for the seat. */
  | { readonly type: 'want'; readonly nonce: number; readonly span: Span; readonly seat: Seat }
  /** Answers a `want`: the facts hold the deed. */
  | { readonly type: 'gift'; readonly nonce: number; readonly facts: readonly Fact[] }
  /** Answers a `want`: the facts say whose the span is, as far as the sender knows. */
  | {
      readonly type: 'denied';
      readonly nonce: number;
      readonly why: Denial;
      readonly facts: readonly Fact[];
    }
  /** "I am about to take these over, whose owners are gone: what do you know?" Seats are told to who was found to know others. */
  | {
      readonly type: 'ask';
      readonly round: number;
      readonly standing: string;
      readonly questions: readonly Question[];
      readonly facts: readonly Fact[];
    }
  /** Answers an `ask` in which the standing is the same as here. From now on nothing is accepted from who is gone. */
  | {
      readonly type: 'answer';
      readonly round: number;
      readonly standing: string;
      readonly facts: readonly Fact[];
    }
  /** Answers an `ask` in which the standing is another: the facts are the seats known here. */
  | { readonly type: 'differ'; readonly round: number; readonly facts: readonly Fact[] }
  /** "Will you have all that is mine?" */
  | { readonly type: 'offer'; readonly nonce: number }
  | { readonly type: 'accept'; readonly nonce: number; readonly seat: Seat }
  /** What a peer that leaves hands over: first its deeds with what it knows, then its closed seat. */
  | { readonly type: 'bequest'; readonly nonce: number; readonly facts: readonly Fact[] }
  /** The bequest is on the disk. */
  | { readonly type: 'receipt'; readonly nonce: number };
