import type { PeerId } from '../../identity/index.js';
import {
  type Deed,
  type Fact,
  type Holder,
  type Message,
  type Notary,
  overlap,
  Ring,
  refusal,
  type Seat,
  type Segment,
  type Span,
  sizeOf,
} from '../ring/index.js';
import type { Slot } from './allocations.js';
import type { Outbox, Output } from './outbox.js';
import { type Estate, estateOf, type RingState } from './state.js';

export interface DomainOptions {
  readonly notary: Notary;
  /** Numbers from 0 to 1. */
  readonly random: () => number;
  /** How people call a peer. */
  readonly nameOf: (peer: PeerId) => string;
}

/**
 * Lives, and the versions of what is taken over, are times in units of 1/1024 ms: they are later than all that nobody remembers, and no two are
 * the same. Where a clock is wrong, a version is by so much higher than all that is known, and by a random number below the spread.
 */
const UNITS_PER_MS = 1_024;
const LEAP = 1_000;
const LEAP_SPREAD = 2 ** 20;
/** Of a range that is so small that there are fewer addresses for each founder, the first ones get all. */
const MIN_SHARE = 2;
/** After so many milliseconds addresses that another router claims to own, too, are claimed again. */
const CONFLICT_PAUSE = 60_000;

/** What a router knows of the ring and owns of it, and how that changes: by facts of others, and by its own. */
export class Domain {
  readonly self: PeerId;
  /** Unix time in milliseconds, as told last. */
  now: number;
  readonly #options: DomainOptions;
  readonly #box: Outbox<RingState>;
  #estate: Estate = { mine: [], claims: [] };
  /** The state that the estate follows from. */
  #surveyed: RingState | undefined;
  #left: boolean;
  /** Deeds of others for what is ours, seen while facts were put in. */
  #intrusions: { readonly segment: Segment; readonly deed: Deed }[] = [];
  readonly #conflicts = new Map<PeerId, number>();

  constructor(options: DomainOptions, box: Outbox<RingState>, now: number) {
    this.#options = options;
    this.self = options.notary.peer;
    this.#box = box;
    this.now = now;
    this.#left = false;
  }

  get state(): RingState {
    return this.#box.state;
  }

  /** This router has left the ring for good: nothing is its own any more. */
  get left(): boolean {
    return this.#left;
  }

  /** What is ours, and what we are to take over. */
  get estate(): Estate {
    return this.#estate;
  }

  get seat(): Seat | undefined {
    return this.state.ring?.seats.get(this.self);
  }

  get standing(): string {
    return this.state.ring?.standing ?? '';
  }

  /** All is as it was when it was written last. */
  revert(): void {
    const { ring, life } = this.state;
    this.#left &&= life !== 0 && ring?.isGone({ peer: this.self, life }) === true;
  }

  /** Somebody else knows between whom the range was split at first. Throws `ring-mismatch`. */
  learnFounders(founders: readonly PeerId[]): void {
    const { state } = this;
    const most = (state.range.end - state.range.start) / MIN_SHARE;
    const sorted = [...new Set(founders)].sort().slice(0, most);
    if (state.ring === undefined) {
      this.#box.set({ ...state, founders: sorted, ring: Ring.founded(state.range, sorted) }, true);
    } else if (String(state.founders) !== String(sorted)) {
      throw refusal.founders(state.founders, sorted);
    }
  }

