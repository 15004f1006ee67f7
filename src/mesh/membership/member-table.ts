import type { Item, ItemHash, ItemSet } from '../../gossip/index.js';
import type { PeerId } from '../../identity/index.js';
import type { MemberRecord } from './record.js';

/** What is known of one member. */
export interface Member {
  readonly record: MemberRecord;
  /** The neighbour from which the record came first: the next hop on the reverse path to its owner. Undefined for our own. */
  readonly via: PeerId | undefined;
}

/** The members, sorted by id: a bucket of the digest is a range, a random member is an index, and ten thousand members take little memory. */
export class MemberTable implements ItemSet {
  #records: MemberRecord[] = [];
  #vias: (PeerId | undefined)[] = [];
  /** A suspected member is another item of the digest than one that is not. */
  readonly #isSuspected: (peer: PeerId) => boolean;

  constructor(isSuspected: (peer: PeerId) => boolean) {
    this.#isSuspected = isSuspected;
  }

  get size(): number {
    return this.#records.length;
  }

  all(): readonly MemberRecord[] {
    return this.#records;
  }

  /** Fills a table that is empty with these records, sorted by id. */
  fill(records: readonly MemberRecord[]): void {
    this.#records = records.slice();
    this.#vias = new Array(records.length);
  }

  member(peer: PeerId): Member | undefined {
    const at = this.#find(peer);
    const record = this.#records[at];
    return record?.peer === peer ? { record, via: this.#vias[at] } : undefined;
  }

  set(record: MemberRecord, via: PeerId | undefined): void {
    const at = this.#find(record.peer);
    const known = this.#records[at]?.peer === record.peer ? 1 : 0;
    this.#records.splice(at, known, record);
    this.#vias.splice(at, known, via);
  }

  delete(peer: PeerId): void {
    const at = this.#find(peer);
    if (this.#records[at]?.peer !== peer) return;
    this.#records.splice(at, 1);
    this.#vias.splice(at, 1);
  }

  /** The hash of a member as an item of the digest. */
  get(key: string): ItemHash | undefined {
    const record = this.#records[this.#find(key)];
    return record?.peer === key ? this.#hashOf(record) : undefined;
  }

  *inBucket(bucket: number): Iterable<Item> {
    const prefix = bucket.toString(16).padStart(2, '0');
    for (let at = this.#find(prefix); at < this.#records.length; at++) {
      const record = this.#records[at];
      if (record === undefined || !record.peer.startsWith(prefix)) return;
      yield { key: record.peer, hash: this.#hashOf(record) };
    }
  }

  #hashOf({ peer, hash }: MemberRecord): ItemHash {
    return this.#isSuspected(peer) ? { high: hash.low, low: hash.high } : hash;
  }

  /** The index at which this key is, or would be inserted. */
  #find(key: string): number {
    let [low, high] = [0, this.#records.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#records[middle]?.peer ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
