import { EventEmitter } from 'node:events';
import type { Encoder } from 'compact-encoding';
import { decodeExact } from '../codec.js';
import { WeftError } from '../errors.js';
import type { Identity, PeerId } from '../identity/index.js';
import type { GossipChannel } from './channel.js';
import { encodeDeltas } from './owned-deltas.js';
import { OwnedDigest } from './owned-digest.js';
import { OwnedPublisher } from './owned-publisher.js';
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
  /** Throws a WeftError for a value that this channel never holds, though its owner signed it. */
  readonly check?: (key: string, value: T) => void;
  /**
   * False for owners whose records are not kept: those that left, or were removed or revoked. Without this, what `dropOwner` dropped
   * comes back from a router that has not dropped it yet.
   */
  readonly admits?: (owner: PeerId) => boolean;
  readonly limits?: Partial<OwnedRecordsLimits>;
  /** Bytes of memory that a value takes elsewhere, in tables that are made from it; they count like its own. None by default. */
  readonly weigh?: (value: T) => number;
}

/** Limits to the memory, in bytes, about, that owners can take by publishing: each record counts 512 bytes more than its own. */
export interface OwnedRecordsLimits {
  /** Of one owner, as others hold it. The owner itself publishes at most a quarter: the rest is for removed and stale records. */
  readonly owner: number;
  /** Of all other owners together. */
  readonly total: number;
  /** What an owner may take in any case, so that many who publish much do not keep out those who publish little. */
  readonly guaranteed: number;
}

export interface OwnedRecordsEvents<T> {
  /** A record of somebody (or of this router) is new or changed, or was removed (undefined). */
  change: [owner: PeerId, key: string, value: T | undefined];
  /** There are deltas to take: call `OpenChannel.changed`. */
  pending: [];
  /** A record that its owner signed was refused. */
  refused: [error: WeftError, owner: PeerId];
}

export interface OwnedRecord<T> {
  readonly owner: PeerId;
  readonly key: string;
  readonly value: T;
}

const DEFAULT_LIMITS: OwnedRecordsLimits = {
  owner: 16 * 1024 * 1024,
  total: 256 * 1024 * 1024,
  guaranteed: 32 * 1024,
};
/** The share of an owner's limit that the owner itself publishes at most. */
const OWN_SHARE = 1 / 4;

/**
 * Replicated records that each router publishes for itself: a map from (owner, key) to a value that only the owner can change.
 *
 * A record is signed by its owner, and so is its removal; the last version wins. Digests list hashes for each owner, so that
 * whatever was lost is found and repaired. An owner that restarts, or has many removed keys, begins a new incarnation: all its
 * former records are void at once, whoever still holds them. No I/O; the clock is passed in.
 *
 * What is known at the start should be `set` before the channel is opened: it then replaces what the last run published without a gap.
 */
export class OwnedRecords<T> extends EventEmitter<OwnedRecordsEvents<T>> implements GossipChannel {
  readonly name: string;
  readonly #options: OwnedRecordsOptions<T>;
  readonly #limits: OwnedRecordsLimits;
  readonly #weigh: (value: T) => number;
  readonly #publisher: OwnedPublisher<T>;
  /** This router's records among them. */
  readonly #owners = new Map<PeerId, OwnedSet<T>>();
  readonly #digest: OwnedDigest<T>;
  /** Memory that all other owners take. */
  #cost = 0;

