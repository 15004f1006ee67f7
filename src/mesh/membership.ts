import { WeftError } from '../errors.js';
import type { Identity, PeerId } from '../identity/index.js';
import {
  checkSignature,
  type MemberRecord,
  type PeerRecord,
  readRecord,
  type SignedRecord,
  signRecord,
} from './record.js';

/** Two copies of one identity would outdo each other for ever: not more often than this (milliseconds). */
const OUTDO_INTERVAL = 1000;

/** What our record says beyond its version. */
export type SelfDescription = Omit<PeerRecord, 'publicKey' | 'incarnation' | 'sequence'>;

export interface MembershipOptions {
  readonly identity: Identity;
  /** Unix time in milliseconds. */
  readonly now: number;
  readonly self: SelfDescription;
  /** Most records that are kept. */
  readonly limit: number;
}

export interface MergeResult {
  /** Records that were news, to be passed on; our own among them when we had to outdo a stale one. */
  readonly news: readonly MemberRecord[];
  readonly refused: readonly WeftError[];
  /** Somebody holds a newer record of ours than we do: from an earlier run, or from a clone. */
  readonly outdone: boolean;
}

/**
 * Who is in the network: a set of signed records, one a peer, the newest of each wins. No I/O, no clock.
 *
 * Merging is commutative, associative and idempotent for the records of others. The own record belongs to this process: a newer
 * one that comes from outside is outdone by a still newer one.
 */
export class Membership {
  readonly #identity: Identity;
  readonly #limit: number;
  readonly #records = new Map<PeerId, MemberRecord>();
  #self: MemberRecord;
  #outdidAt = -Infinity;

  constructor({ identity, now, self, limit }: MembershipOptions) {
    this.#identity = identity;
    this.#limit = limit;
    this.#self = this.#sign(self, now, 0);
  }

  get self(): MemberRecord {
    return this.#self;
  }

  /** The record of a peer, our own included. */
  get(peer: PeerId): MemberRecord | undefined {
    return this.#records.get(peer);
  }

  /** All records, our own included. */
  all(): readonly MemberRecord[] {
    return [...this.#records.values()];
  }

  /** Changes our record; returns it when that made a difference. */
  update(change: Partial<SelfDescription>): MemberRecord | undefined {
    const { publicKey: _, incarnation, sequence, ...current } = this.#self.content;
    const next = { ...current, ...change };
    if (JSON.stringify(next) === JSON.stringify(current)) return undefined;
    this.#self = this.#sign(next, incarnation, sequence + 1);
    return this.#self;
  }

  /** Takes in what somebody sent, now (milliseconds). Never throws: what is wrong is in `refused`. */
  merge(incoming: readonly SignedRecord[], now: number): MergeResult {
    const news: MemberRecord[] = [];
    const refused: WeftError[] = [];
    let outdone = false;
    for (const signed of incoming) {
      const record = this.#admit(signed, refused);
      if (record === undefined) continue;
      if (record.peer === this.#identity.peer) {
        outdone = true;
        if (now - this.#outdidAt < OUTDO_INTERVAL) continue;
        this.#outdidAt = now;
        news.push(this.#outdo(record));
      } else {
        this.#records.set(record.peer, record);
        news.push(record);
      }
    }
    return { news, refused, outdone };
  }

  /** The record, when it is newer than what is known and genuine. */
  #admit(signed: SignedRecord, refused: WeftError[]): MemberRecord | undefined {
    try {
      const record = readRecord(signed);
      const known = this.#records.get(record.peer);
      if (known !== undefined && !isNewer(record, known)) return undefined;
      checkSignature(record);
      if (known === undefined && !this.#makeRoom()) {
        throw new WeftError('too-many-members', `there are more than ${this.#limit} members`);
      }
      if (known !== undefined && !known.content.publicKey.equals(record.content.publicKey)) {
        throw new WeftError('short-id-taken', `two keys have the short id ${record.peer}`);
      }
      return record;
    } catch (error) {
      if (!(error instanceof WeftError)) throw error;
      refused.push(error);
      return undefined;
    }
  }

  #makeRoom(): boolean {
    if (this.#records.size < this.#limit) return true;
    const gone = this.all().find((record) => record.content.left);
    return gone !== undefined && this.#records.delete(gone.peer);
  }

  #outdo(record: MemberRecord): MemberRecord {
    const { publicKey: _, incarnation: __, sequence: ___, ...current } = this.#self.content;
    this.#self = this.#sign(current, record.content.incarnation + 1, 0);
    return this.#self;
  }

  #sign(self: SelfDescription, incarnation: number, sequence: number): MemberRecord {
    const content = { publicKey: this.#identity.publicKey, ...self, incarnation, sequence };
    const record = signRecord(this.#identity, content);
    this.#records.set(record.peer, record);
    return record;
  }
}

/** Last writer wins; the bytes decide between two of the same version, so that everybody ends with the same one. */
function isNewer(a: MemberRecord, b: MemberRecord): boolean {
  const byVersion = a.content.incarnation - b.content.incarnation || a.content.sequence - b.content.sequence;
  return byVersion === 0 ? Buffer.compare(a.record, b.record) > 0 : byVersion > 0;
}
