import { bucketOf, type Item, type ItemHash, itemHash, SetDigest } from '../../gossip/index.js';
import { blake2b, type PeerId } from '../../identity/index.js';
import { compareIds, type ElectorRecord, encodeDelta, type SignedElectorRecord } from './wire.js';

/**
 * The key of the digest item that stands for "an election was called for". A peer has this id with
 * probability 2^-64.
 */
const BEGUN = '0000000000000000';
const BEGUN_HASH: ItemHash = { high: 0, low: 1 };
/** Maximum size of a delta: checking all its signatures must not hold up other work for long. */
const DELTA_BYTES = 64 * 1024;

interface Held extends SignedElectorRecord {
  readonly hash: ItemHash;
}

/**
 * The records of the electors, and whether an election was called for: a CRDT of at most as many records as
 * there are electors.
 *
 * For each elector it keeps the first incarnation, and of that the latest version. If there are too many
 * electors, it keeps those that participated first: an elector that comes later, or that began anew without
 * knowing how it voted, cannot disturb an election that is under way. The signatures of records have been
 * checked before they are put in.
 */
export class ElectorRecords {
  readonly #held = new Map<string, Held>();
  readonly #digest: SetDigest;
  #electors: number | undefined;
  #begun = false;

  /** `electors` is the number of electors; if it is left out, the first record tells. */
  constructor(electors?: number) {
    this.#electors = electors;
    const held = this.#held;
    this.#digest = new SetDigest({
      get size() {
        return held.size + 1;
      },
      get: (key) => this.#hash(key),
      inBucket: (bucket) => this.#inBucket(bucket),
    });
  }

  /** The number of electors, if it is known. */
  get electors(): number | undefined {
    return this.#electors;
  }

  /** Whether an election was called for. */
  get begun(): boolean {
    return this.#begun;
  }

  get(elector: PeerId): SignedElectorRecord | undefined {
    return this.#held.get(elector);
  }

  /** The records that are kept. */
  all(): readonly ElectorRecord[] {
    return [...this.#held.values()].map(({ record }) => record);
  }

  /** Whether `put` would take the record: neither it nor one that precedes it is known. */
  isNew(signed: SignedElectorRecord): boolean {
    const known = this.#held.get(signed.record.elector);
    if (known !== undefined) return supersedes(signed, known);
    const junior = this.#excess();
    return junior === undefined || compareSeniority(signed.record, junior) < 0;
  }

  /** Adds a record; false if it is not new. */
  put(signed: SignedElectorRecord): boolean {
    if (!this.isNew(signed)) return false;
    const { elector, electors } = signed.record;
    this.#electors ??= electors;
    const gone = this.#held.has(elector) ? elector : this.#excess()?.elector;
    if (gone !== undefined) this.#drop(gone);
    const hash = itemHash(blake2b(16, [signed.bytes]));
    this.#held.set(elector, { ...signed, hash });
    this.#digest.toggle(elector, hash);
    return true;
  }

  /** Notes that an election was called for; false if that is known. */
  begin(): boolean {
    if (this.#begun) return false;
    this.#begun = true;
    this.#digest.toggle(BEGUN, BEGUN_HASH);
    return true;
  }

  digest(): Uint8Array {
    return this.#digest.digest();
  }

  /** Throws `bad-message`. */
  refine(digest: Uint8Array): Uint8Array | null {
    return this.#digest.refine(digest);
  }

  /** What the sender of this digest lacks, in messages. Throws `bad-message`. */
  answer(digest: Uint8Array): readonly Uint8Array[] {
    const missing = this.#digest.missing(digest);
    const signed = missing.flatMap((key) => this.#held.get(key) ?? []);
    return signed.length === 0 && !missing.includes(BEGUN) ? [] : this.messages(signed);
  }

  /** Packs records into messages, each of which also tells whether an election was called for. */
  messages(signed: readonly SignedElectorRecord[]): Uint8Array[] {
    const parts: SignedElectorRecord[][] = [[]];
    let bytes = 0;
    for (const each of signed) {
      bytes += each.bytes.length + each.signature.length;
      if (bytes > DELTA_BYTES) {
        parts.push([]);
        bytes = each.bytes.length + each.signature.length;
      }
      parts.at(-1)?.push(each);
    }
    return parts.map((part) => encodeDelta({ begun: this.#begun, signed: part }));
  }

  /**
   * The record that would have to give way to that of another elector, if there are as many as can be kept.
   */
  #excess(): ElectorRecord | undefined {
    if (this.#electors === undefined || this.#held.size < this.#electors) return undefined;
    return this.all().reduce((a, b) => (compareSeniority(a, b) > 0 ? a : b));
  }

  #drop(elector: PeerId): void {
    const held = this.#held.get(elector);
    if (held === undefined) return;
    this.#digest.toggle(elector, held.hash);
    this.#held.delete(elector);
  }

  #hash(key: string): ItemHash | undefined {
    if (key === BEGUN) return this.#begun ? BEGUN_HASH : undefined;
    return this.#held.get(key)?.hash;
  }

  *#inBucket(bucket: number): Iterable<Item> {
    if (this.#begun && bucketOf(BEGUN) === bucket) yield { key: BEGUN, hash: BEGUN_HASH };
    for (const [key, { hash }] of this.#held) if (bucketOf(key) === bucket) yield { key, hash };
  }
}

/** Negative if `a` is kept rather than `b` when there are too many electors. */
function compareSeniority(a: ElectorRecord, b: ElectorRecord): number {
  return a.incarnation - b.incarnation || compareIds(a.elector, b.elector);
}

/** Whether `a` supersedes `b`, both of one elector. */
function supersedes(a: SignedElectorRecord, b: SignedElectorRecord): boolean {
  const order = b.record.incarnation - a.record.incarnation || a.record.version - b.record.version;
  return order === 0 ? Buffer.compare(a.bytes, b.bytes) > 0 : order > 0;
}
