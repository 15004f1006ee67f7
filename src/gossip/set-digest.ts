import c, { type Encoder } from 'compact-encoding';
import { boundedList, decodeExact, encode, fixedBytes, struct } from '../codec.js';
import { WeftError } from '../errors.js';

/** A 64-bit hash of an item, as two unsigned 32-bit halves. */
export interface ItemHash {
  readonly high: number;
  readonly low: number;
}

export interface Item {
  /** 16 hexadecimal digits, spread evenly. */
  readonly key: string;
  /** Of the whole content of the item. */
  readonly hash: ItemHash;
}

/** A set of items of which other routers may have other versions. */
export interface ItemSet {
  readonly size: number;
  get(key: string): ItemHash | undefined;
  /** The items whose keys begin with these two hexadecimal digits. */
  inBucket(bucket: number): Iterable<Item>;
}

const KEY_BYTES = 8;
const HASH_BYTES = 8;
const BUCKETS = 256;
/** Maximum number of items whose versions are sent at once, without comparing the sums of buckets first. */
const SMALL_SET = 32;
/** Maximum number of versions, or of wanted keys, in one digest. The others have their turn in the next exchange. */
const MAX_VERSIONS = 8192;

const ROOT = 0;
const SUMS = 1;
const VERSIONS = 2;
const WANTED = 3;

interface Versions {
  readonly kind: number;
  /** A bit for each bucket that the message covers, the first in the highest bit of the first byte. */
  readonly buckets: Uint8Array;
  readonly items: readonly { readonly key: Uint8Array; readonly hash: Uint8Array }[];
}

const root: Encoder<{ kind: number; sum: Uint8Array }> = struct({
  kind: c.uint8,
  sum: fixedBytes(HASH_BYTES),
});
const sums: Encoder<{ kind: number; sums: Uint8Array }> = struct({
  kind: c.uint8,
  sums: fixedBytes(BUCKETS * HASH_BYTES),
});
const versions: Encoder<Versions> = struct({
  kind: c.uint8,
  buckets: fixedBytes(BUCKETS / 8),
  items: boundedList(struct({ key: fixedBytes(KEY_BYTES), hash: fixedBytes(HASH_BYTES) }), MAX_VERSIONS),
});
const wanted: Encoder<{ kind: number; keys: readonly Uint8Array[] }> = struct({
  kind: c.uint8,
  keys: boundedList(fixedBytes(KEY_BYTES), MAX_VERSIONS),
});

/**
 * Finds out, in a few small messages, in which items two sets differ (docs/protocol.md 3.6):
 * the sum of all hashes, then of each bucket, then the versions in the buckets that differ, then the keys that are wanted.
 * Nine bytes are enough to find that two sets are equal, however large they are.
 */
export class SetDigest {
  readonly #items: ItemSet;
  readonly #sums = new Uint32Array(2 * BUCKETS);

  constructor(items: ItemSet) {
    this.#items = items;
  }

  /** Adds an item or removes it. For an item that changed, the old hash is toggled and then the new one. */
  toggle(key: string, { high, low }: ItemHash): void {
    const at = 2 * bucketOf(key);
    this.#sums[at] = (this.#sums[at] ?? 0) ^ high;
    this.#sums[at + 1] = (this.#sums[at + 1] ?? 0) ^ low;
  }

