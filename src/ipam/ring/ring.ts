import type { PeerId } from '../../identity/index.js';
import { type Block, evenShares, type Span } from './range.js';
import { beatsDeed, beatsSeat, type Deed, type Fact, type Holder, NO_PROOF, type Seat } from './records.js';

/** Where one deed counts. */
export interface Segment extends Span {
  readonly deed: Deed;
}

/**
 * Who owns which addresses: for every address of the range the deed that counts, and for every peer the seat that counts.
 * Immutable. Putting facts in is commutative, associative and idempotent.
 */
export class Ring {
  /** In order, without gaps, over the whole range. */
  readonly segments: readonly Segment[];
  readonly seats: ReadonlyMap<PeerId, Seat>;
  #standing: string | undefined;
  #participants: ReadonlySet<PeerId> | undefined;

  private constructor(segments: readonly Segment[], seats: ReadonlyMap<PeerId, Seat>) {
    this.segments = segments;
    this.seats = seats;
  }

  /** The range evenly split over its founders (sorted, each once), who own their parts before anything was signed. */
  static founded(range: Block, founders: readonly PeerId[]): Ring {
    const shares = evenShares(range, founders.length);
    const segments = founders.map((owner, index) => {
      const span = shares[index] ?? range;
      const deed = { ...span, version: 0, owner, ownerLife: 0, giver: owner, giverLife: 0, proof: NO_PROOF };
      return { ...span, deed };
    });
    return new Ring(segments, new Map());
  }

  /** With this fact; the same ring when it is not news. Where `keeps` says so, the deed that is there stays. */
  put(fact: Fact, keeps: (segment: Segment, deed: Deed) => boolean = () => false): Ring {
    return fact.kind === 'seat' ? this.#putSeat(fact.seat) : this.#putDeed(fact.deed, keeps);
  }

  /** The facts that count, those that everybody has from the beginning left out. */
  *facts(): Iterable<Fact> {
    for (const seat of this.seats.values()) yield { kind: 'seat', seat };
    const told = new Set<Deed>();
    for (const { deed } of this.segments) {
      if (deed.version === 0 || told.has(deed)) continue;
      told.add(deed);
      yield { kind: 'deed', deed };
    }
  }

  /** The segments that the span touches. */
  within(span: Span): readonly Segment[] {
    const first = this.#indexOf(span.start);
    let end = first;
    while ((this.segments[end]?.start ?? Infinity) < span.end) end++;
    return this.segments.slice(first, end);
  }

  /** The segment that this address of the range is in. */
  at(address: number): Segment | undefined {
    return this.segments[this.#indexOf(address)];
  }

  /** This life of the peer is over: another began, or it left, or it was removed. */
  isGone({ peer, life }: Holder): boolean {
    const seat = this.seats.get(peer);
    return seat !== undefined && (seat.life > life || (seat.life === life && seat.gone));
  }

  /**
   * Everybody who takes part, as far as is known. Heirs do, whether their seats are known or not: they know whom those knew who are gone.
   */
  get participants(): ReadonlySet<PeerId> {
    this.#participants ??= this.#findParticipants();
    return this.#participants;
  }

  /** Who is to take over what lives of this peer that are over still own, or undefined. */
  successor(peer: PeerId): PeerId | undefined {
    const passed = new Set<PeerId>();
    let heir = peer;
    let heirLife = 0;
    while (!passed.has(heir)) {
      passed.add(heir);
      const seat = this.seats.get(heir);
      if (seat === undefined || !seat.gone || seat.life < heirLife) return heir;
      ({ heir, heirLife } = seat);
    }
    return undefined;
  }

  /** Two rings have the same only if they agree on who takes part, in which life, and who is gone: 16 hexadecimal digits. */
  get standing(): string {
    this.#standing ??= standingOf(this.seats.values());
    return this.#standing;
  }

  #findParticipants(): ReadonlySet<PeerId> {
    const open = new Set<PeerId>();
    const add = (peer: PeerId, life: number) => {
      if (life > 0 && !this.isGone({ peer, life })) open.add(peer);
    };
    for (const { peer, life, heir, heirLife } of this.seats.values()) {
      add(peer, life);
      add(heir, heirLife);
    }
    for (const { deed } of this.segments) {
      add(deed.owner, deed.ownerLife);
      add(deed.giver, deed.giverLife);
    }
    return open;
  }

  #putSeat(seat: Seat): Ring {
    const known = this.seats.get(seat.peer);
    if (known !== undefined && !beatsSeat(seat, known)) return this;
    const ring = new Ring(this.segments, new Map(this.seats).set(seat.peer, seat));
    if (known !== undefined && known.life === seat.life && known.gone === seat.gone) {
      ring.#standing = this.#standing;
    }
    return ring;
  }

  #putDeed(deed: Deed, keeps: (segment: Segment, deed: Deed) => boolean): Ring {
    const first = this.#indexOf(deed.start);
    const wins = (segment: Segment) => beatsDeed(deed, segment.deed) && !keeps(segment, deed);
    let end = first;
    let news = false;
    for (; end < this.segments.length; end++) {
      const segment = this.segments[end];
      if (segment === undefined || segment.start >= deed.end) break;
      news ||= wins(segment);
    }
    if (!news) return this;
    const segments = this.segments.slice(0, first);
    for (const segment of this.segments.slice(first, end)) {
      if (!wins(segment)) segments.push(segment);
      else place(segments, segment, deed);
    }
    const ring = new Ring(segments.concat(this.segments.slice(end)), this.seats);
    ring.#standing = this.#standing;
    return ring;
  }

  /** Of the segment that holds this address. */
  #indexOf(address: number): number {
    let low = 0;
    let high = this.segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.segments[middle]?.start ?? 0) <= address) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Appends the segment, with the deed in it as far as that reaches. */
function place(segments: Segment[], segment: Segment, deed: Deed): void {
  const { start, end } = segment;
  const from = Math.max(start, deed.start);
  const to = Math.min(end, deed.end);
  if (start < from) segments.push({ start, end: from, deed: segment.deed });
  const last = segments.at(-1);
  if (last?.deed === deed && last.end === from) segments[segments.length - 1] = { ...last, end: to };
  else segments.push({ start: from, end: to, deed });
  if (to < end) segments.push({ start: to, end, deed: segment.deed });
}

/** A sum of the seats' hashes, so that the order is of no matter. Not meant to resist anybody: every seat is signed. */
function standingOf(seats: Iterable<Seat>): string {
  let [high, low] = [0, 0];
  for (const { peer, life, gone } of seats) {
    const words = [
      Number.parseInt(peer.slice(0, 8), 16),
      Number.parseInt(peer.slice(8), 16),
      life % 2 ** 32,
      Math.floor(life / 2 ** 32),
      gone ? 1 : 0,
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
