import { EventEmitter } from 'node:events';
import type { Encoder } from 'compact-encoding';
import { decodeExact, encode } from '../codec.js';
import { WeftError } from '../errors.js';
import { type Identity, type PeerId, peerIdBytes, peerIdFromBytes } from '../identity/index.js';
import type { GossipChannel } from './channel.js';
import { IncarnationBackoff } from './incarnation-backoff.js';
import { costOf, type HeldEntry, heldEntry, OwnedSet } from './owned-set.js';
import * as wire from './owned-wire.js';

export interface OwnedRecordsOptions<T> {
  /** Of the channel, at most 32 bytes. */
  readonly name: string;
  readonly identity: Identity;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  /** How a value travels, in at most 16 KiB. */
  readonly value: Encoder<T>;
  /** Throws a WeftError for what this channel never holds, though its owner signed it. */
  readonly check?: (key: string, value: T) => void;
  /**
   * False for owners whose records are not wanted: those that left, or were removed or revoked. Without this, what `dropOwner` dropped
   * comes back from a router that has not dropped it yet.
   */
  readonly admits?: (owner: PeerId) => boolean;
  readonly limits?: Partial<OwnedRecordsLimits>;
}

/** Memory in bytes, about, against an owner that publishes without end: each record counts 512 more than its own bytes. */
export interface OwnedRecordsLimits {
  /** Of one owner, as others hold it. The owner itself publishes at most a quarter: the rest is for removed and former records. */
  readonly owner: number;
  /** Of all owners. */
  readonly total: number;
}

export interface OwnedRecordsEvents<T> {
  /** A record of somebody (or of ourselves) is new or changed, or was removed (undefined). */
  change: [owner: PeerId, key: string, value: T | undefined];
  /** There is something for `takeDeltas`: call `OpenChannel.changed`. */
  pending: [];
  /** A record that its owner signed was not taken. */
  refused: [error: WeftError, owner: PeerId];
}

export interface OwnedRecord<T> {
  readonly owner: PeerId;
  readonly key: string;
  readonly value: T;
}

const DEFAULT_LIMITS: OwnedRecordsLimits = { owner: 16 * 1024 * 1024, total: 256 * 1024 * 1024 };
/** Small enough that checking all its signatures does not hold other work up for long. */
const DELTA_BYTES = 64 * 1024;
const DIGEST_BYTES = 32 * 1024;
/** So many removed keys are kept before the owner begins anew without them, or as many as there are records, if those are more. */
const MIN_REMOVED = 64;

/**
 * Replicated records that each router publishes for itself: a map from (owner, key) to a value that only the owner can change.
 *
 * A record is signed by its owner, and so is its removal; the last version wins. A digest lists hashes for each owner, so that
 * whatever was lost is found and repaired. An owner that restarts, or has many removed keys, begins a new incarnation: all its
 * former records are void at once, whoever still holds them. No I/O; the clock is passed in.
 *
 * What is known at the start should be `set` before the channel is opened: it then replaces what the last run published without a gap.
 */
export class OwnedRecords<T> extends EventEmitter<OwnedRecordsEvents<T>> implements GossipChannel {
  readonly name: string;
  readonly #options: OwnedRecordsOptions<T>;
  readonly #limits: OwnedRecordsLimits;
  /** Ours among them. */
  readonly #owners = new Map<PeerId, OwnedSet<T>>();
  readonly #own: OwnedSet<T>;
  /** Keys of ours that changed and were not taken yet. */
  readonly #pending = new Set<string>();
  #headPending = true;
  /** Others may know our head: it must not change within the incarnation any more. */
  #published = false;
  #sequence = 0;
  readonly #incarnationBackoff = new IncarnationBackoff();
  /** Of all other owners. */
  #cost = 0;

  constructor(options: OwnedRecordsOptions<T>) {
    super();
    this.name = options.name;
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#own = new OwnedSet(this.#signHead(options.now(), 0));
    this.#owners.set(options.identity.peer, this.#own);
  }