  /** Takes in facts; gives back those that are news. */
  put(facts: readonly Fact[]): Fact[] {
    const before = this.state;
    if (before.ring === undefined) return [];
    let ring: Ring = before.ring;
    let { doubted } = before;
    const news: Fact[] = [];
    let essential = false;
    for (const fact of facts) {
      const known: Ring = ring;
      ring = known.put(fact, this.#keeps);
      if (ring === known) continue;
      news.push(fact);
      essential ||= fact.kind === 'deed' || ring.standing !== known.standing;
      if (fact.kind === 'deed' && this.#isDoubtful(fact.deed, ring))
        doubted = new Set(doubted).add(fact.deed);
    }
    if (news.length > 0) this.#box.set({ ...before, ring, doubted }, essential);
    this.#answerIntrusions();
    this.survey();
    return news;
  }

  /** Makes addresses that are ours another's. */
  give(span: Span, owner: Holder): Deed {
    let version = 0;
    for (const { deed } of this.state.ring?.within(span) ?? []) version = Math.max(version, deed.version);
    const deed = this.#sign(span, version + 1, owner);
    this.survey();
    return deed;
  }

  /** Our part of a range that is split for the first time. */
  open(share: Span): void {
    this.#sign(share, 1, this.holder);
    this.survey();
  }

  /** Makes addresses ours that nobody alive owns, or says again that they are, with a version that counts before these. */
  take(segments: readonly (Span & { readonly version: number })[]): void {
    let run: { start: number; end: number; version: number } | undefined;
    for (const { start, end, version } of segments) {
      if (run?.end === start) {
        run = { start: run.start, end, version: Math.max(run.version, version) };
      } else {
        if (run !== undefined) this.#sign(run, this.#outdoing(run.version), this.holder);
        run = { start, end, version };
      }
    }
    if (run !== undefined) this.#sign(run, this.#outdoing(run.version), this.holder);
    this.survey();
  }

  /** A peer takes part no longer: another one, or (when the heir is another one) this router. */
  close({ peer, life }: Holder, heir: Holder): Seat {
    const inherits = { heir: heir.peer, heirLife: heir.life };
    const content = { peer, life, gone: true, ...inherits, sequence: 0, free: 0 };
    const seat = this.#options.notary.seat(content);
    if (peer === this.self) this.#left = true;
    this.#publish({ kind: 'seat', seat });
    this.survey();
    return seat;
  }

  /** This router goes without anything to give away. */
  end(): void {
    this.#left = true;
  }

  /** Notes who has which addresses. */
  hold(holdings: RingState['holdings']): void {
    this.#box.set({ ...this.state, holdings }, true);
  }

  send(to: PeerId, message: Message): void {
    this.#box.put({ kind: 'send', to, message });
  }

  output(output: Output): void {
    this.#box.put(output);
  }

  /** Finds out what is ours. Whoever knows the ring takes part; when somebody ended this life, in another. */
  survey(): void {
    const { state } = this;
    if (this.#surveyed === state || state.ring === undefined) return;
    const isOver = state.life === 0 || state.ring.isGone({ peer: this.self, life: state.life });
    if (isOver && !this.#left) {
      this.#beginLife();
      this.survey();
      return;
    }
    const before = this.#surveyed;
    this.#surveyed = state;
    const isSame =
      before?.ring === state.ring && before.life === state.life && before.doubted === state.doubted;
    if (isSame) return;
    this.#estate = estateOf(state, this.self);
    this.#dropLost();
  }

  /** Tells how much is free here when that is something else than others believe: more than twice as much, or less than half. */
  hintFree(): void {
    const { seat, state } = this;
    if (seat === undefined || seat.life !== state.life || seat.gone) return;
    const free = Math.max(0, sizeOf(this.#estate.mine) - state.holdings.size);
    const isNear = (free === 0) === (seat.free === 0) && free <= 2 * seat.free && 2 * free >= seat.free;
    if (isNear) return;
    const { proof: _proof, signer: _signer, ...content } = seat;
    const fresh = this.#options.notary.seat({ ...content, sequence: seat.sequence + 1, free });
    this.#publish({ kind: 'seat', seat: fresh });
    this.survey();
  }

  /** A version that counts before this one and before all that were forgotten. */
  #outdoing(version: number): number {
    const leap = LEAP + Math.floor(this.#options.random() * LEAP_SPREAD);
    return Math.max(version + leap, Math.floor(this.now) * UNITS_PER_MS);
  }

  /** This router in its life. */
  get holder(): Holder {
    return { peer: this.self, life: this.state.life };
  }

  /** What is ours stays ours, unless we gave it away; and what changes hands is signed by whose it was. */
  readonly #keeps = (segment: Segment, deed: Deed): boolean => {
    const { life, doubted } = this.state;
    const { owner, ownerLife } = segment.deed;
    const isAlive = life !== 0 && !this.#left;
    const isOurs = owner === this.self && ownerLife === life && !doubted.has(segment.deed);
    if (isAlive && isOurs && !(deed.giver === this.self && deed.giverLife === life)) {
      this.#intrusions.push({ segment, deed });
      return true;
    }
    if (deed.version !== segment.deed.version + 1 || deed.giver === owner) return false;
    const { nameOf } = this.#options;
    this.#warn(deed.giver, refusal.stolen(nameOf(deed.giver), nameOf(owner)));
    return true;
  };

  /** It makes something ours, but who gave it was gone when it came. */
  #isDoubtful({ owner, ownerLife, giver, giverLife }: Deed, ring: Ring): boolean {
    const isOurs = owner === this.self && ownerLife === this.state.life;
    return isOurs && ring.isGone({ peer: giver, life: giverLife });
  }

  /** Who else claims what is ours knows nothing of how it came to us: we say so, with a version that counts. */
  #answerIntrusions(): void {
    const intrusions = this.#intrusions;
    if (intrusions.length === 0) return;
    this.#intrusions = [];
    for (const { segment, deed } of intrusions) {
      const shared = overlap(segment, deed);
      if (shared === undefined || this.#isContested(deed)) continue;
      this.#sign(shared, this.#outdoing(deed.version), this.holder);
    }
  }

  /** A router that takes part believes that it owns what is ours. That never happens unless one was forced, or lies. */
  #isContested({ owner, ownerLife }: Deed): boolean {
    const { ring } = this.state;
    if (owner === this.self || ring?.isGone({ peer: owner, life: ownerLife }) !== false) return false;
    const last = this.#conflicts.get(owner);
    if (last !== undefined && this.now - last < CONFLICT_PAUSE) return true;
    this.#conflicts.set(owner, this.now);
    this.#warn(owner, refusal.conflict(this.#options.nameOf(owner)));
    return false;
  }

  #sign({ start, end }: Span, version: number, { peer: owner, life: ownerLife }: Holder): Deed {
    const content = { start, end, version, owner, ownerLife, giverLife: this.state.life };
    const deed = this.#options.notary.deed(content);
    this.#publish({ kind: 'deed', deed });
    return deed;
  }

  #publish(fact: Fact): void {
    const { state } = this;
    if (state.ring === undefined) return;
    this.#box.set({ ...state, ring: state.ring.put(fact) }, true);
    this.#box.put({ kind: 'announce', facts: [fact] });
  }

