import type { PeerId } from '../../identity/index.js';
import { type Block, evenShares, type Span } from './range.js';
import {
  type OwnershipRecord,
  type ParticipantRecord,
  type PeerIncarnation,
  type RingRecord,
  supersedesOwnership,
  supersedesParticipant,
  UNSIGNED,
} from './records.js';

/**
 * Maximum number of peers that are known to participate or to have participated: anybody can declare peers ended that never were. Those
 * that come later are not known here.
 */
const MAX_PARTICIPANTS = 16_384;

/** A contiguous part of the ring in which one ownership record is in force. */
export interface Arc extends Span {
  readonly record: OwnershipRecord;
}

/** Whether the record that is in force in an arc stays in force although another one supersedes it. */
export type Keeps = (arc: Arc, record: OwnershipRecord) => boolean;

/**
 * Who owns which addresses: for every address of the range the ownership record in force, and for every peer
 * its participant record. Immutable. A CRDT: adding records is commutative, associative and idempotent.
 */
export class Ring {
  /** In ascending order, without gaps, over the whole range. */
  readonly arcs: readonly Arc[];
  readonly participantRecords: ReadonlyMap<PeerId, ParticipantRecord>;
  #participantsHash: string | undefined;
  #participants: ReadonlySet<PeerId> | undefined;

  private constructor(arcs: readonly Arc[], participantRecords: ReadonlyMap<PeerId, ParticipantRecord>) {
    this.arcs = arcs;
    this.participantRecords = participantRecords;
  }

  /**
   * The range split evenly between its founders (sorted, each once), who own their shares before anything is
   * signed.
   */
  static founded(range: Block, founders: readonly PeerId[]): Ring {
    const shares = evenShares(range, founders.length);
    const arcs = founders.map((owner, index) => {
      const span = shares[index] ?? range;
      return { ...span, record: foundersRecord(span, owner) };
    });
    return new Ring(arcs, new Map());
  }

  /** This ring with a record added; the same object when the record changes nothing. */
  put(record: RingRecord, keeps: Keeps = () => false): Ring {
    return record.kind === 'participant' ? this.#putParticipant(record) : this.#putOwnership(record, keeps);
  }

  /** The records in force, except those that follow from the founders and are known to everybody. */
  *records(): Iterable<RingRecord> {
    yield* this.participantRecords.values();
    const told = new Set<OwnershipRecord>();
    for (const { record } of this.arcs) {
      if (record.version === 0 || told.has(record)) continue;
      told.add(record);
      yield record;
    }
  }

  /** The arcs that the span touches. */
  within(span: Span): readonly Arc[] {
    const first = this.#indexOf(span.start);
    let end = first;
    while ((this.arcs[end]?.start ?? Infinity) < span.end) end++;
    return this.arcs.slice(first, end);
  }

  /** The arc that contains this address of the range. */
  at(address: number): Arc | undefined {
    return this.arcs[this.#indexOf(address)];
  }

  /** What a peer owns in its present incarnation, neighbouring arcs joined, in order. */
  arcsOf(peer: PeerId): readonly Span[] {
    const joined: Span[] = [];
    for (const { record, start, end } of this.arcs) {
      const { owner, ownerIncarnation: incarnation } = record;
      if (owner !== peer || this.hasEnded({ peer, incarnation })) continue;
      const last = joined.at(-1);
      if (last?.end === start) joined[joined.length - 1] = { start: last.start, end };
      else joined.push({ start, end });
    }
    return joined;
  }

  /** Whether this incarnation is over: another one began, or the peer left, or it was removed. */
  hasEnded({ peer, incarnation }: PeerIncarnation): boolean {
    const record = this.participantRecords.get(peer);
    if (record === undefined) return false;
    return record.incarnation > incarnation || (record.incarnation === incarnation && record.ended);
  }

  /** The latest incarnation of a peer that any record names; incarnation 0 if none does. */
  latestIncarnation(peer: PeerId): PeerIncarnation {
    let latest = this.participantRecords.get(peer)?.incarnation ?? 0;
    const see = (who: PeerId, incarnation: number) => {
      if (who === peer) latest = Math.max(latest, incarnation);
    };
    for (const { successor, successorIncarnation } of this.participantRecords.values()) {
      see(successor, successorIncarnation);
    }
    for (const { record } of this.arcs) {
      see(record.owner, record.ownerIncarnation);
      see(record.signer, record.signerIncarnation);
    }
    return { peer, incarnation: latest };
  }

  /**
   * All peers that participate, as far as any record tells. Successors do, even before their own records
   * arrive: they know whom the ended incarnations knew.
   */
  get participants(): ReadonlySet<PeerId> {
    this.#participants ??= this.#findParticipants();
    return this.#participants;
  }

  /** The peer that is to take over what ended incarnations of this peer still own, or undefined. */
  successorOf(peer: PeerId): PeerId | undefined {
    const passed = new Set<PeerId>();
    let successor = peer;
    let incarnation = 0;
    while (!passed.has(successor)) {
      passed.add(successor);
      const record = this.participantRecords.get(successor);
      if (record === undefined || !record.ended || record.incarnation < incarnation) return successor;
      ({ successor, successorIncarnation: incarnation } = record);
    }
    return undefined;
  }

  /**
   * 16 hexadecimal digits. Equal only if two rings agree which peers participate, in which incarnation, and
   * which have ended.
   */
  get participantsHash(): string {
    this.#participantsHash ??= hashOf(this.participantRecords.values());
    return this.#participantsHash;
  }

  #findParticipants(): ReadonlySet<PeerId> {
    const participants = new Set<PeerId>();
    const see = (peer: PeerId, incarnation: number) => {
      if (incarnation > 0 && !this.hasEnded({ peer, incarnation })) participants.add(peer);
    };
    for (const { peer, incarnation, successor, successorIncarnation } of this.participantRecords.values()) {
      see(peer, incarnation);
      see(successor, successorIncarnation);
    }
    for (const { record } of this.arcs) {
      see(record.owner, record.ownerIncarnation);
      see(record.signer, record.signerIncarnation);
    }
    return participants;
  }

