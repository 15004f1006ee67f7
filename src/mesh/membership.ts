import type { Clock } from '../clock.js';
import { WeftError } from '../errors.js';
import type { Identity, PeerId } from '../identity/index.js';
import type { GossipChannel } from './channel.js';
import {
  decodeMemberDelta,
  encodeRecord,
  encodeSuspicion,
  type MemberDelta,
  type Suspicion,
} from './member-deltas.js';
import { type Member, MemberTable } from './member-table.js';
import { checkSignature, type MemberRecord, type PeerRecord, signRecord } from './record.js';
import { Restraint } from './restraint.js';
import { SetDigest } from './set-digest.js';

/** Anybody may suspect us: we do not object more often than this (milliseconds). */
const REFUTE_INTERVAL = 1000;
/** A peer that left is remembered for so long, lest somebody who does not know it brings it back (milliseconds). */
const GRAVE_TIME = 24 * 3_600_000;
const MAX_GRAVES = 16_384;

/** What our record says beyond its version. */
export type SelfDescription = Omit<PeerRecord, 'publicKey' | 'incarnation' | 'sequence'>;

/** Reads and checks records. The simulator remembers the outcome, since all its routers see the same ones. */
export interface RecordReader {
  /** Without its signature. Throws `bad-message`. */
  read(delta: Uint8Array): MemberDelta;
  /** Throws `bad-signature`. */
  check(record: MemberRecord): void;
}

export interface MembershipOptions {
  readonly identity: Identity;
  /** Unix time in milliseconds. */
  readonly startedAt: number;
  readonly self: SelfDescription;
  /** Most records that are kept. */
  readonly limit: number;
  readonly clock: Clock;
  /** A suspicion that is not refuted for so long holds. */
  readonly suspicionTime: number;
  /** A peer that left is shown for so long. */
  readonly leftTime: number;
  readonly reader?: RecordReader;
  /** Members that are known from the beginning, sorted by id. */
  readonly known?: readonly MemberRecord[];
  /** False for a peer that was expelled, or removed in this incarnation or a later one. */
  readonly admits?: (peer: PeerId, incarnation: number) => boolean;
  readonly events: MembershipEvents;
}

export interface MembershipEvents {
  /** There are deltas to take. */
  changed(): void;
  /** A member is new, its record changed, it is down, or it is up again. */
  member(record: MemberRecord): void;
  /** Somebody holds a newer record of ours than we do: from an earlier run, or from a clone. */
  outdone(from: PeerId): void;
}

type Version = Pick<PeerRecord, 'incarnation' | 'sequence'>;

/**
 * Who is in the network: a set of signed records, one a peer, the newest of each wins; and who of them is suspected to be gone. No I/O.
 *
 * Merging is commutative, associative and idempotent for the records of others. The own record belongs to this process: a newer
 * one that comes from outside is outdone by a still newer one, and so is a suspicion: whoever is suspected and lives says so with its next
 * version, which also shows everybody the way to it.
 */
export class Membership implements GossipChannel {
  readonly name = 'members';
  readonly #options: MembershipOptions;
  readonly #reader: RecordReader;
  readonly #table = new MemberTable((peer) => this.#suspected.has(peer));
  readonly #digest = new SetDigest(this.#table);
  /** Since when, by our clock. */
  readonly #suspected = new Map<PeerId, number>();
  /** Versions of peers that left and are forgotten. */
  readonly #graves = new Map<PeerId, Version & { readonly until: number }>();
  readonly #fresh: Uint8Array[] = [];
  #self: MemberRecord;
  #left = 0;
  readonly #restraint = new Restraint();
  #refutedAt = -Infinity;
  #refuting = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#reader = options.reader ?? { read: decodeMemberDelta, check: checkSignature };
    this.#table.fill(options.known ?? []);
    for (const { peer, hash } of this.#table.all()) this.#digest.toggle(peer, hash);
    this.#self = this.#sign(options.self, options.startedAt, 0);
  }

  get self(): MemberRecord {
    return this.#self;
  }

  get size(): number {
    return this.#table.size;
  }

  /** Members that did not leave, ourselves included. */
  get present(): number {
    return this.#table.size - this.#left;
  }

  /** The record of a peer, our own included. */
  get(peer: PeerId): MemberRecord | undefined {
    return this.#table.member(peer)?.record;
  }