  /** This router takes part anew: nothing is its own any more but what others give it, or all others confirm. */
  #beginLife(): void {
    const { state, self } = this;
    const { notary, random } = this.#options;
    const time = Math.floor(this.now) * UNITS_PER_MS;
    const former = Math.max(this.seat?.life ?? 0, state.life, time);
    const life = former + 1 + Math.floor(random() * UNITS_PER_MS);
    this.#box.set({ ...state, life, doubted: new Set() }, true);
    const content = { peer: self, life, gone: false, heir: self, heirLife: life, sequence: 0, free: 0 };
    this.#publish({ kind: 'seat', seat: notary.seat(content) });
  }

  /** Addresses in use here that belong to others now. What may be ours again is kept until that is known. */
  #dropLost(): void {
    const { ring, holdings } = this.state;
    const lost: Slot[] = [];
    for (const slot of holdings.all()) {
      const owner = ring?.at(slot.address)?.deed.owner;
      const isClaimed = this.#estate.claims.some((claim) => overlap(claim, spanOf(slot)) !== undefined);
      if (owner === undefined || owner === this.self || isClaimed) continue;
      lost.push(slot);
      this.#box.put({ kind: 'lost', slot, to: owner });
    }
    if (lost.length === 0) return;
    this.hold(holdings.without(lost.map(({ address }) => address)));
    this.#surveyed = this.state;
  }

  #warn(peer: PeerId, error: ReturnType<typeof refusal.conflict>): void {
    this.#box.put({ kind: 'warning', error, peer });
  }
}

function spanOf({ address }: Slot): Span {
  return { start: address, end: address + 1 };
}
