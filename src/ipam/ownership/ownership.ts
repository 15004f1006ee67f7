import type { PeerId } from '../../identity/index.js';
import {
  type Arc,
  type Message,
  type OwnershipRecord,
  overlap,
  type ParticipantRecord,
  type PeerIncarnation,
  type RecordSigner,
  Ring,
  type RingRecord,
  ringError,
  type Span,
  sizeOf,
  type VersionedSpan,
} from '../ring/index.js';
import { type Allocation, type Allocations, spanOf } from './allocations.js';
import { movesOf } from './moves.js';
import type { Outbox } from './outbox.js';
import { NO_ARCS, type OwnArcs, ownArcsOf, type RingState } from './state.js';
import { incarnationAfter, isAhead, joined, versionAfter } from './versions.js';

export interface OwnershipOptions {
  readonly signer: RecordSigner;
  /** Gives numbers from 0 to 1. */
  readonly random: () => number;
  /** The name by which people know a peer. */
  readonly nameOf: (peer: PeerId) => string;
}

/** In a range with fewer addresses for each founder, only the first founders get a share. */
const MIN_SHARE = 2;
/** Minimum milliseconds between two answers to a participant that claims addresses of this router. */
const CONFLICT_PAUSE = 60_000;

/** A record of another signer for addresses that this router owns. */
interface Contradiction {
  readonly arc: Arc;
  readonly record: OwnershipRecord;
}

/** What this router knows of the ring and owns of it. Both change by the records of others and by its own. */
export class Ownership {
  readonly self: PeerId;
  /** Unix time in milliseconds, as the driver told last. */
  now: number;
  readonly #options: OwnershipOptions;
  readonly #outbox: Outbox<RingState>;
  #arcs: OwnArcs = NO_ARCS;
  /** The state from which the arcs follow. */
  #refreshed: RingState | undefined;
  /** What was told of the addresses that come and go. */
  #told: Ring | undefined;
  #hasLeft = false;
  /** Found while records were merged, and not answered yet. */
  #contradictions: Contradiction[] = [];
  /** When a participant that claims addresses of this router was answered last. */
  readonly #conflicts = new Map<PeerId, number>();

  constructor(options: OwnershipOptions, outbox: Outbox<RingState>, now: number) {
    this.#options = options;
    this.self = options.signer.peer;
    this.#outbox = outbox;
    this.#told = outbox.state.ring;
    this.now = now;
  }

  get state(): RingState {
    return this.#outbox.state;
  }

  /** Whether this router has left the ring for good: it owns nothing any more. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  /** What this router may allocate and hand over, in ascending order. */
  get owned(): readonly Arc[] {
    return this.#arcs.owned;
  }

  /** What this router is to take over once all other participants have confirmed. */
  get pending(): readonly Arc[] {
    return this.#arcs.pending;
  }

  /** This router in its present incarnation. */
  get incarnation(): PeerIncarnation {
    return { peer: this.self, incarnation: this.state.incarnation };
  }

  /** The participant record of this router. */
  get participant(): ParticipantRecord | undefined {
    return this.state.ring?.participantRecords.get(this.self);
  }

  get participantsHash(): string {
    return this.state.ring?.participantsHash ?? '';
  }

  /** The state is the one on the disk again. */
  revert(): void {
    this.#told = this.state.ring;
    this.#hasLeft &&= this.state.incarnation !== 0 && this.state.ring?.hasEnded(this.incarnation) === true;
  }

  /** Another router named the founders. Throws `ring-mismatch`. */
  learnFounders(founders: readonly PeerId[]): void {
    const { state } = this;
    const maxShares = (state.range.end - state.range.start) / MIN_SHARE;
    const sorted = [...new Set(founders)].sort().slice(0, maxShares);
    if (state.ring === undefined) {
      this.#outbox.set({ ...state, founders: sorted, ring: Ring.founded(state.range, sorted) }, true);
    } else if (String(state.founders) !== String(sorted)) {
      throw ringError.foundersDiffer(state.founders, sorted);
    }
  }

