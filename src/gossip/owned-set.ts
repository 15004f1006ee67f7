import { fingerprint, MAX_BUCKETS, type SignedEntry, type SignedHead } from './owned-wire.js';

/** An entry that is held, with its value read; undefined when the key was removed. */
export interface HeldEntry<T> extends SignedEntry {
  readonly value: T | undefined;
  readonly place: number;
  readonly print: number;
}

/** What a held entry costs in memory beside its own bytes, about. */
const ENTRY_OVERHEAD = 512;
const ENTRIES_PER_BUCKET = 16;

export function heldEntry<T>(entry: SignedEntry, value: T | undefined): HeldEntry<T> {
  return { ...entry, value, ...fingerprint(entry.record) };
}

export function costOf({ record }: SignedEntry): number {
  return ENTRY_OVERHEAD + record.length;
}

/**
 * The records of one owner. No I/O, no clock, no cryptography: what comes in has been checked.
 *
 * A new incarnation makes all former records void. They are still shown until as many records of the new one are known as it
 * began with: an owner that begins anew with the same records does not seem to lose them meanwhile.
 */
export class OwnedSet<T> {
  #head: SignedHead;
  #headPrint: number;
  #cost = ENTRY_OVERHEAD;
  #removed = 0;
  readonly #entries = new Map<string, HeldEntry<T>>();
  /** Of former incarnations, shown as long as the present one is not known whole. Never removed ones. */
  readonly #former = new Map<string, HeldEntry<T>>();

  constructor(head: SignedHead) {
    this.#head = head;
    this.#headPrint = fingerprint(head.record).print;
  }

  get head(): SignedHead {
    return this.#head;
  }

  /** Memory that it takes, in bytes, about. */
  get cost(): number {
    return this.#cost;
  }

  /** Records of this incarnation, removed keys among them. */
  get size(): number {
    return this.#entries.size;
  }

  /** Of them, removed keys. */
  get removed(): number {
    return this.#removed;
  }

  /** What is shown of a key. */
  get(key: string): HeldEntry<T> | undefined {
    return this.#entries.get(key) ?? this.#former.get(key);
  }

  /** All that is shown, without removed keys. */
  *shown(): Iterable<HeldEntry<T>> {
    for (const entry of this.#entries.values()) if (entry.value !== undefined) yield entry;
    yield* this.#former.values();
  }

  /** Everything of this incarnation, with removed keys. */
  entries(): Iterable<HeldEntry<T>> {
    return this.#entries.values();
  }

  /** Of two heads of an owner, the later incarnation counts; the bytes decide between two of the same. */
  isNewerHead({ content: { incarnation }, record }: SignedHead): boolean {
    const difference = incarnation - this.#head.content.incarnation;
    return difference === 0 ? Buffer.compare(record, this.#head.record) > 0 : difference > 0;
  }

  /** Of two entries of this incarnation and key, the later sequence counts; the bytes decide between two of the same. */
  isNewerEntry({ content: { key, sequence }, record }: SignedEntry): boolean {
    const known = this.#entries.get(key);
    if (known === undefined) return true;
    const difference = sequence - known.content.sequence;
    return difference === 0 ? Buffer.compare(record, known.record) > 0 : difference > 0;
  }

  /** Takes a newer head. */
  begin(head: SignedHead): void {
    const voids = head.content.incarnation !== this.#head.content.incarnation;
    this.#head = head;
    this.#headPrint = fingerprint(head.record).print;
    if (!voids) return;
    for (const [key, entry] of this.#entries) {
      this.#cost -= costOf(entry);
      this.#dropFormer(key);
      if (entry.value === undefined) continue;
      this.#former.set(key, entry);
      this.#cost += costOf(entry);
    }
    this.#entries.clear();
    this.#removed = 0;
  }

  /** Takes a newer entry. */
  put(entry: HeldEntry<T>): void {
    const { key } = entry.content;
    const known = this.#entries.get(key);
    if (known !== undefined) this.#forget(known);
    this.#dropFormer(key);
    this.#entries.set(key, entry);
    this.#cost += costOf(entry);
    if (entry.value === undefined) this.#removed += 1;
  }

  /** Gives up what was kept of former incarnations once this one is known whole; returns the keys that are gone with it. */
  settle(): readonly string[] {
    if (this.#former.size === 0 || this.#entries.size < this.#head.content.initial) return [];
    const gone = [...this.#former.keys()];
    for (const key of gone) this.#dropFormer(key);
    return gone;
  }

  /** As many buckets as a digest should have. */
  get bucketCount(): number {
    const wanted = Math.ceil(Math.log2(this.#entries.size / ENTRIES_PER_BUCKET));
    return Math.min(MAX_BUCKETS, 2 ** Math.max(0, wanted));
  }

  /** Of what is held. */
  get hash(): number {
    return this.buckets(1)[0] ?? 0;
  }

  /** The hash of what is held, in `count` (a power of two) parts. The head is in each of them. */
  buckets(count: number): number[] {
    const buckets = new Array<number>(count).fill(this.#headPrint);
    for (const { place, print } of this.#entries.values()) {
      const index = place & (count - 1);
      buckets[index] = ((buckets[index] ?? 0) ^ print) >>> 0;
    }
    return buckets;
  }

  #forget(entry: HeldEntry<T>): void {
    this.#cost -= costOf(entry);
    if (entry.value === undefined) this.#removed -= 1;
  }

  #dropFormer(key: string): void {
    const entry = this.#former.get(key);
    if (entry === undefined) return;
    this.#former.delete(key);
    this.#cost -= costOf(entry);
  }
}
