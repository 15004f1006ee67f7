import { fingerprint, MAX_BUCKETS, type SignedEntry, type SignedHead } from './owned-wire.js';

/** An entry that is held, with its decoded value, which is undefined when the key was removed. */
export interface HeldEntry<T> extends SignedEntry {
  readonly value: T | undefined;
  /** The memory that it takes, in bytes, about. */
  readonly cost: number;
  readonly place: number;
  readonly print: number;
}

/** The memory that a held entry takes beside its own bytes, about. */
const ENTRY_OVERHEAD = 512;
const ENTRIES_PER_BUCKET = 16;

/** `weight`: bytes of memory that the value takes elsewhere. */
export function heldEntry<T>(entry: SignedEntry, value: T | undefined, weight = 0): HeldEntry<T> {
  return { ...entry, value, cost: costOf(entry) + weight, ...fingerprint(entry.record) };
}

/** The least memory that an entry takes when it is held, in bytes, about. */
export function costOf({ record }: SignedEntry): number {
  return ENTRY_OVERHEAD + record.length;
}

/**
 * The records of one owner. No I/O, no clock, no cryptography: what comes in has been checked.
 *
 * A new incarnation makes all former records void. They become stale, as the routes of a BGP router that restarts do (RFC 4724), and are
 * still shown until as many records of the new incarnation are known as it began with: an owner that publishes the same records again does
 * not seem to lose them meanwhile.
 */
export class OwnedSet<T> {
  #head: SignedHead;
  #headPrint: number;
  #cost = ENTRY_OVERHEAD;
  #removed = 0;
  readonly #entries = new Map<string, HeldEntry<T>>();
  /** Records of former incarnations, without removed keys. */
  readonly #stale = new Map<string, HeldEntry<T>>();

  constructor(head: SignedHead) {
    this.#head = head;
    this.#headPrint = fingerprint(head.record).print;
  }

  get head(): SignedHead {
    return this.#head;
  }

  /** The memory that the records take, in bytes, about. */
  get cost(): number {
    return this.#cost;
  }

  /** Number of records of this incarnation, removed keys included. */
  get size(): number {
    return this.#entries.size;
  }

  /** Number of removed keys among them. */
  get removed(): number {
    return this.#removed;
  }

  /** The record of a key that is shown. */
  get(key: string): HeldEntry<T> | undefined {
    return this.#entries.get(key) ?? this.#stale.get(key);
  }

  /** All records that are shown, without removed keys. */
  *shown(): Iterable<HeldEntry<T>> {
    for (const entry of this.#entries.values()) if (entry.value !== undefined) yield entry;
    yield* this.#stale.values();
  }

  /** All records of this incarnation, removed keys included. */
  entries(): Iterable<HeldEntry<T>> {
    return this.#entries.values();
  }

  /** The later incarnation of an owner counts; the bytes decide between two heads of the same. */
  isNewerHead({ content: { incarnation }, record }: SignedHead): boolean {
    const difference = incarnation - this.#head.content.incarnation;
    return difference === 0 ? Buffer.compare(record, this.#head.record) > 0 : difference > 0;
  }

  /** The later sequence of a key counts; the bytes decide between two entries of the same. */
  isNewerEntry({ content: { key, sequence }, record }: SignedEntry): boolean {
    const known = this.#entries.get(key);
    if (known === undefined) return true;
    const difference = sequence - known.content.sequence;
    return difference === 0 ? Buffer.compare(record, known.record) > 0 : difference > 0;
  }

  /** Puts a newer head in place; a later incarnation makes all records stale. */
  begin(head: SignedHead): void {
    const isLater = head.content.incarnation !== this.#head.content.incarnation;
    this.#head = head;
    this.#headPrint = fingerprint(head.record).print;
    if (!isLater) return;
    for (const [key, entry] of this.#entries) {
      this.#cost -= entry.cost;
      this.#forgetStale(key);
      if (entry.value === undefined) continue;
      this.#stale.set(key, entry);
      this.#cost += entry.cost;
    }
    this.#entries.clear();
    this.#removed = 0;
  }

  /** Puts a newer entry in place. */
  put(entry: HeldEntry<T>): void {
    const { key } = entry.content;
    const known = this.#entries.get(key);
    if (known !== undefined) this.#forget(known);
    this.#forgetStale(key);
    this.#entries.set(key, entry);
    this.#cost += entry.cost;
    if (entry.value === undefined) this.#removed += 1;
  }

  /** Drops the stale records once all records of this incarnation are known; gives the keys that are gone with them. */
  dropStale(): readonly string[] {
    if (this.#stale.size === 0 || this.#entries.size < this.#head.content.initial) return [];
    const gone = [...this.#stale.keys()];
    for (const key of gone) this.#forgetStale(key);
    return gone;
  }

  /** The number of buckets that a digest should have. */
  get bucketCount(): number {
    const wanted = Math.ceil(Math.log2(this.#entries.size / ENTRIES_PER_BUCKET));
    return Math.min(MAX_BUCKETS, 2 ** Math.max(0, wanted));
  }

  /** The hash of all that is held. */
  get hash(): number {
    return this.buckets(1)[0] ?? 0;
  }

  /** The hashes of all that is held, in `count` buckets, a power of two. The head is in each of them. */
  buckets(count: number): number[] {
    const buckets = new Array<number>(count).fill(this.#headPrint);
    for (const { place, print } of this.#entries.values()) {
      const index = place & (count - 1);
      buckets[index] = ((buckets[index] ?? 0) ^ print) >>> 0;
    }
    return buckets;
  }

  #forget(entry: HeldEntry<T>): void {
    this.#cost -= entry.cost;
    if (entry.value === undefined) this.#removed -= 1;
  }

  #forgetStale(key: string): void {
    const entry = this.#stale.get(key);
    if (entry === undefined) return;
    this.#stale.delete(key);
    this.#cost -= entry.cost;
  }
}
