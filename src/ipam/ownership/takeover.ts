import type { PeerId } from '../../identity/index.js';
import {
  type Arc,
  type MessageOf,
  type OwnershipRecord,
  overlap,
  type RingRecord,
  type Span,
  type VersionedSpan,
} from '../ring/index.js';
import { ConfirmationRound } from './confirmation.js';
import type { Ownership } from './ownership.js';
import { isFuture } from './versions.js';

/** Time after which participants that have not confirmed are asked again, in milliseconds. */
const RETRY = 2_000;
/** Maximum number of participant records in a message. */
const MAX_TOLD = 4_096;

/**
 * Takes over addresses whose owner's incarnation has ended, which may be an earlier incarnation of this
 * router; and answers other routers that do so.
 */
export class Takeover {
  readonly #ownership: Ownership;
  readonly #reachable: (peer: PeerId) => boolean;
  #round: ConfirmationRound | undefined;
  #rounds = 0;
  /** Where the participant records begin that are told next. */
  #told = 0;

  constructor(ownership: Ownership, reachable: (peer: PeerId) => boolean) {
    this.#ownership = ownership;
    this.#reachable = reachable;
  }

  /** The participants whose confirmation is missing. */
  get waitingFor(): readonly PeerId[] {
    return this.#round === undefined ? [] : this.#missing(this.#round);
  }

  get isBusy(): boolean {
    return this.#round !== undefined;
  }

  /** Makes all confirmations void. */
  reset(): void {
    this.#round = undefined;
  }

  /** Asks for confirmation of what is pending, or takes it over once everybody has confirmed. */
  advance(): void {
    const { hasLeft, pending, participantsHash } = this.#ownership;
    if (pending.length === 0 || hasLeft) {
      this.#round = undefined;
      return;
    }
    const isCurrent = this.#round?.covers(participantsHash, pending) === true;
    const round = isCurrent && this.#round !== undefined ? this.#round : this.#begin();
    if (this.#missing(round).length > 0) return;
    this.#round = undefined;
    this.#acquire(pending);
  }

  /** Takes over what this router itself owned in earlier incarnations, whoever has confirmed. */
  force(): void {
    const { pending, self } = this.#ownership;
    this.#acquire(pending.filter(({ record }) => record.owner === self));
  }

  tick(now: number): void {
    if (this.#round !== undefined && this.#round.retryAt <= now) this.#askAll(this.#round);
  }

  reached(peer: PeerId): void {
    if (this.#round !== undefined && this.waitingFor.includes(peer)) this.#ask(this.#round, peer, []);
  }

  onConfirm(from: PeerId, { round, participantsHash, spans, records }: MessageOf<'confirm'>): void {
    const ownership = this.#ownership;
    if (spans.some(({ version }) => isFuture(version, ownership.now))) return;
    ownership.merge(records);
    if (participantsHash !== ownership.participantsHash) {
      ownership.send(from, { type: 'mismatch', round, records: this.#participantRecords() });
      return;
    }
    if (this.#isRival(spans)) {
      // One of the two must be first. The one that yields has to ask everybody anew, and among them the one
      // that is first.
      if (ownership.self < from) return;
      this.#begin();
    }
    this.#reaffirm(spans);
    ownership.send(from, { type: 'confirmed', round, participantsHash, records: this.evidence(spans) });
  }

  onConfirmed(from: PeerId, { round, participantsHash, records }: MessageOf<'confirmed'>): void {
    this.#ownership.merge(records);
    const isCurrent = round === this.#round?.round && participantsHash === this.#ownership.participantsHash;
    if (isCurrent) this.#round?.confirm(from);
  }

  onMismatch(from: PeerId, { round, records }: MessageOf<'mismatch'>): void {
    this.#ownership.merge(records);
    const { participantsHash, pending } = this.#ownership;
    if (this.#round?.round !== round || pending.length === 0) return;
    const current = this.#round.covers(participantsHash, pending) ? this.#round : this.#begin();
    this.#ask(current, from, this.#participantRecords());
  }

  /**
   * The ownership records in force in these spans, and those of owners whose participant records have not
   * arrived yet.
   */
  evidence(spans: readonly Span[]): OwnershipRecord[] {
    const { ring } = this.#ownership.state;
    const evidence = new Set<OwnershipRecord>();
    for (const arc of ring?.arcs ?? []) {
      const { record } = arc;
      if (record.version === 0) continue;
      const owner = ring?.participantRecords.get(record.owner);
      const isUnknown = (owner?.incarnation ?? 0) < record.ownerIncarnation;
      if (isUnknown || spans.some((span) => overlap(span, arc) !== undefined)) evidence.add(record);
    }
    return [...evidence];
  }

  #begin(): ConfirmationRound {
    const { participantsHash, pending, now } = this.#ownership;
    this.#rounds++;
    const round = new ConfirmationRound(this.#rounds, participantsHash, pending, now + RETRY);
    this.#round = round;
    this.#askAll(round);
    return round;
  }

  #missing(round: ConfirmationRound): PeerId[] {
    return round.missing(this.#ownership.state.ring?.participants ?? [], this.#ownership.self);
  }

  #askAll(round: ConfirmationRound): void {
    round.retryAt = this.#ownership.now + RETRY;
    for (const peer of this.#missing(round)) this.#ask(round, peer, []);
  }

  #ask(current: ConfirmationRound, peer: PeerId, records: readonly RingRecord[]): void {
    const { round, participantsHash, spans } = current;
    if (!this.#reachable(peer)) return;
    this.#ownership.send(peer, { type: 'confirm', round, participantsHash, spans, records });
  }

  /** Whether this router is about to take over some of the spans itself. */
  #isRival(spans: readonly Span[]): boolean {
    return this.#ownership.pending.some((arc) => spans.some((span) => overlap(arc, span) !== undefined));
  }

  /**
   * Where this router owns some of the spans, new records supersede those that the asking router believes to
   * be in force.
   */
  #reaffirm(spans: readonly VersionedSpan[]): void {
    const { owned } = this.#ownership;
    const outdated = spans.flatMap((span) =>
      owned.flatMap((arc) => {
        const shared = overlap(arc, span);
        const isOutdated = shared !== undefined && arc.record.version <= span.version;
        return isOutdated ? [{ ...shared, version: span.version }] : [];
      }),
    );
    this.#ownership.acquire(outdated);
  }

  #acquire(arcs: readonly Arc[]): void {
    this.#ownership.acquire(arcs.map(({ start, end, record }) => ({ start, end, version: record.version })));
  }

  /** As many as fit a message, from another place each time; gossip brings the rest. */
  #participantRecords(): RingRecord[] {
    const all = [...(this.#ownership.state.ring?.participantRecords.values() ?? [])];
    if (all.length <= MAX_TOLD) return all;
    this.#told = (this.#told + MAX_TOLD) % all.length;
    return [...all, ...all].slice(this.#told, this.#told + MAX_TOLD);
  }
}
