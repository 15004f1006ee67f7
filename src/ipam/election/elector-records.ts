import { blake2b, type PeerId } from '../../identity/index.js';
import { bucketOf, type Item, type ItemHash, itemHash, SetDigest } from '../../mesh/index.js';
import { type Claims, compareIds, encodeDelta, type SignedClaims } from './wire.js';

/** The item of a digest that says that an election was called for. No public key has this short id, but by an accident of 2^-64. */
const BEGUN = '0000000000000000';
const BEGUN_HASH: ItemHash = { high: 0, low: 1 };
/** Small enough that checking all its signatures does not hold other work up for long. */
const DELTA_BYTES = 64 * 1024;

interface Held extends SignedClaims {
  readonly hash: ItemHash;
}

/**
 * What electors claim, and whether an election was called for: a CRDT of at most as many claims as there are electors.
 *
 * Of one elector the first incarnation counts, of that the last version. Of too many electors those that began first count: whoever comes
 * later, or began anew without knowing how it voted, cannot disturb an election that is under way. What comes in has been checked.
 */
export class ElectionRecords {
  readonly #held = new Map<string, Held>();
  readonly #digest: SetDigest;
  #electors: number | undefined;
  #begun = false;

  /** `electors`: how many there are; when it is left out, the first claims say so. */
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

  /** How many electors there are, if that is known. */
  get electors(): number | undefined {
    return this.#electors;
  }

  /** An election was called for. */
  get begun(): boolean {
    return this.#begun;
  }

  get(elector: PeerId): SignedClaims | undefined {
    return this.#held.get(elector);
  }

  /** The claims that count. */
  claims(): readonly Claims[] {
    return [...this.#held.values()].map(({ claims }) => claims);
  }

  /** True when these claims would be taken: they are not known, and nothing that counts before them is. */
  isNews(signed: SignedClaims): boolean {
    const known = this.#held.get(signed.claims.elector);
    if (known !== undefined) return supersedes(signed, known);
    const junior = this.#excess();
    return junior === undefined || seniority(signed.claims, junior) < 0;
  }

  /** Takes claims in; false when they are no news. */
  put(signed: SignedClaims): boolean {
    if (!this.isNews(signed)) return false;
    const { elector, electors } = signed.claims;
    this.#electors ??= electors;
    const gone = this.#held.has(elector) ? elector : this.#excess()?.elector;
    if (gone !== undefined) this.#drop(gone);
    const hash = itemHash(blake2b(16, [signed.record]));
    this.#held.set(elector, { ...signed, hash });
    this.#digest.toggle(elector, hash);
    return true;
  }

  /** Notes that an election was called for; false when that is no news. */
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

  /** What whoever has this digest lacks, in messages. Throws `bad-message`. */
  answer(digest: Uint8Array): readonly Uint8Array[] {
    const missing = this.#digest.missing(digest);
    const signed = missing.flatMap((key) => this.#held.get(key) ?? []);
    return signed.length === 0 && !missing.includes(BEGUN) ? [] : this.messages(signed);
  }

  /** These claims in messages, each of which tells as well whether an election was called for. */
  messages(signed: readonly SignedClaims[]): Uint8Array[] {
    const parts: SignedClaims[][] = [[]];
    let bytes = 0;
    for (const each of signed) {
      bytes += each.record.length + each.signature.length;
      if (bytes > DELTA_BYTES) {
        parts.push([]);
        bytes = each.record.length + each.signature.length;
      }
      parts.at(-1)?.push(each);
    }
    return parts.map((part) => encodeDelta({ begun: this.#begun, signed: part }));
  }

  /** The elector that would have to go for another one, when there are as many as can count. */
  #excess(): Claims | undefined {
    if (this.#electors === undefined || this.#held.size < this.#electors) return undefined;
    return this.claims().reduce((a, b) => (seniority(a, b) > 0 ? a : b));
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

/** Less: counts before the other, when there are too many. */
function seniority(a: Claims, b: Claims): number {
  return a.incarnation - b.incarnation || compareIds(a.elector, b.elector);
}

/** True when the first counts instead of the second, both of one elector. */
function supersedes(a: SignedClaims, b: SignedClaims): boolean {
  const order = b.claims.incarnation - a.claims.incarnation || a.claims.version - b.claims.version;
  return order === 0 ? Buffer.compare(a.record, b.record) > 0 : order > 0;
}
