import { bucketOf, type Item, type ItemHash, type ItemSet, SetDigest } from '../gossip/index.js';
import { outranks, type Statement, topicOf } from './statement.js';

/** A statement that is kept. */
export interface Held extends Item {
  readonly statement: Statement;
  readonly bytes: Buffer;
  /** Whose share of the room it takes, and where it stands there. */
  readonly group: string;
  readonly place: string;
}

const BUCKETS = 256;

/** The statements that are kept, by their key and by what they are about, with the digest of all. */
export class HeldSet implements ItemSet {
  readonly digest = new SetDigest(this);
  readonly #buckets = Array.from({ length: BUCKETS }, () => new Map<string, Held>());
  /** Those about one topic, the one that counts first. */
  readonly #topics = new Map<string, Held[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): ItemHash | undefined {
    return this.find(key)?.hash;
  }

  find(key: string): Held | undefined {
    return this.#bucket(key).get(key);
  }

  inBucket(bucket: number): Iterable<Held> {
    return this.#buckets[bucket]?.values() ?? [];
  }

  *all(): Iterable<Held> {
    for (const bucket of this.#buckets) yield* bucket.values();
  }

  /** All about a topic, the one that counts first. */
  about(topic: string): readonly Held[] {
    return this.#topics.get(topic) ?? [];
  }

  /** Puts a statement into the place of the one with its key. */
  put(held: Held): void {
    this.delete(held.key);
    this.#bucket(held.key).set(held.key, held);
    const topic = topicOf(held.statement);
    const others = this.#topics.get(topic) ?? [];
    others.splice(rankIn(others, held.statement), 0, held);
    this.#topics.set(topic, others);
    this.digest.toggle(held.key, held.hash);
    this.#size += 1;
  }

  delete(key: string): void {
    const held = this.find(key);
    if (held === undefined) return;
    this.#bucket(key).delete(key);
    const topic = topicOf(held.statement);
    const others = this.#topics.get(topic) ?? [];
    others.splice(rankIn(others, held.statement), 1);
    if (others.length === 0) this.#topics.delete(topic);
    this.digest.toggle(key, held.hash);
    this.#size -= 1;
  }

  #bucket(key: string): Map<string, Held> {
    return this.#buckets[bucketOf(key)] ?? new Map();
  }
}

/** The index at which a statement is among others about its topic, or would be. */
function rankIn(sorted: readonly Held[], statement: Statement): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const there = sorted[middle];
    if (there !== undefined && outranks(there.statement, statement)) low = middle + 1;
    else high = middle;
  }
  return low;
}