  constructor(options: OwnedRecordsOptions<T>) {
    super();
    const { name, identity, now, value, weigh = () => 0 } = options;
    this.name = name;
    this.#options = options;
    this.#weigh = weigh;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#publisher = new OwnedPublisher({
      name,
      identity,
      now,
      value,
      weigh,
      limit: this.#limits.owner * OWN_SHARE,
      onChange: (key, changed) => this.emit('change', identity.peer, key, changed),
      onPending: () => this.emit('pending'),
    });
    this.#owners.set(identity.peer, this.#publisher.records);
    this.#digest = new OwnedDigest(() => this.#admitted());
  }

  /** Publishes a value of ours. Throws `too-many-records`, or RangeError when key or value is too long. */
  set(key: string, value: T): void {
    this.#publisher.set(key, value);
  }

  /** Takes a value of ours back, if there is one. */
  remove(key: string): void {
    this.#publisher.remove(key);
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

  /** Forgets the records of a peer that is no longer a member; `admits` should be false for it, too. */
  dropOwner(owner: PeerId): void {
    const set = this.#owners.get(owner);
    if (set === undefined || set === this.#publisher.records) return;
    this.#owners.delete(owner);
    this.#cost -= set.cost;
    for (const { content } of set.shown()) this.emit('change', owner, content.key, undefined);
  }

  takeDeltas(): readonly Uint8Array[] {
    const changes = this.#publisher.take();
    return changes === undefined ? [] : encodeDeltas([changes]);
  }

  merge(delta: Uint8Array, _from: PeerId): Uint8Array | null {
    const verified = wire.decodeDelta(delta).flatMap((group) => this.#verify(group));
    const news = verified.flatMap((group) => this.#apply(group));
    return news.length === 0 ? null : wire.encodeDelta(news);
  }

  digest(): Uint8Array {
    return this.#digest.whole();
  }

  refine(digest: Uint8Array): Uint8Array | null {
    return this.#digest.refine(digest);
  }

  answer(digest: Uint8Array): readonly Uint8Array[] {
    return encodeDeltas(this.#digest.missing(digest));
  }

  /** The owners of which others are told, which publishes our own records. */
  *#admitted(): Iterable<readonly [PeerId, OwnedSet<T>]> {
    this.#publisher.publish();
    for (const each of this.#owners) if (this.#admits(each[0])) yield each;
  }

  #admits(owner: PeerId): boolean {
    const { identity, admits } = this.#options;
    return owner === identity.peer || admits === undefined || admits(owner);
  }

  /** The part of a group that may be news, its signatures checked. Throws `bad-signature`. */
  #verify(group: wire.Group): wire.Group[] {
    const { head } = group;
    if (!this.#admits(head.owner)) return [];
    const set = this.#owners.get(head.owner);
    const isNewHead = set === undefined || set.isNewerHead(head);
    if (isNewHead) wire.checkHead(this.name, head);
    if (set === this.#publisher.records) {
      if (isNewHead) this.#publisher.supersede(head);
      return [];
    }
    const isCurrent = set === undefined || head.content.incarnation === set.head.content.incarnation;
    if (!isNewHead && !isCurrent) return [];
    const entries = group.entries.filter(
      (entry) => !isCurrent || set === undefined || set.isNewerEntry(entry),
    );
    const room = this.#room(set);
    const fitting = entries.filter((entry) => costOf(entry) <= room);
    for (const entry of fitting) wire.checkEntry(this.name, head, entry);
    if (fitting.length < entries.length) this.#refuseForSpace(head.owner);
    return isNewHead || fitting.length > 0 ? [{ head, entries: fitting }] : [];
  }

  /** Merges a group whose signatures were checked; gives back what of it was news. */
  #apply({ head, entries }: wire.Group): wire.Group[] {
    const known = this.#owners.get(head.owner);
    if (known === undefined && this.#room(undefined) <= 0) {
      this.#refuseForSpace(head.owner);
      return [];
    }
    const set = known ?? this.#add(head);
    const isNewHead = known === undefined || set.isNewerHead(head);
    if (isNewHead) this.#counted(set, () => set.begin(head));
    // A later incarnation may have come in the same message.
    if (head.content.incarnation !== set.head.content.incarnation) return [];
    const changes: [key: string, value: T | undefined][] = [];
    const news = entries.filter((entry) => this.#put(set, entry, changes));
    for (const key of this.#counted(set, () => set.dropStale())) changes.push([key, undefined]);
    for (const [key, value] of changes) this.emit('change', head.owner, key, value);
    return isNewHead || news.length > 0 ? [{ head: set.head, entries: news }] : [];
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
    const held = this.#read(owner, entry);
    if (held === undefined) return false;
    if (held.cost > this.#room(set)) {
      this.#refuseForSpace(owner);
      return false;
    }
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
      return heldEntry(entry, decoded, this.#weigh(decoded));
    } catch (error) {
      if (!(error instanceof WeftError)) throw error;
      this.emit('refused', error, owner);
      return undefined;
    }
  }

  /** Bytes of memory that an owner may still take. */
  #room(set: OwnedSet<T> | undefined): number {
    const { owner, total, guaranteed } = this.#limits;
    const taken = set?.cost ?? 0;
    return Math.min(owner - taken, Math.max(total - this.#cost, guaranteed - taken));
  }

  #refuseForSpace(owner: PeerId): void {
    const why = `a record of ${owner} was refused: the limit to what routers publish in "${this.name}" is reached`;
    this.emit('refused', new WeftError('too-many-records', why), owner);
  }
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;
}
