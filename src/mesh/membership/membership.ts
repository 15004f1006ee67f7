import type { Clock } from '../../clock.js';
import { WeftError } from '../../errors.js';
import { type GossipChannel, IncarnationBackoff, SetDigest } from '../../gossip/index.js';
import type { Identity, PeerId } from '../../identity/index.js';
import {
  decodeMemberDelta,
  encodeRecord,
  encodeSuspicion,
  type MemberDelta,
  type Suspicion,
} from './member-deltas.js';
import { type Member, MemberTable } from './member-table.js';
import { checkSignature, type MemberRecord, type PeerRecord, signRecord } from './record.js';
import { Tombstones } from './tombstones.js';
import { compareVersions } from './version.js';

/** The shortest time between two refutations, in milliseconds, since anybody may suspect us as often as they like. */
const REFUTATION_INTERVAL = 1000;

/** What our record says besides its key and version. */
export type SelfDescription = Omit<PeerRecord, 'publicKey' | 'incarnation' | 'sequence'>;

/** Reads and checks records. The simulator caches the outcome, since all its routers see the same records. */
export interface RecordReader {
  /** Reads a delta without checking its signature. Throws `bad-message`. */
  read(delta: Uint8Array): MemberDelta;
  /** Throws `bad-signature`. */
  check(record: MemberRecord): void;
}

export interface MembershipOptions {
  readonly identity: Identity;
  /** Unix time in milliseconds. */
  readonly startedAt: number;
  readonly self: SelfDescription;
  /** Maximum number of records that are kept. */
  readonly limit: number;
  readonly clock: Clock;
  /** How long a suspected peer may refute the suspicion before it is down. */
  readonly suspicionTime: number;
  /** How long a peer that left is shown. */
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
  /** A record of ours from elsewhere supersedes our own: it is from an earlier run, or from a clone. */
  superseded(from: PeerId): void;
}

/**
 * Who is in the network: a set of signed records, one for each peer, and which of these peers are suspected to have failed. No I/O.
 *
 * Records of others merge commutatively, associatively and idempotently: the one with the highest version wins. The own record belongs to
 * this process. If a record of ours comes from elsewhere with a higher version, we supersede it with a new incarnation. Failures are
 * detected in the manner of SWIM: a router that is suspected and alive refutes the suspicion with the next version of its record, which
 * also shows everybody the path to it.
 */
export class Membership implements GossipChannel {
  readonly name = 'members';
  readonly #options: MembershipOptions;
  readonly #reader: RecordReader;
  readonly #table = new MemberTable((peer) => this.#suspected.has(peer));
  readonly #digest = new SetDigest(this.#table);
  /** The suspected peers, and since when by our clock. */
  readonly #suspected = new Map<PeerId, number>();
  readonly #tombstones: Tombstones;
  readonly #deltas: Uint8Array[] = [];
  #self: MemberRecord;
  /** Number of members that left. */
  #left = 0;
  readonly #incarnationBackoff = new IncarnationBackoff();
  #refutedAt = -Infinity;
  #refuting = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#tombstones = new Tombstones(options.clock);
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

  /** Number of members that have not left, ourselves included. */
  get present(): number {
    return this.#table.size - this.#left;
  }

  /** The record of a peer, our own included. */
  get(peer: PeerId): MemberRecord | undefined {
    return this.#table.member(peer)?.record;
  }

  /** A peer's record, and the neighbour from which it came first. */
  member(peer: PeerId): Member | undefined {
    return this.#table.member(peer);
  }

  /** All records, our own included, sorted by id. */
  all(): readonly MemberRecord[] {
    return this.#table.all();
  }

  /** Somebody suspected this peer, and it did not refute the suspicion in time. */
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

  /** Changes our record, unless it says the same already. */
  update(change: Partial<SelfDescription>): void {
    const { publicKey: _, incarnation, sequence, ...current } = this.#self.content;
    const next = { ...current, ...change };
    if (JSON.stringify(next) === JSON.stringify(current)) return;
    this.#announce(this.#sign(next, incarnation, sequence + 1));
  }

