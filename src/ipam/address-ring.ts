import type { WeftError } from '../errors.js';
import type { PeerId } from '../identity/index.js';
import { Desk, type Request, Wants } from './allocation/index.js';
import {
  Departure,
  Domain,
  Outbox,
  type Output,
  type RingState,
  type Slot,
  seatFacts,
  spareBlock,
  Takeover,
} from './ownership/index.js';
import {
  type Deed,
  type Denial,
  type Fact,
  type Message,
  type Notary,
  overlap,
  type Ring,
  refusal,
  type Seat,
  type Span,
} from './ring/index.js';
import { type RingView, ringView } from './view.js';

export interface AddressRingOptions {
  readonly notary: Notary;
  /** As it was saved last, or `emptyState`. */
  readonly state: RingState;
  /**
   * The state is known to be the last that was saved, and this router was away for too short a time to be removed. Otherwise it begins
   * another life, and what it owned is its own again when all others have answered.
   */
  readonly continued: boolean;
  /** Unix time in milliseconds. */
  readonly now: number;
  /** Numbers from 0 to 1. */
  readonly random: () => number;
  /** Whether messages get to this peer now. */
  readonly reachable: (peer: PeerId) => boolean;
  /** All peers that messages get to now, whether they take part in the ring or not. */
  readonly neighbours: () => Iterable<PeerId>;
  /** How people call a peer. */
  readonly nameOf: (peer: PeerId) => string;
}

/** Facts about whose a span is, in a denial. */
const MAX_HINTS = 64;

/**
 * One router's part in the ring of addresses: what it owns, gives away, takes over and hands out. Pure: no I/O, no clock.
 *
 * Whoever drives it calls an input, then writes what `save` gives to the disk and says `saved` (or `failed`), then does what `outputs` gives.
 * Why no address is ever given out twice is written down in docs/protocol.md.
 */
export class AddressRing {
  readonly #options: AddressRingOptions;
  readonly #box: Outbox<RingState>;
  readonly #domain: Domain;
  readonly #takeover: Takeover;
  readonly #wants: Wants;
  readonly #desk: Desk;
  #departure: Departure | undefined;