  /** Publishes a value of ours. Throws `too-many-records`, or RangeError when key or value is too long. */
  set(key: string, value: T): void {
    const bytes = encode(this.#options.value, value);
    const known = this.#own.get(key);
    if (known?.content.value !== undefined && Buffer.compare(known.content.value, bytes) === 0) return;
    this.#change(key, value, bytes);
  }

  /** Takes a value of ours back, if there is one. */
  remove(key: string): void {
    if (this.#own.get(key)?.value === undefined) return;
    this.#change(key, undefined, undefined);
    const { size, removed } = this.#own;
    if (removed > Math.max(MIN_REMOVED, size - removed))
      this.#beginIncarnation(this.#own.head.content.incarnation + 1);
  }

  get(owner: PeerId, key: string): T | undefined {
    return this.#owners.get(owner)?.get(key)?.value;
  }

  /** All records, or those of one owner. */
  *entries(owner?: PeerId): Iterable<OwnedRecord<T>> {
    const owners = owner === undefined ? this.#owners.keys() : [owner];
    for (const each of owners) {
      for (const { content, value } of this.#owners.get(each)?.shown() ?? []) {
        if (value !== undefined) yield { owner: each, key: content.key, value };
      }
    }
  }

  /** Forgets the records of a peer that is no longer a member; `admits` should say so, too. */
  dropOwner(owner: PeerId): void {
    const set = this.#owners.get(owner);
    if (set === undefined || set === this.#own) return;
    this.#owners.delete(owner);
    this.#cost -= set.cost;
    for (const { content } of set.shown()) this.emit('change', owner, content.key, undefined);
  }

  takeDeltas(): readonly Uint8Array[] {
    this.#publish();
    if (!this.#headPending && this.#pending.size === 0) return [];
    const pending = this.#pending;
    const entries = [...this.#own.entries()].filter(({ content }) => pending.has(content.key));
    this.#headPending = false;
    this.#pending.clear();
    return packed([{ head: this.#own.head, entries }]);
  }

  merge(delta: Uint8Array, _from: PeerId): Uint8Array | null {
    const genuine = wire.decodeDelta(delta).flatMap((group) => this.#genuine(group));
    const news = genuine.flatMap((group) => this.#apply(group));
    return news.length === 0 ? null : wire.encodeDelta(news);
  }

  /** A hash for each slice of the owners. */
  digest(): Uint8Array {
    return wire.encodeDigest({ kind: wire.DIGEST_WHOLE, hashes: this.#hashes(), slices: [], owners: [] });
  }

  /** A whole is answered with the parts in which we differ, those with our own. */
  refine(digest: Uint8Array): Uint8Array | null {
    const { kind, hashes, slices } = wire.decodeDigest(digest);
    if (kind === wire.DIGEST_WHOLE) {
      const ours = this.#hashes();
      const differing = ours.flatMap((hash, slice) => (hash === hashes[slice] ? [] : [slice]));
      return differing.length === 0 ? null : this.#part(wire.DIGEST_PART, differing);
    }
    return kind === wire.DIGEST_PART ? this.#part(wire.DIGEST_PART_REPLY, slices) : null;
  }

  answer(digest: Uint8Array): readonly Uint8Array[] {
    const { slices, owners } = wire.decodeDigest(digest);
    const theirs = new Map<PeerId, readonly number[]>(
      owners.map(({ owner, buckets }) => [peerIdFromBytes(owner), buckets]),
    );
    const groups = this.#within(slices).flatMap(([owner, set]) => {
      const entries = lacking(set, theirs.get(owner));
      return entries === undefined ? [] : [{ head: set.head, entries }];
    });
    return packed(groups);
  }

  #hashes(): number[] {
    this.#publish();
    const hashes = new Array<number>(wire.SLICES).fill(0);
    for (const [owner, set] of this.#owners) {
      if (!this.#admits(owner)) continue;
      const slice = sliceOf(owner);
      hashes[slice] = ((hashes[slice] ?? 0) ^ set.hash) >>> 0;
    }
    return hashes;
  }

  /** The digest of some slices, or of as many of them as fit. */
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

  /** The owners of some slices that are wanted. */
  #within(slices: readonly number[]): [PeerId, OwnedSet<T>][] {
    this.#publish();
    const wanted = new Set(slices);
    return [...this.#owners].filter(([owner]) => wanted.has(sliceOf(owner)) && this.#admits(owner));
  }

  #admits(owner: PeerId): boolean {
    const { identity, admits } = this.#options;
    return owner === identity.peer || admits === undefined || admits(owner);
  }

  #change(key: string, value: T | undefined, bytes: Uint8Array | undefined): void {
    const entry = this.#sign(key, bytes);
    if (value !== undefined && this.#own.cost + costOf(entry) > this.#limits.owner / 4) {
      throw new WeftError(
        'too-many-records',
        `this router publishes too much in "${this.name}" already: others would not take more`,
      );
    }
    this.#own.put(heldEntry(entry, value));
    this.#pending.add(key);
    this.emit('change', this.#options.identity.peer, key, value);
    this.emit('pending');
  }

  /** From now on others may know our records: the head says how many there were. */
  #publish(): void {
    if (this.#published) return;
    this.#published = true;
    this.#own.begin(this.#signHead(this.#own.head.content.incarnation, this.#own.size));
  }

  /** Signs all that we have for another incarnation, which makes everything void that others hold of us. */
  #beginIncarnation(incarnation: number): void {
    const records = [...this.#own.shown()];
    this.#published = true;
    this.#own.begin(this.#signHead(incarnation, records.length));
    this.#pending.clear();
    for (const { content, value } of records) {
      this.#own.put(heldEntry(this.#sign(content.key, content.value), value));
      this.#pending.add(content.key);
    }
    this.#own.settle();
    this.#headPending = true;
    this.emit('pending');
  }

  #signHead(incarnation: number, initial: number): wire.SignedHead {
    const { identity } = this.#options;
    return wire.signHead(this.name, identity, { publicKey: identity.publicKey, incarnation, initial });
  }

  #sign(key: string, value: Uint8Array | undefined): wire.SignedEntry {
    const { incarnation } = this.#own.head.content;
    this.#sequence += 1;
    const content = { sequence: this.#sequence, key, value };
    return wire.signEntry(this.name, this.#options.identity, incarnation, content);
  }

  /** What of a group may be news, its signatures checked. Throws `bad-signature`. */
  #genuine(group: wire.Group): wire.Group[] {
    const { head } = group;
    if (!this.#admits(head.owner)) return [];
    const set = this.#owners.get(head.owner);
    const begins = set === undefined || set.isNewerHead(head);
    if (begins) wire.checkHead(this.name, head);
    if (set === this.#own) {
      if (begins) this.#supersede(head);
      return [];
    }
    const current = set === undefined || head.content.incarnation === set.head.content.incarnation;
    if (!begins && !current) return [];
    const entries = group.entries.filter((entry) => !current || set === undefined || set.isNewerEntry(entry));
    const room = this.#room(set);
    const fitting = entries.filter((entry) => costOf(entry) <= room);
    for (const entry of fitting) wire.checkEntry(this.name, head, entry);
    if (fitting.length < entries.length) this.#refuseForSpace(head.owner);
    return begins || fitting.length > 0 ? [{ head, entries: fitting }] : [];
  }

  /** Takes in what is genuine; gives back what of it was news. */
  #apply({ head, entries }: wire.Group): wire.Group[] {
    const known = this.#owners.get(head.owner);
    if (known === undefined && this.#room(undefined) <= 0) {
      this.#refuseForSpace(head.owner);
      return [];
    }
    const set = known ?? this.#add(head);
    const begins = known === undefined || set.isNewerHead(head);
    if (begins) this.#counted(set, () => set.begin(head));
    // A later incarnation may have come in the same message.
    if (head.content.incarnation !== set.head.content.incarnation) return [];
    const changes: [key: string, value: T | undefined][] = [];
    const news = entries.filter((entry) => this.#put(set, entry, changes));
    for (const key of this.#counted(set, () => set.settle())) changes.push([key, undefined]);
    for (const [key, value] of changes) this.emit('change', head.owner, key, value);
    return begins || news.length > 0 ? [{ head: set.head, entries: news }] : [];
  }

  #add(head: wire.SignedHead): OwnedSet<T> {
    const set = new OwnedSet<T>(head);
    this.#owners.set(head.owner, set);
    this.#cost += set.cost;
    return set;
  }

  #counted<R>(set: OwnedSet<T>, change: () => R): R {
    const before = set.cost;
    const result = change();
    this.#cost += set.cost - before;
    return result;
  }

  #put(set: OwnedSet<T>, entry: wire.SignedEntry, changes: [key: string, value: T | undefined][]): boolean {
    const { owner } = set.head;
    if (!set.isNewerEntry(entry)) return false;
    if (costOf(entry) > this.#room(set)) {
      this.#refuseForSpace(owner);
      return false;
    }
    const held = this.#read(owner, entry);
    if (held === undefined) return false;
    const { key, value } = held.content;
    const shown = set.get(key)?.content.value;
    this.#counted(set, () => set.put(held));
    if (!sameBytes(shown, value)) changes.push([key, held.value]);
    return true;
  }

  #read(owner: PeerId, entry: wire.SignedEntry): HeldEntry<T> | undefined {
    const { key, value } = entry.content;
    if (value === undefined) return heldEntry<T>(entry, undefined);
    try {
      const decoded = decodeExact(this.#options.value, value);
      this.#options.check?.(key, decoded);
      return heldEntry(entry, decoded);
    } catch (error) {
      if (!(error instanceof WeftError)) throw error;
      this.emit('refused', error, owner);
      return undefined;
    }
  }

  /** Bytes that an owner may still take. */
  #room(set: OwnedSet<T> | undefined): number {
    return Math.min(this.#limits.owner - (set?.cost ?? 0), this.#limits.total - this.#cost);
  }

  #refuseForSpace(owner: PeerId): void {
    const why = `${owner} publishes more in "${this.name}" than is taken`;
    this.emit('refused', new WeftError('too-many-records', why), owner);
  }

  /** Somebody holds a head of ours that we did not make, or not in this run. */
  #supersede({ content: { incarnation } }: wire.SignedHead): void {
    if (this.#incarnationBackoff.allows(this.#options.now())) this.#beginIncarnation(incarnation + 1);
  }
}

/** The first six bits. */
function sliceOf(owner: PeerId): number {
  return Number.parseInt(owner.slice(0, 2), 16) >>> 2;
}

/** What whoever has this digest of an owner lacks of it; undefined: nothing, not even the head. */
function lacking<T>(set: OwnedSet<T>, theirs: readonly number[] | undefined): HeldEntry<T>[] | undefined {
  if (theirs === undefined) return [...set.entries()];
  const mine = set.buckets(theirs.length);
  if (mine.every((hash, index) => hash === theirs[index])) return undefined;
  return [...set.entries()].filter(({ place }) => {
    const index = place & (theirs.length - 1);
    return mine[index] !== theirs[index];
  });
}

/** Makes as few messages of groups as keeps each of them small. */
function packed(groups: readonly wire.Group[]): Uint8Array[] {
  const deltas: Uint8Array[] = [];
  let current: { head: wire.SignedHead; entries: wire.SignedEntry[] }[] = [];
  let bytes = 0;
  const finish = () => {
    if (current.length > 0) deltas.push(wire.encodeDelta(current));
    current = [];
    bytes = 0;
  };
  for (const { head, entries } of groups) {
    let group: { head: wire.SignedHead; entries: wire.SignedEntry[] } | undefined;
    for (const entry of [undefined, ...entries]) {
      if (bytes > DELTA_BYTES) {
        finish();
        group = undefined;
      }
      if (group === undefined) {
        group = { head, entries: [] };
        current.push(group);
        bytes += wireBytes(head);
      }
      if (entry === undefined) continue;
      group.entries.push(entry);
      bytes += wireBytes(entry);
    }
  }
  finish();
  return deltas;
}

/** Length, signature and list counts beside the record. */
function wireBytes({ record }: { readonly record: Uint8Array }): number {
  return record.length + 64 + 8;
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;
}