  /** The first message of an exchange. */
  digest(): Uint8Array {
    return encode(root, { kind: ROOT, sum: this.#total() });
  }

  /** The keys of the items that whoever has this digest lacks, as far as it shows. Throws `bad-message`. */
  missing(digest: Uint8Array): readonly string[] {
    if (digest[0] === WANTED) {
      const { keys } = decodeExact(wanted, digest);
      return keys.map(hex).filter((key) => this.#items.get(key) !== undefined);
    }
    if (digest[0] !== VERSIONS) return [];
    const { buckets, items } = decodeExact(versions, digest);
    const theirs = new Map(items.map(({ key, hash }) => [hex(key), hash]));
    return bucketsIn(buckets)
      .flatMap((bucket) => [...this.#items.inBucket(bucket)])
      .filter(({ key, hash }) => !isSame(theirs.get(key), hash))
      .map(({ key }) => key);
  }

  /** The message that answers one, or null when it ends the exchange. Throws `bad-message`. */
  refine(digest: Uint8Array): Uint8Array | null {
    switch (digest[0]) {
      case ROOT:
        return this.#afterRoot(decodeExact(root, digest).sum);
      case SUMS:
        return this.#afterSums(decodeExact(sums, digest).sums);
      case VERSIONS:
        return this.#afterVersions(decodeExact(versions, digest));
      case WANTED:
        return null;
      default:
        throw new WeftError('bad-message', `a digest was dropped: it has the unknown kind ${digest[0]}`);
    }
  }

  #afterRoot(sum: Uint8Array): Uint8Array | null {
    if (Buffer.compare(sum, this.#total()) === 0) return null;
    if (this.#items.size <= SMALL_SET) return this.#versions([...Array(BUCKETS).keys()]);
    return encode(sums, { kind: SUMS, sums: bigEndian(this.#sums) });
  }

  #afterSums(theirs: Uint8Array): Uint8Array | null {
    const own = bigEndian(this.#sums);
    const sumAt = (all: Uint8Array, bucket: number) =>
      all.subarray(bucket * HASH_BYTES, (bucket + 1) * HASH_BYTES);
    const differ = [...Array(BUCKETS).keys()].filter(
      (bucket) => Buffer.compare(sumAt(own, bucket), sumAt(theirs, bucket)) !== 0,
    );
    return differ.length === 0 ? null : this.#versions(differ);
  }

  #afterVersions({ items }: Versions): Uint8Array | null {
    const keys = items
      .filter(({ key, hash }) => {
        const own = this.#items.get(hex(key));
        return own === undefined || !isSame(hash, own);
      })
      .map(({ key }) => key);
    return keys.length === 0 ? null : encode(wanted, { kind: WANTED, keys });
  }

  #versions(buckets: readonly number[]): Uint8Array {
    const covered = Buffer.alloc(BUCKETS / 8);
    const items: { key: Uint8Array; hash: Uint8Array }[] = [];
    for (const bucket of buckets) {
      const here = [...this.#items.inBucket(bucket)];
      if (items.length + here.length > MAX_VERSIONS) break;
      covered[bucket >> 3] = (covered[bucket >> 3] ?? 0) | (0x80 >> (bucket & 7));
      for (const { key, hash } of here) items.push({ key: Buffer.from(key, 'hex'), hash: hashBytes(hash) });
    }
    return encode(versions, { kind: VERSIONS, buckets: covered, items });
  }

  #total(): Buffer {
    let [high, low] = [0, 0];
    for (let at = 0; at < this.#sums.length; at += 2) {
      high ^= this.#sums[at] ?? 0;
      low ^= this.#sums[at + 1] ?? 0;
    }
    return hashBytes({ high: high >>> 0, low: low >>> 0 });
  }
}

export function bucketOf(key: string): number {
  return Number.parseInt(key.slice(0, 2), 16);
}

/** The hash of an item: the first 8 bytes of these. */
export function itemHash(bytes: Uint8Array): ItemHash {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, HASH_BYTES);
  return { high: buffer.readUInt32BE(0), low: buffer.readUInt32BE(4) };
}

function hashBytes({ high, low }: ItemHash): Buffer {
  const bytes = Buffer.alloc(HASH_BYTES);
  bytes.writeUInt32BE(high, 0);
  bytes.writeUInt32BE(low, 4);
  return bytes;
}

function isSame(theirs: Uint8Array | undefined, own: ItemHash): boolean {
  return theirs !== undefined && Buffer.compare(theirs, hashBytes(own)) === 0;
}

function bigEndian(words: Uint32Array): Buffer {
  const bytes = Buffer.alloc(4 * words.length);
  for (const [at, word] of words.entries()) bytes.writeUInt32BE(word, 4 * at);
  return bytes;
}

function bucketsIn(bits: Uint8Array): number[] {
  return [...Array(BUCKETS).keys()].filter(
    (bucket) => ((bits[bucket >> 3] ?? 0) & (0x80 >> (bucket & 7))) !== 0,
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