  /** Merges records of others and returns those that were new. */
  merge(records: readonly RingRecord[]): RingRecord[] {
    const before = this.state;
    if (before.ring === undefined) return [];
    let ring: Ring = before.ring;
    let { unconfirmed } = before;
    const news: RingRecord[] = [];
    let isEssential = false;
    for (const record of this.believable(records)) {
      const known: Ring = ring;
      ring = known.put(record, this.#keeps);
      if (ring === known) continue;
      news.push(record);
      isEssential ||= record.kind === 'ownership' || ring.participantsHash !== known.participantsHash;
      if (record.kind === 'ownership' && this.#needsConfirmation(record, ring)) {
        unconfirmed = new Set(unconfirmed).add(record);
      }
    }
    if (news.length > 0) this.#outbox.set({ ...before, ring, unconfirmed }, isEssential);
    this.#answerContradictions();
    this.refresh();
    return news;
  }

  /** Merges records of a peer that leaves, and tells the others in its place: it may be gone before they have heard it. */
  adopt(records: readonly RingRecord[]): void {
    const news = this.merge(records);
    if (news.length > 0) this.#outbox.put({ kind: 'announce', records: news });
  }

  /** The records that are not from a time that no clock shows. */
  believable(records: readonly RingRecord[]): readonly RingRecord[] {
    const ahead = records.find((record) => isAhead(record, this.now));
    if (ahead === undefined) return records;
    this.#warn(ahead.signer, ringError.ahead(this.#options.nameOf(ahead.signer)));
    return records.filter((record) => !isAhead(record, this.now));
  }

  /** Hands addresses that this router owns over to another owner. */
  grant(span: Span, owner: PeerIncarnation): OwnershipRecord {
    const arcs = this.state.ring?.within(span) ?? [];
    const version = arcs.reduce((highest, { record }) => Math.max(highest, record.version), 0) + 1;
    const record = this.#sign(span, version, owner);
    this.refresh();
    return record;
  }

  /** Signs for this router's share of a range that was just split between the founders. */
  claimShare(share: Span): void {
    this.#sign(share, 1, this.incarnation);
    this.refresh();
  }

  /**
   * Makes this router the owner of spans, which are either its own already or owned by nobody whose
   * incarnation goes on. The new records supersede the given versions.
   */
  acquire(spans: readonly VersionedSpan[]): void {
    for (const { version, ...span } of joined(spans)) {
      this.#sign(span, this.#versionAfter(version), this.incarnation);
    }
    this.refresh();
  }

  /** Ends the incarnation of another peer that this router succeeds, or its own in favour of a successor. */
  end({ peer, incarnation }: PeerIncarnation, successor: PeerIncarnation): ParticipantRecord {
    const record = this.#options.signer.participant({
      ...{ peer, incarnation, ended: true },
      ...{ successor: successor.peer, successorIncarnation: successor.incarnation, sequence: 0, free: 0 },
    });
    if (peer === this.self) this.#hasLeft = true;
    this.#publish(record);
    this.refresh();
    return record;
  }

  /**
   * Ends the latest incarnation of a peer, unless it has ended, with this router as the successor. A founder
   * may own addresses without having had any incarnation yet. Where ended peers are each other's successors, as
   * only liars make them, so that nobody would ever take over, a later incarnation is declared ended.
   */
  endLatest(peer: PeerId): void {
    const { ring } = this.state;
    const latest = ring?.latestIncarnation(peer);
    if (ring === undefined || latest === undefined) return;
    if (ring.hasEnded(latest)) {
      const isCircle = ring.successorOf(peer) === undefined;
      if (isCircle) this.end({ peer, incarnation: latest.incarnation + 1 }, this.incarnation);
      return;
    }
    const isOwner = ring.arcs.some(({ record }) => record.owner === peer);
    if (latest.incarnation > 0 || isOwner) this.end(latest, this.incarnation);
  }

  /** Leaves the ring without a successor. */
  leave(): void {
    this.#hasLeft = true;
  }

  setAllocations(allocations: Allocations): void {
    this.#outbox.set({ ...this.state, allocations }, true);
  }

  send(to: PeerId, message: Message): void {
    this.#outbox.put({ kind: 'send', to, message });
  }

  /**
   * Works out what this router owns. A router that knows the ring participates; if its incarnation was ended,
   * in another one.
   */
  refresh(): void {
    const { state } = this;
    if (this.#refreshed === state || state.ring === undefined) return;
    const hasEnded = state.incarnation === 0 || state.ring.hasEnded(this.incarnation);
    if (hasEnded && !this.#hasLeft) {
      this.#beginIncarnation();
      this.refresh();
      return;
    }
    const before = this.#refreshed;
    this.#refreshed = state;
    const isSame =
      before?.ring === state.ring &&
      before.incarnation === state.incarnation &&
      before.unconfirmed === state.unconfirmed;
    if (isSame) return;
    this.#arcs = ownArcsOf(state, this.self);
    this.#tellMoves(state.ring);
    this.#dropLost();
  }

  /**
   * Tells the others how many addresses are free here, if that is more than twice or less than half of what
   * they were told.
   */
  announceFree(): void {
    const { participant, state } = this;
    if (participant === undefined || participant.incarnation !== state.incarnation || participant.ended)
      return;
    const free = Math.max(0, sizeOf(this.owned) - state.allocations.size);
    const told = participant.free;
    if ((free === 0) === (told === 0) && free <= 2 * told && 2 * free >= told) return;
    const { kind: _kind, signer: _signer, signature: _signature, ...content } = participant;
    const sequence = participant.sequence + 1;
    this.#publish(this.#options.signer.participant({ ...content, sequence, free }));
    this.refresh();
  }

  /**
   * Keeps the record in force where this router owns the addresses and did not hand them over itself; and
   * where another owner is said to have handed them over (the next version), but did not sign that.
   */
  readonly #keeps = (arc: Arc, record: OwnershipRecord): boolean => {
    const { incarnation, unconfirmed } = this.state;
    const { owner, ownerIncarnation, version } = arc.record;
    const participates = incarnation !== 0 && !this.#hasLeft;
    const isOwned = owner === this.self && ownerIncarnation === incarnation && !unconfirmed.has(arc.record);
    const isOwnSignature = record.signer === this.self && record.signerIncarnation === incarnation;
    if (participates && isOwned && !isOwnSignature) {
      this.#contradictions.push({ arc, record });
      return true;
    }
    if (record.version !== version + 1 || record.signer === owner) return false;
    // Nobody would object in the owner's place, and routers that hear the two in another order would never agree.
    if (this.state.ring?.hasEnded({ peer: owner, incarnation: ownerIncarnation })) return false;
    const { nameOf } = this.#options;
    this.#warn(record.signer, ringError.notOwner(nameOf(record.signer), nameOf(owner)));
    return true;
  };

  /**
   * Whether a record makes this router the owner, although the incarnation of its signer had ended when it
   * arrived.
   */
  #needsConfirmation(record: OwnershipRecord, ring: Ring): boolean {
    const isOwn = record.owner === this.self && record.ownerIncarnation === this.state.incarnation;
    return isOwn && ring.hasEnded({ peer: record.signer, incarnation: record.signerIncarnation });
  }

  /**
   * Who signs for addresses of this router does not know how it came to own them: a superseding record tells.
   */
  #answerContradictions(): void {
    const contradictions = this.#contradictions;
    if (contradictions.length === 0) return;
    this.#contradictions = [];
    for (const { arc, record } of contradictions) {
      const shared = overlap(arc, record);
      if (shared === undefined || this.#isWithheld(record)) continue;
      this.#sign(shared, this.#versionAfter(record.version), this.incarnation);
    }
  }

  /**
   * Whether an answer is withheld because the claimed owner was answered a moment ago. Such a conflict with
   * another participant arises only when one of the two was forced to take addresses back, or lies; answering
   * each of its records would never end.
   */
  #isWithheld({ owner, ownerIncarnation }: OwnershipRecord): boolean {
    const { ring } = this.state;
    const hasEnded = ring?.hasEnded({ peer: owner, incarnation: ownerIncarnation });
    if (owner === this.self || hasEnded !== false) return false;
    const last = this.#conflicts.get(owner);
    if (last !== undefined && this.now - last < CONFLICT_PAUSE) return true;
    this.#conflicts.set(owner, this.now);
    this.#warn(owner, ringError.conflict(this.#options.nameOf(owner)));
    return false;
  }

  #versionAfter(version: number): number {
    return versionAfter(version, this.now, this.#options.random());
  }

  #sign(span: Span, version: number, { peer: owner, incarnation }: PeerIncarnation): OwnershipRecord {
    const { start, end } = span;
    const record = this.#options.signer.ownership({
      ...{ start, end, version, owner, ownerIncarnation: incarnation },
      signerIncarnation: this.state.incarnation,
    });
    this.#publish(record);
    return record;
  }

  #publish(record: RingRecord): void {
    const { state } = this;
    if (state.ring === undefined) return;
    this.#outbox.set({ ...state, ring: state.ring.put(record) }, true);
    this.#outbox.put({ kind: 'announce', records: [record] });
  }

  /**
   * Participates anew: this router owns only what others grant it from now on, or what all other participants
   * confirm.
   */
  #beginIncarnation(): void {
    const { state, self: peer } = this;
    const { signer, random } = this.#options;
    // Later than whatever others say of this router, too: nobody else could end an incarnation that never was.
    const named = state.ring?.latestIncarnation(peer).incarnation ?? 0;
    const latest = Math.max(named, state.incarnation);
    const incarnation = incarnationAfter(latest, this.now, random());
    this.#outbox.set({ ...state, incarnation, unconfirmed: new Set() }, true);
    this.#publish(
      signer.participant({
        ...{ peer, incarnation, ended: false, successor: peer, successorIncarnation: incarnation },
        ...{ sequence: 0, free: 0 },
      }),
    );
  }

  /**
   * Drops allocations of addresses that belong to others now. Those of pending addresses are kept until it is
   * known whose they are.
   */
  #dropLost(): void {
    const { ring, allocations } = this.state;
    const lost: Allocation[] = [];
    for (const allocation of allocations.all()) {
      const owner = ring?.at(allocation.address)?.record.owner;
      const isPending = this.pending.some((arc) => overlap(arc, spanOf(allocation)) !== undefined);
      if (owner === undefined || owner === this.self || isPending) continue;
      lost.push(allocation);
      this.#outbox.put({ kind: 'lost', allocation, to: owner });
    }
    if (lost.length === 0) return;
    this.setAllocations(allocations.without(lost.map(({ address }) => address)));
    this.#refreshed = this.state;
  }

  #tellMoves(ring: Ring): void {
    const moves = movesOf(this.self, this.#told, ring);
    this.#told = ring;
    if (moves.length > 0) this.#outbox.put({ kind: 'moved', moves });
  }

  #warn(peer: PeerId, error: ReturnType<typeof ringError.conflict>): void {
    this.#outbox.put({ kind: 'warning', error, peer });
  }
}
