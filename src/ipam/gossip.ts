import { encode } from '../codec.js';
import { bucketOf, type GossipChannel, type ItemHash, itemHash, SetDigest } from '../gossip/index.js';
import { blake2b, type PeerId } from '../identity/index.js';
import type { AddressRing } from './address-ring.js';
import {
  addressText,
  type Block,
  checkRecord,
  decodeDelta,
  encodeDelta,
  parseBlock,
  type Ring,
  type RingConfig,
  type RingRecord,
  ringError,
  ringRecord,
} from './ring/index.js';

/** Maximum size of a delta: checking all its signatures must not hold up other work for long. */
const DELTA_BYTES = 64 * 1024;

interface Item {
  readonly record: RingRecord;
  readonly hash: ItemHash;
  readonly bytes: Buffer;
}

/** Replicates the records of the ring between all routers. docs/protocol.md, section 12. */
export class RingGossip implements GossipChannel {
  readonly name = 'addresses';
  readonly #range: Block;
  readonly #ring: AddressRing;
  readonly #now: () => number;
  readonly #pending: RingRecord[] = [];
  /** The records of the ring that is on the disk. */
  readonly #items = new Map<string, Item>();
  readonly #digest: SetDigest;
  /** The ring that the items are of. */
  #current: Ring | undefined;

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

  /** Queues records to be sent to all: those that this router signed, and those that a leaving one handed it. */
  announce(records: readonly RingRecord[]): void {
    this.#pending.push(...records);
  }

  takeDeltas(): readonly Uint8Array[] {
    return this.#deltas(this.#pending.splice(0));
  }

  /** Throws `ring-mismatch`, too, if the sender's ring has another range or other founders. */
  merge(delta: Uint8Array, _from: PeerId): Uint8Array | null {
    const { config, records } = decodeDelta(delta);
    const theirs = parseBlock(`${addressText(config.start)}/${config.length}`);
    if (theirs.text !== this.#range.text) throw ringError.rangesDiffer(this.#range.text, theirs.text);
    this.#catchUp();
    const unknown = records.filter((record) => !this.#items.has(itemOf(record).key));
    for (const record of unknown) checkRecord(record, this.#range);
    if (config.founders.length === 0) return null;
    this.#ring.learnFounders(config.founders);
    const news = this.#ring.merge(unknown, this.#now());
    return news.length === 0 ? null : encodeDelta({ config, records: news });
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
    const missing = this.#digest.missing(digest);
    return this.#deltas(missing.flatMap((key) => this.#items.get(key)?.record ?? []));
  }

  get #config(): RingConfig {
    return { start: this.#range.start, length: this.#range.length, founders: this.#ring.founders };
  }

  #deltas(records: readonly RingRecord[]): Uint8Array[] {
    const groups: RingRecord[][] = [];
    let bytes = DELTA_BYTES;
    for (const record of records) {
      bytes += itemOf(record).bytes.length;
      if (bytes > DELTA_BYTES) {
        groups.push([]);
        bytes = 0;
      }
      groups.at(-1)?.push(record);
    }
    return groups.map((group) => encodeDelta({ config: this.#config, records: group }));
  }

  /** Updates the items and the digest to the ring that is on the disk now. */
  #catchUp(): void {
    const { ring } = this.#ring;
    if (ring === this.#current || ring === undefined) return;
    this.#current = ring;
    const current = new Map<string, Item>();
    for (const record of ring.records()) {
      const { key, ...item } = itemOf(record);
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

/**
 * Kept with each record, because encoding and hashing it costs more than everything else that is done with
 * it.
 */
const encoded = new WeakMap<RingRecord, Item & { readonly key: string }>();

function itemOf(record: RingRecord): Item & { readonly key: string } {
  const known = encoded.get(record);
  if (known !== undefined) return known;
  const bytes = encode(ringRecord, record);
  const hash = blake2b(16, [bytes]);
  const item = { record, bytes, key: hash.toString('hex', 0, 8), hash: itemHash(hash.subarray(8)) };
  encoded.set(record, item);
  return item;
}