  constructor(options: AddressRingOptions) {
    const { state, continued, now, reachable } = options;
    this.#options = options;
    const known = continued ? state : { ...state, life: 0, doubted: new Set<Deed>() };
    this.#box = new Outbox<RingState>(known);
    this.#domain = new Domain(options, this.#box, now);
    this.#takeover = new Takeover(this.#domain, reachable);
    this.#wants = new Wants(reachable);
    this.#desk = new Desk({
      box: this.#box,
      domain: this.#domain,
      takeover: this.#takeover,
      wants: this.#wants,
      reachable,
      nameOf: options.nameOf,
      hasLeft: () => this.#departure?.done === true,
    });
    this.#react();
  }

  // --- What the driver does ---------------------------------------------------------------------------------------

  /** The state to write to the disk now, if there is one. Until `saved` or `failed`, it gives nothing more. */
  save(): RingState | undefined {
    return this.#box.save();
  }

  saved(): void {
    this.#box.saved();
  }

  /** The state could not be written: all is again as it is on the disk, and what followed from the state is refused with this error. */
  failed(error: WeftError): void {
    const undone = this.#box.failed();
    this.#takeover.reset();
    this.#departure = undefined;
    this.#domain.revert();
    for (const output of undone) {
      if (output.kind === 'settle') this.#box.put({ kind: 'settle', id: output.id, error });
    }
    for (const { id, kind } of this.#desk.requests) if (kind === 'leave') this.#desk.refuse(id, error);
  }

  outputs(): readonly Output[] {
    return this.#box.take();
  }

  /** Something is to be done later, so that `tick` should be called from time to time (every second). */
  get busy(): boolean {
    return this.#desk.requests.length > 0 || this.#takeover.busy;
  }

  tick(now: number): void {
    this.#domain.now = now;
    this.#wants.expire(now);
    this.#departure?.tick(now);
    this.#react();
    this.#takeover.tick(now);
  }

  /** The ring as it is on the disk: what others may be told. */
  get ring(): Ring | undefined {
    return this.#box.durable.ring;
  }

  get founders(): readonly PeerId[] {
    return this.#box.state.founders;
  }

  // --- What others say --------------------------------------------------------------------------------------------

  /**
   * The range is split between these at first: the one who made the network, the seeds, those that were elected. The list must be the same
   * on all routers. Does nothing when it is known already. Throws `ring-mismatch` when another list is known.
   */
  found(founders: readonly PeerId[]): void {
    const isNew = this.#box.state.ring === undefined;
    this.#domain.learnFounders(founders);
    this.#domain.survey();
    const share = this.#domain.estate.claims.find(({ deed }) => deed.owner === this.#domain.self);
    if (isNew && share !== undefined) this.#domain.open(share);
    this.#react();
  }

  /** Somebody else knows the founders. Throws `ring-mismatch`. */
  learnFounders(founders: readonly PeerId[]): void {
    this.#domain.learnFounders(founders);
  }

  /** Takes in facts whose signatures were checked; gives back those that are news. */
  merge(facts: readonly Fact[], now: number): readonly Fact[] {
    this.#domain.now = now;
    const news = this.#domain.put(facts);
    this.#react();
    return news;
  }

  /** A message of another peer; the facts in it were checked. */
  receive(from: PeerId, message: Message, now: number): void {
    this.#domain.now = now;
    if (this.#box.state.ring === undefined) return;
    this.#domain.survey();
    switch (message.type) {
      case 'want':
        this.#onWant(from, message);
        break;
      case 'gift':
        this.#domain.put(message.facts);
        this.#wants.granted(from, message.nonce);
        break;
      case 'denied':
        this.#domain.put(message.facts);
        this.#wants.denied(from, message.nonce, message.why);
        break;
      case 'ask':
        this.#takeover.onAsk(from, message);
        break;
      case 'answer':
        this.#takeover.onAnswer(from, message);
        break;
      case 'differ':
        this.#takeover.onDiffer(from, message);
        break;
      case 'offer':
        this.#onOffer(from, message.nonce);
        break;
      case 'accept':
        this.#departure?.onAccept(from, message);
        break;
      case 'bequest':
        this.#domain.put(message.facts);
        this.#domain.send(from, { type: 'receipt', nonce: message.nonce });
        break;
      case 'receipt':
        this.#departure?.onReceipt(from, message.nonce);
        break;
    }
    this.#react();
  }

  /** A peer can be reached again. */
  reached(peer: PeerId, now: number): void {
    this.#domain.now = now;
    this.#wants.forgive(peer);
    this.#react();
    this.#takeover.reached(peer);
  }

  // --- What the router wants; each is settled by an output with its id --------------------------------------------

  /** An address of the span for the owner; the one it has there, if it has one. `length` is that of the subnet's prefix. */
  allocate(id: number, owner: string, span: Span, length: number, families: number): void {
    this.#begin({ kind: 'allocate', id, owner, span, length, families });
  }

  /** This very address for the owner. */
  claim(id: number, owner: string, address: number, length: number, families: number): void {
    const span = { start: address, end: address + 1 };
    this.#begin({ kind: 'claim', id, owner, span, length, families });
  }

  /** Frees what these slots stand for of these families. */
  release(id: number, freed: readonly { readonly slot: Slot; readonly families: number }[]): void {
    let { holdings } = this.#box.state;
    for (const { slot, families } of freed) {
      const left = slot.families & ~families;
      holdings = left === 0 ? holdings.without([slot.address]) : holdings.with({ ...slot, families: left });
    }
    if (freed.length > 0) this.#domain.hold(holdings);
    this.#desk.settle(id);
    this.#react();
  }

  /** Settled when there is a ring. */
  prime(id: number): void {
    this.#begin({ kind: 'prime', id });
  }

  /**
   * Takes back what this router owned in earlier lives although not all others have answered. That is only right when those that did not are
   * gone, or were never given any of it.
   */
  force(id: number): void {
    this.#domain.survey();
    this.#takeover.force();
    this.#desk.settle(id);
    this.#react();
  }

  /**
   * This peer is dead, for all its lives that are known: what it owned is taken over by this router as soon as all others have answered. Settled
   * then. Refused with `peer-alive`, and with `no-addresses` where no ring is known. Where somebody removed it before, that one takes over.
   */
  remove(id: number, peer: PeerId): void {
    this.#domain.survey();
    if (this.#isLeaving) {
      this.#desk.refuse(id, refusal.leaving());
      return;
    }
    const { ring } = this.#box.state;
    if (ring === undefined) {
      this.#desk.refuse(id, refusal.noRing());
      return;
    }
    const life = lastLife(ring, peer);
    const { reachable, nameOf } = this.#options;
    if (!ring.isGone({ peer, life })) {
      if (reachable(peer)) {
        this.#desk.refuse(id, refusal.alive(nameOf(peer)));
        return;
      }
      const isOwner = ring.segments.some(({ deed }) => deed.owner === peer);
      if (life > 0 || isOwner) this.#domain.close({ peer, life }, this.#domain.holder);
    }
    this.#begin({ kind: 'remove', id, peer });
  }

  /** Gives all away and leaves the ring for good. Settled when somebody else has it on its disk, or when there is nobody else. */
  leave(id: number): void {
    for (const { id: other } of this.#desk.requests) this.#desk.refuse(other, refusal.leaving());
    this.#desk.open({ kind: 'leave', id });
    const { reachable, neighbours } = this.#options;
    const nextNonce = () => this.#wants.nextNonce();
    this.#departure = new Departure({ domain: this.#domain, reachable, neighbours, nextNonce });
    this.#react();
  }

  /** The request is wanted no longer: it is refused with what it waited for, unless it is settled already. */
  cancel(id: number): void {
    if (this.#desk.cancel(id)?.kind === 'leave') this.#departure = undefined;
  }

  /** The addresses of an owner. */
  held(owner: string): readonly Slot[] {
    return this.#box.state.holdings.of(owner);
  }

  view(): RingView {
    this.#domain.survey();
    const { state, estate, self } = this.#domain;
    return ringView({
      state,
      estate,
      self,
      waitingFor: this.#takeover.waitingFor,
      reachable: this.#options.reachable,
      requests: this.#desk.requests,
    });
  }

  // --- Giving -----------------------------------------------------------------------------------------------------

  #onWant(from: PeerId, { nonce, span, seat }: Message & { type: 'want' }): void {
    const domain = this.#domain;
    domain.put([{ kind: 'seat', seat }]);
    const deny = (why: Denial, facts: readonly Fact[] = []) =>
      domain.send(from, { type: 'denied', nonce, why, facts });
    const { ring, holdings } = domain.state;
    const ours = domain.estate.mine.filter((segment) => overlap(segment, span) !== undefined);
    const block = spareBlock(holdings.gaps(ours, span));
    if (seat.peer !== from || ring?.isGone(seat) !== false) deny('not-now', seatFacts(domain));
    else if (this.#isLeaving) deny('not-now');
    else if (ours.length === 0) deny('not-mine', this.#takeover.evidence([span]).slice(0, MAX_HINTS));
    else if (block === undefined) deny(span.end - span.start === 1 ? 'used' : 'full');
    else this.#give(block, seat, nonce);
  }

  #give(block: Span, to: Seat, nonce: number): void {
    const deed = this.#domain.give(block, to);
    const { seat } = this.#domain;
    const facts: Fact[] = seat === undefined ? [] : [{ kind: 'seat', seat }];
    this.#domain.send(to.peer, { type: 'gift', nonce, facts: [...facts, { kind: 'deed', deed }] });
  }

  #onOffer(from: PeerId, nonce: number): void {
    const { seat } = this.#domain;
    if (seat !== undefined && !this.#isLeaving) this.#domain.send(from, { type: 'accept', nonce, seat });
  }

  // --- What follows -----------------------------------------------------------------------------------------------

  #react(): void {
    this.#domain.survey();
    this.#takeover.consider();
    this.#desk.serve();
    this.#domain.hintFree();
  }

  #begin(request: Request): void {
    if (this.#isLeaving) {
      this.#desk.refuse(request.id, refusal.leaving());
      return;
    }
    this.#desk.open(request);
    this.#react();
  }

  get #isLeaving(): boolean {
    return this.#domain.left || this.#departure !== undefined;
  }
}

/** The latest life of a peer that is known. */
function lastLife(ring: Ring, peer: PeerId): number {
  let life = ring.seats.get(peer)?.life ?? 0;
  for (const { heir, heirLife } of ring.seats.values()) if (heir === peer) life = Math.max(life, heirLife);
  for (const { deed } of ring.segments) {
    if (deed.owner === peer) life = Math.max(life, deed.ownerLife);
    if (deed.giver === peer) life = Math.max(life, deed.giverLife);
  }
  return life;
}
