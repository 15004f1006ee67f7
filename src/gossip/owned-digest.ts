import { type PeerId, peerIdBytes, peerIdFromBytes } from '../identity/index.js';
import type { HeldEntry, OwnedSet } from './owned-set.js';
import * as wire from './owned-wire.js';

/** Size at which the digest of a part is complete; the slices that are left out have their turn in the next exchange. */
const DIGEST_BYTES = 32 * 1024;

/**
 * Finds out, in up to three messages, in which records two routers differ (docs/protocol.md, section 6): a hash for each slice of the
 * owners, then the hashes of the owners in the slices that differ, seen from one side and from the other.
 */
export class OwnedDigest<T> {
  readonly #owners: () => Iterable<readonly [PeerId, OwnedSet<T>]>;

  /** `owners` gives the owners whose records take part in the exchange. */
  constructor(owners: () => Iterable<readonly [PeerId, OwnedSet<T>]>) {
    this.#owners = owners;
  }

  /** The first message of an exchange. */
  whole(): Uint8Array {
    return wire.encodeDigest({ kind: wire.DIGEST_WHOLE, hashes: this.#hashes(), slices: [], owners: [] });
  }

  /** The message that answers one, or null when it ends the exchange. Throws `bad-message`. */
  refine(digest: Uint8Array): Uint8Array | null {
    const { kind, hashes, slices } = wire.decodeDigest(digest);
    if (kind === wire.DIGEST_WHOLE) {
      const differing = this.#hashes().flatMap((hash, slice) => (hash === hashes[slice] ? [] : [slice]));
      return differing.length === 0 ? null : this.#part(wire.DIGEST_PART, differing);
    }
    return kind === wire.DIGEST_PART ? this.#part(wire.DIGEST_PART_REPLY, slices) : null;
  }

  /** The records that whoever has this digest lacks, as far as it shows. Throws `bad-message`. */
  missing(digest: Uint8Array): wire.Group[] {
    const { slices, owners } = wire.decodeDigest(digest);
    const theirs = new Map<PeerId, readonly number[]>(
      owners.map(({ owner, buckets }) => [peerIdFromBytes(owner), buckets]),
    );
    return this.#within(slices).flatMap(([owner, set]) => {
      const entries = missingOf(set, theirs.get(owner));
      return entries === undefined ? [] : [{ head: set.head, entries }];
    });
  }

  #hashes(): number[] {
    const hashes = new Array<number>(wire.SLICES).fill(0);
    for (const [owner, set] of this.#owners()) {
      const slice = sliceOf(owner);
      hashes[slice] = ((hashes[slice] ?? 0) ^ set.hash) >>> 0;
    }
    return hashes;
  }

  /** The digest of these slices, or of as many of them as fit. */
  #part(kind: number, slices: readonly number[]): Uint8Array {
    const covered: number[] = [];
    const owners: wire.OwnerDigest[] = [];
    let bytes = 0;
    for (const slice of slices) {
      for (const [owner, set] of this.#within([slice])) {
        const buckets = set.buckets(set.bucketCount);
        owners.push({ owner: peerIdBytes(owner), buckets });
        bytes += 12 + 4 * buckets.length;
      }
      covered.push(slice);
      if (bytes > DIGEST_BYTES) break;
    }
    return wire.encodeDigest({ kind, hashes: [], slices: covered, owners });
  }

  #within(slices: readonly number[]): (readonly [PeerId, OwnedSet<T>])[] {
    const wanted = new Set(slices);
    return [...this.#owners()].filter(([owner]) => wanted.has(sliceOf(owner)));
  }
}

/** The slice of an owner is the first six bits of its id. */
function sliceOf(owner: PeerId): number {
  return Number.parseInt(owner.slice(0, 2), 16) >>> 2;
}

/** The entries of an owner that whoever has this digest of it lacks; undefined when it lacks nothing, not even the head. */
function missingOf<T>(set: OwnedSet<T>, theirs: readonly number[] | undefined): HeldEntry<T>[] | undefined {
  if (theirs === undefined) return [...set.entries()];
  const mine = set.buckets(theirs.length);
  if (mine.every((hash, index) => hash === theirs[index])) return undefined;
  return [...set.entries()].filter(({ place }) => {
    const index = place & (theirs.length - 1);
    return mine[index] !== theirs[index];
  });
}