  /** We cannot reach this peer: it may refute that. */
  suspect(peer: PeerId): void {
    const record = this.get(peer);
    if (record === undefined || record === this.#self || record.content.left) return;
    const { incarnation, sequence } = record.content;
    const suspicion = { peer, incarnation, sequence };
    if (!this.#addSuspicion(suspicion, record)) return;
    this.#deltas.push(encodeSuspicion(suspicion));
    this.#options.events.changed();
  }

  takeDeltas(): readonly Uint8Array[] {
    return this.#deltas.splice(0);
  }

  merge(delta: Uint8Array, from: PeerId): Uint8Array | null {
    const read = this.#reader.read(delta);
    const news =
      read.kind === 'record' ? this.mergeRecord(read.record, from) : this.#mergeSuspicion(read.suspicion);
    return news ? delta : null;
  }

  /** Merges a record; true when it was news. Throws `bad-signature`, `too-many-members` or `short-id-taken`. */
  mergeRecord(record: MemberRecord, from: PeerId): boolean {
    const known = this.get(record.peer);
    if (known !== undefined && !isNewer(record, known)) return false;
    if (this.#tombstones.covers(record.peer, record.content)) return false;
    if (this.#options.admits?.(record.peer, record.content.incarnation) === false) return false;
    this.#reader.check(record);
    if (known !== undefined && !known.content.publicKey.equals(record.content.publicKey)) {
      throw new WeftError(
        'short-id-taken',
        `a member record was refused: another public key has its short id ${record.peer} already`,
      );
    }
    if (record.peer === this.#options.identity.peer) {
      this.#onSuperseded(record, from);
      return false;
    }
    if (known === undefined && !this.#makeRoom()) {
      throw new WeftError(
        'too-many-members',
        `the member ${record.peer} was refused: this router keeps at most ${this.#options.limit} members`,
      );
    }
    this.#put(record, from);
    if (record.content.left) this.#forgetLater(record);
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

  /** Begins an incarnation higher than this one, in which others hold us for removed. */
  beginIncarnation(incarnation: number): void {
    const { publicKey: _, incarnation: current, sequence: __, ...self } = this.#self.content;
    this.#announce(this.#sign(self, Math.max(current, incarnation) + 1, 0));
  }

  /** Forgets a peer, so that only a newer record than the one known brings it back. */
  forget(peer: PeerId): void {
    const record = this.get(peer);
    if (record === undefined || record === this.#self) return;
    this.#remove(record);
    this.#tombstones.add(peer, record.content);
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

  /** Proves that we are alive, with a new version of our record. */
  #refute(): void {
    if (this.#refuting) return;
    this.#refuting = true;
    const { clock } = this.#options;
    clock.after(Math.max(0, this.#refutedAt + REFUTATION_INTERVAL - clock.now()), () => {
      this.#refuting = false;
      this.#refutedAt = clock.now();
      const { publicKey: _, incarnation, sequence, ...current } = this.#self.content;
      this.#announce(this.#sign(current, incarnation, sequence + 1));
    });
  }

  #onSuperseded(record: MemberRecord, from: PeerId): void {
    const now = this.#options.clock.now();
    this.#options.events.superseded(from);
    if (!this.#incarnationBackoff.allows(now)) return;
    const { publicKey: _, incarnation: __, sequence: ___, ...current } = this.#self.content;
    this.#announce(this.#sign(current, record.content.incarnation + 1, 0));
  }

  #announce(record: MemberRecord): void {
    this.#self = record;
    this.#deltas.push(encodeRecord(record));
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
    this.#tombstones.delete(record.peer);
    if (record.content.left) this.#left += 1;
    this.#table.set(record, via);
    this.#digest.toggle(record.peer, record.hash);
  }

  #remove({ peer }: MemberRecord): void {
    this.#discount(peer);
    this.#suspected.delete(peer);
    this.#table.delete(peer);
  }

  /** Takes the record that is known so far out of the digest and the count. */
  #discount(peer: PeerId): void {
    const hash = this.#table.get(peer);
    if (hash !== undefined) this.#digest.toggle(peer, hash);
    if (this.get(peer)?.content.left) this.#left -= 1;
  }

  #forgetLater(record: MemberRecord): void {
    this.#options.clock.after(this.#options.leftTime, () => {
      if (this.get(record.peer) === record) this.forget(record.peer);
    });
  }

  #makeRoom(): boolean {
    if (this.#table.size < this.#options.limit) return true;
    const left = this.all().find((record) => record.content.left);
    if (left === undefined) return false;
    this.forget(left.peer);
    return true;
  }
}

/** The higher version wins; the bytes decide between two records of one version, so that all routers keep the same one. */
function isNewer(a: MemberRecord, b: MemberRecord): boolean {
  const byVersion = compareVersions(a.content, b.content);
  return byVersion === 0 ? Buffer.compare(a.record, b.record) > 0 : byVersion > 0;
}
