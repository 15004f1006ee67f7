import { encode } from '../codec.js';
import { blake2b, type PeerId } from '../identity/index.js';
import { bucketOf, type GossipChannel, type ItemHash, itemHash, SetDigest } from '../mesh/index.js';
import type { AddressRing } from './address-ring.js';
import {
  addressText,
  type Block,
  type Charter,
  checkFact,
  decodeDelta,
  encodeDelta,
  type Fact,
  fact,
  parseBlock,
  type Ring,
  refusal,
} from './ring/index.js';

/** Small enough that checking all its signatures does not hold other work up for long. */
const DELTA_BYTES = 64 * 1024;

interface Item {
  readonly fact: Fact;
  readonly hash: ItemHash;
  readonly bytes: Buffer;
}

/** Carries the facts of a ring from router to router. docs/protocol.md */
export class RingGossip implements GossipChannel {
  readonly name = 'addresses';
  readonly #range: Block;
  readonly #ring: AddressRing;
  readonly #now: () => number;
  readonly #pending: Fact[] = [];
  /** The facts of the ring that is on the disk. */
  readonly #items = new Map<string, Item>();
  readonly #digest: SetDigest;
  #told: Ring | undefined;

  constructor(range: Block, ring: AddressRing, now: () => number) {
    this.#range = range;
    this.#ring = ring;
    this.#now = now;
    const items = this.#items;
    this.#digest = new SetDigest({
      get size() {
        return items.size;
      },
      get: (key) => items.get(key)?.hash,
      inBucket: (bucket) => this.#inBucket(bucket),
    });
  }

  /** Facts of ours, to be told to all. */
  announce(facts: readonly Fact[]): void {
    this.#pending.push(...facts);
  }

  takeDeltas(): readonly Uint8Array[] {
    return this.#deltas(this.#pending.splice(0));
  }

  /** Throws `ring-mismatch`, too, when the sender has another range, or one that was split between others at first. */
  merge(delta: Uint8Array, _from: PeerId): Uint8Array | null {
    const { charter, facts } = decodeDelta(delta);
    const theirs = parseBlock(`${addressText(charter.start)}/${charter.length}`);
    if (theirs.text !== this.#range.text) throw refusal.range(this.#range.text, theirs.text);
    this.#catchUp();
    const unknown = facts.filter((each) => !this.#items.has(itemOf(each).key));
    for (const each of unknown) checkFact(each, this.#range);
    if (charter.founders.length === 0) return null;
    this.#ring.learnFounders(charter.founders);
    const news = this.#ring.merge(unknown, this.#now());
    return news.length === 0 ? null : encodeDelta({ charter, facts: news });
  }

  digest(): Uint8Array {
    this.#catchUp();
    return this.#digest.digest();
  }

  refine(digest: Uint8Array): Uint8Array | null {
    this.#catchUp();
    return this.#digest.refine(digest);
  }

  answer(digest: Uint8Array): readonly Uint8Array[] {
    this.#catchUp();
    return this.#deltas(this.#digest.missing(digest).flatMap((key) => this.#items.get(key)?.fact ?? []));
  }

  get #charter(): Charter {
    return { start: this.#range.start, length: this.#range.length, founders: this.#ring.founders };
  }

  #deltas(facts: readonly Fact[]): Uint8Array[] {
    const groups: Fact[][] = [];
    let bytes = DELTA_BYTES;
    for (const each of facts) {
      bytes += itemOf(each).bytes.length;
      if (bytes > DELTA_BYTES) {
        groups.push([]);
        bytes = 0;
      }
      groups.at(-1)?.push(each);
    }
    return groups.map((group) => encodeDelta({ charter: this.#charter, facts: group }));
  }

  /** Brings the digest to the ring that is on the disk now. */
  #catchUp(): void {
    const { ring } = this.#ring;
    if (ring === this.#told || ring === undefined) return;
    this.#told = ring;
    const current = new Map<string, Item>();
    for (const each of ring.facts()) {
      const { key, ...item } = itemOf(each);
      current.set(key, item);
    }
    for (const [key, { hash }] of this.#items) {
      if (current.has(key)) continue;
      this.#digest.toggle(key, hash);
      this.#items.delete(key);
    }
    for (const [key, item] of current) {
      if (this.#items.has(key)) continue;
      this.#digest.toggle(key, item.hash);
      this.#items.set(key, item);
    }
  }

  *#inBucket(bucket: number) {
    for (const [key, { hash }] of this.#items) if (bucketOf(key) === bucket) yield { key, hash };
  }
}

/** Encoding and hashing a fact costs more than all else that is done with it. */
const encoded = new WeakMap<object, Item & { readonly key: string }>();

function itemOf(each: Fact): Item & { readonly key: string } {
  const content = each.kind === 'deed' ? each.deed : each.seat;
  const known = encoded.get(content);
  if (known !== undefined) return known;
  const bytes = encode(fact, each);
  const hash = blake2b(16, [bytes]);
  const item = { fact: each, bytes, key: hash.toString('hex', 0, 8), hash: itemHash(hash.subarray(8)) };
  encoded.set(content, item);
  return item;
}