  /** A peer's record, and from which neighbour it came first. */
  member(peer: PeerId): Member | undefined {
    return this.#table.member(peer);
  }

  /** All records, our own included, sorted by id. */
  all(): readonly MemberRecord[] {
    return this.#table.all();
  }

  /** Somebody could not reach this peer, and it did not object for a while. */
  isDown(peer: PeerId): boolean {
    const since = this.#suspected.get(peer);
    return since !== undefined && this.#options.clock.now() - since >= this.#options.suspicionTime;
  }

  isSuspected(peer: PeerId): boolean {
    return this.#suspected.has(peer);
  }

  suspected(): readonly PeerId[] {
    return [...this.#suspected.keys()];
  }

  /** Changes our record, if that makes a difference. */
  update(change: Partial<SelfDescription>): void {
    const { publicKey: _, incarnation, sequence, ...current } = this.#self.content;
    const next = { ...current, ...change };
    if (JSON.stringify(next) === JSON.stringify(current)) return;
    this.#announce(this.#sign(next, incarnation, sequence + 1));
  }

  /** We cannot reach this peer: whoever can, may say so. */
  suspect(peer: PeerId): void {
    const record = this.get(peer);
    if (record === undefined || record === this.#self || record.content.left) return;
    const { incarnation, sequence } = record.content;
    const suspicion = { peer, incarnation, sequence };
    if (!this.#addSuspicion(suspicion, record)) return;
    this.#fresh.push(encodeSuspicion(suspicion));
    this.#options.events.changed();
  }

  takeDeltas(): readonly Uint8Array[] {
    return this.#fresh.splice(0);
  }

  merge(delta: Uint8Array, from: PeerId): Uint8Array | null {
    const read = this.#reader.read(delta);
    const news =
      read.kind === 'record' ? this.mergeRecord(read.record, from) : this.#mergeSuspicion(read.suspicion);
    return news ? delta : null;
  }

  /** Takes in a record; true when it was news. Throws `bad-signature`, `too-many-members` or `short-id-taken`. */
  mergeRecord(record: MemberRecord, from: PeerId): boolean {
    const known = this.get(record.peer);
    if (known !== undefined && !isNewer(record, known)) return false;
    const grave = this.#graves.get(record.peer);
    if (grave !== undefined && compareVersions(record.content, grave) <= 0) return false;
    if (this.#options.admits?.(record.peer, record.content.incarnation) === false) return false;
    this.#reader.check(record);
    if (known !== undefined && !known.content.publicKey.equals(record.content.publicKey)) {
      throw new WeftError('short-id-taken', `two keys have the short id ${record.peer}`);
    }
    if (record.peer === this.#options.identity.peer) {
      this.#onOutdone(record, from);
      return false;
    }
    if (known === undefined && !this.#makeRoom()) {
      throw new WeftError('too-many-members', `there are more than ${this.#options.limit} members`);
    }
    this.#put(record, from);
    if (record.content.left) this.#buryLater(record);
    this.#options.events.member(record);
    return true;
  }

  digest(): Uint8Array {
    return this.#digest.digest();
  }

  refine(digest: Uint8Array): Uint8Array | null {
    return this.#digest.refine(digest);
  }

  answer(digest: Uint8Array): readonly Uint8Array[] {
    return this.#digest.missing(digest).flatMap((key) => this.#deltasOf(key as PeerId));
  }

  /** Begins a new incarnation, higher than this one: others hold what we were for gone. */
  beginAnew(incarnation: number): void {
    const { publicKey: _, incarnation: current, sequence: __, ...self } = this.#self.content;
    this.#announce(this.#sign(self, Math.max(current, incarnation) + 1, 0));
  }

  /** Forgets a peer, so that only a newer record than the one known brings it back. */
  bury(peer: PeerId): void {
    const record = this.get(peer);
    if (record === undefined || record === this.#self) return;
    const { incarnation, sequence } = record.content;
    this.#remove(record);
    this.#graves.delete(peer);
    this.#graves.set(peer, { incarnation, sequence, until: this.#options.clock.now() + GRAVE_TIME });
    this.#clearGraves();
  }

  #deltasOf(peer: PeerId): Uint8Array[] {
    const record = this.get(peer);
    if (record === undefined) return [];
    const { incarnation, sequence } = record.content;
    const suspicion = this.#suspected.has(peer) ? [encodeSuspicion({ peer, incarnation, sequence })] : [];
    return [encodeRecord(record), ...suspicion];
  }

  #mergeSuspicion(suspicion: Suspicion): boolean {
    const record = this.get(suspicion.peer);
    if (record === undefined || compareVersions(suspicion, record.content) !== 0) return false;
    if (record !== this.#self) return this.#addSuspicion(suspicion, record);
    this.#refute();
    return false;
  }

  #addSuspicion({ peer }: Suspicion, record: MemberRecord): boolean {
    if (record.content.left || this.#suspected.has(peer)) return false;
    const { clock, suspicionTime, events } = this.#options;
    const { high, low } = record.hash;
    this.#digest.toggle(peer, record.hash);
    this.#digest.toggle(peer, { high: low, low: high });
    const since = clock.now();
    this.#suspected.set(peer, since);
    clock.after(suspicionTime, () => {
      if (this.#suspected.get(peer) === since) events.member(this.get(peer) ?? record);
    });
    return true;
  }

  /** We live. */
  #refute(): void {
    if (this.#refuting) return;
    this.#refuting = true;
    const { clock } = this.#options;
    clock.after(Math.max(0, this.#refutedAt + REFUTE_INTERVAL - clock.now()), () => {
      this.#refuting = false;
      this.#refutedAt = clock.now();
      const { publicKey: _, incarnation, sequence, ...current } = this.#self.content;
      this.#announce(this.#sign(current, incarnation, sequence + 1));
    });
  }

  #onOutdone(record: MemberRecord, from: PeerId): void {
    const now = this.#options.clock.now();
    this.#options.events.outdone(from);
    if (!this.#restraint.allows(now)) return;
    const { publicKey: _, incarnation: __, sequence: ___, ...current } = this.#self.content;
    this.#announce(this.#sign(current, record.content.incarnation + 1, 0));
  }

  #announce(record: MemberRecord): void {
    this.#self = record;
    this.#fresh.push(encodeRecord(record));
    this.#options.events.changed();
  }

  #sign(self: SelfDescription, incarnation: number, sequence: number): MemberRecord {
    const { identity } = this.#options;
    const content = { publicKey: identity.publicKey, ...self, incarnation, sequence };
    const record = signRecord(identity, content);
    this.#put(record, undefined);
    return record;
  }

  #put(record: MemberRecord, via: PeerId | undefined): void {
    this.#discount(record.peer);
    this.#suspected.delete(record.peer);
    this.#graves.delete(record.peer);
    if (record.content.left) this.#left += 1;
    this.#table.set(record, via);
    this.#digest.toggle(record.peer, record.hash);
  }

  #remove({ peer }: MemberRecord): void {
    this.#discount(peer);
    this.#suspected.delete(peer);
    this.#table.delete(peer);
  }

  /** What counts of the record that is known so far counts no longer. */
  #discount(peer: PeerId): void {
    const hash = this.#table.get(peer);
    if (hash !== undefined) this.#digest.toggle(peer, hash);
    if (this.get(peer)?.content.left) this.#left -= 1;
  }

  #buryLater(record: MemberRecord): void {
    this.#options.clock.after(this.#options.leftTime, () => {
      if (this.get(record.peer) === record) this.bury(record.peer);
    });
  }

  #clearGraves(): void {
    const now = this.#options.clock.now();
    for (const [peer, { until }] of this.#graves) {
      if (until > now && this.#graves.size <= MAX_GRAVES) return;
      this.#graves.delete(peer);
    }
  }

  #makeRoom(): boolean {
    if (this.#table.size < this.#options.limit) return true;
    const gone = this.all().find((record) => record.content.left);
    if (gone === undefined) return false;
    this.bury(gone.peer);
    return true;
  }
}

/** Last writer wins; the bytes decide between two of the same version, so that everybody ends with the same one. */
function isNewer(a: MemberRecord, b: MemberRecord): boolean {
  const byVersion = compareVersions(a.content, b.content);
  return byVersion === 0 ? Buffer.compare(a.record, b.record) > 0 : byVersion > 0;
}

function compareVersions(a: Version, b: Version): number {
  return a.incarnation - b.incarnation || a.sequence - b.sequence;
}