  #putParticipant(record: ParticipantRecord): Ring {
    const known = this.participantRecords.get(record.peer);
    if (known !== undefined && !supersedesParticipant(record, known)) return this;
    if (known === undefined && this.participantRecords.size >= MAX_PARTICIPANTS) return this;
    const ring = new Ring(this.arcs, new Map(this.participantRecords).set(record.peer, record));
    if (known?.incarnation === record.incarnation && known.ended === record.ended) {
      ring.#participantsHash = this.#participantsHash;
    }
    return ring;
  }

  #putOwnership(record: OwnershipRecord, keeps: Keeps): Ring {
    const first = this.#indexOf(record.start);
    const wins = (arc: Arc) => supersedesOwnership(record, arc.record) && !keeps(arc, record);
    let end = first;
    let isNew = false;
    for (; end < this.arcs.length; end++) {
      const arc = this.arcs[end];
      if (arc === undefined || arc.start >= record.end) break;
      isNew ||= wins(arc);
    }
    if (!isNew) return this;
    const arcs = this.arcs.slice(0, first);
    for (const arc of this.arcs.slice(first, end)) {
      if (!wins(arc)) arcs.push(arc);
      else place(arcs, arc, record);
    }
    const ring = new Ring(arcs.concat(this.arcs.slice(end)), this.participantRecords);
    ring.#participantsHash = this.#participantsHash;
    return ring;
  }

  /** The index of the arc that contains this address. */
  #indexOf(address: number): number {
    let low = 0;
    let high = this.arcs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.arcs[middle]?.start ?? 0) <= address) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function foundersRecord(span: Span, owner: PeerId): OwnershipRecord {
  return {
    ...{ kind: 'ownership', ...span, version: 0, owner, ownerIncarnation: 0 },
    ...{ signer: owner, signerIncarnation: 0, signature: UNSIGNED },
  };
}

/** Appends the arc, with the record in force as far as it reaches. */
function place(arcs: Arc[], arc: Arc, record: OwnershipRecord): void {
  const { start, end } = arc;
  const from = Math.max(start, record.start);
  const to = Math.min(end, record.end);
  if (start < from) arcs.push({ start, end: from, record: arc.record });
  const last = arcs.at(-1);
  if (last?.record === record && last.end === from) arcs[arcs.length - 1] = { ...last, end: to };
  else arcs.push({ start: from, end: to, record });
  if (to < end) arcs.push({ start: to, end, record: arc.record });
}

/**
 * A sum of hashes, so that the order does not matter. It need not resist an attacker: every record is signed.
 */
function hashOf(records: Iterable<ParticipantRecord>): string {
  let [high, low] = [0, 0];
  for (const { peer, incarnation, ended } of records) {
    const words = [
      Number.parseInt(peer.slice(0, 8), 16),
      Number.parseInt(peer.slice(8), 16),
      incarnation % 2 ** 32,
      Math.floor(incarnation / 2 ** 32),
      ended ? 1 : 0,
    ];
    high = (high + words.reduce(mix, 0x9e3779b9)) >>> 0;
    low = (low + words.reduce(mix, 0x85ebca6b)) >>> 0;
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

function mix(state: number, word: number): number {
  let mixed = Math.imul(state ^ word, 0xcc9e2d51);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x1b873593);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
