import type { WeftError } from '../errors.js';
import type { PeerId } from '../identity/index.js';
import { Donors, type Request, RequestQueue } from './allocation/index.js';
import {
  type Allocation,
  Donation,
  Handover,
  Outbox,
  type Output,
  Ownership,
  type RingState,
  Takeover,
} from './ownership/index.js';
import {
  type Message,
  type OwnershipRecord,
  type RecordSigner,
  type Ring,
  type RingRecord,
  recordsIn,
  ringError,
  type Span,
} from './ring/index.js';
import { type RingView, ringView } from './view.js';

export interface AddressRingOptions {
  readonly signer: RecordSigner;
  /** The state that was saved last, or `emptyState`. */
  readonly state: RingState;
  /**
   * Whether the state is certainly the one that was saved last, and this router was absent for too short a
   * time to be removed. Otherwise it begins another incarnation, and what it owned is its own again once all
   * other participants have confirmed that.
   */
  readonly continued: boolean;
  /** Unix time in milliseconds. */
  readonly now: number;
  /** Gives numbers from 0 to 1. */
  readonly random: () => number;
  /** Whether messages reach this peer now. */
  readonly reachable: (peer: PeerId) => boolean;
  /** All peers that messages reach now, whether they participate in the ring or not. */
  readonly neighbours: () => Iterable<PeerId>;
  /** The name by which people know a peer. */
  readonly nameOf: (peer: PeerId) => string;
}

/** An allocation, and the families of it that are to be freed. */
export interface Release {
  readonly allocation: Allocation;
  readonly families: number;
}

/**
 * One router's part in the ring of addresses: what it owns, donates, takes over and allocates. Pure: no I/O,
 * no clock.
 *
 * The driver calls an input, then writes what `save` returns to the disk and calls `saved` (or `failed`),
 * then does what `outputs` returns. docs/protocol.md, section 12, proves that no address is ever allocated
 * twice.
 */
export class AddressRing {
  readonly #options: AddressRingOptions;
  readonly #outbox: Outbox<RingState>;
  readonly #ownership: Ownership;
  readonly #takeover: Takeover;
  readonly #donation: Donation;
  readonly #donors: Donors;
  readonly #queue: RequestQueue;
  #handover: Handover | undefined;

  constructor(options: AddressRingOptions) {
    const { state, continued, now, reachable } = options;
    this.#options = options;
    const restored = continued
      ? state
      : { ...state, incarnation: 0, unconfirmed: new Set<OwnershipRecord>() };
    this.#outbox = new Outbox<RingState>(restored);
    this.#ownership = new Ownership(options, this.#outbox, now);
    this.#takeover = new Takeover(this.#ownership, reachable);
    this.#donation = new Donation(this.#ownership, this.#takeover, () => this.#isLeaving);
    this.#donors = new Donors(reachable);
    this.#queue = new RequestQueue({
      outbox: this.#outbox,
      ownership: this.#ownership,
      takeover: this.#takeover,
      donors: this.#donors,
      reachable,
      nameOf: options.nameOf,
      hasLeft: () => this.#handover?.isDone === true,
    });
    this.#advance();
  }

  // --- What the driver does
  // ---------------------------------------------------------------------------------------

  /**
   * The state to write to the disk now, if there is a new one. Returns no other before `saved` or `failed` is
   * called.
   */
  save(): RingState | undefined {
    return this.#outbox.save();
  }

  saved(): void {
    this.#outbox.saved();
  }

  /**
   * The state could not be written: it is the one on the disk again, and requests that followed from it are
   * refused with this error.
   */
  failed(error: WeftError): void {
    const undone = this.#outbox.failed();
    this.#takeover.reset();
    this.#handover = undefined;
    this.#ownership.revert();
    for (const output of undone) {
      if (output.kind === 'settle') this.#outbox.put({ kind: 'settle', id: output.id, error });
    }
    for (const { id, kind } of this.#queue.requests) if (kind === 'leave') this.#queue.refuse(id, error);
  }

  outputs(): readonly Output[] {
    return this.#outbox.take();
  }

  /**
   * Whether something is to be done later, so that `tick` must be called from time to time (every second).
   */
  get isBusy(): boolean {
    return this.#queue.requests.length > 0 || this.#takeover.isBusy;
  }

  tick(now: number): void {
    this.#ownership.now = now;
    this.#donors.expire(now);
    this.#handover?.tick(now);
    this.#advance();
    this.#takeover.tick(now);
  }

  /** The ring as it is on the disk: what others may be told. */
  get ring(): Ring | undefined {
    return this.#outbox.durable.ring;
  }

  get founders(): readonly PeerId[] {
    return this.#outbox.state.founders;
  }

  // --- What others say
  // --------------------------------------------------------------------------------------------

  /**
   * Splits the range between the founders: the router that made the network, the seeds, or the elected ones.
   * The list must be the same on all routers. Does nothing if the list is known already. Throws
   * `ring-mismatch` if another list is known.
   */
  found(founders: readonly PeerId[]): void {
    const isNew = this.#outbox.state.ring === undefined;
    const { self } = this.#ownership;
    this.#ownership.learnFounders(founders);
    this.#ownership.refresh();
    const share = this.#ownership.pending.find(({ record }) => record.owner === self);
    if (isNew && share !== undefined) this.#ownership.claimShare(share);
    this.#advance();
  }

  /** Another router named the founders. Throws `ring-mismatch`. */
  learnFounders(founders: readonly PeerId[]): void {
    this.#ownership.learnFounders(founders);
  }

  /** Merges records whose signatures were checked, and returns those that were new. */
  merge(records: readonly RingRecord[], now: number): readonly RingRecord[] {
    this.#ownership.now = now;
    const news = this.#ownership.merge(records);
    this.#advance();
    return news;
  }

  /** Handles a message of another peer; the signatures of the records in it were checked. */
  receive(from: PeerId, message: Message, now: number): void {
    this.#ownership.now = now;
    if (this.#outbox.state.ring === undefined) return;
    this.#ownership.refresh();
    const records = recordsIn(message);
    if (this.#ownership.believable(records).length === records.length) this.#handle(from, message);
    this.#advance();
  }

  /** A peer can be reached again. */
  reached(peer: PeerId, now: number): void {
    this.#ownership.now = now;
    this.#donors.reached(peer);
    this.#advance();
    this.#takeover.reached(peer);
  }

  // --- What this router wants; each request is settled by an output with its id
  // ------------------------------------

  /**
   * Requests an address of the span for the owner; the one that it has there already, if any. `length` is the
   * subnet's prefix length.
   */
  allocate(id: number, owner: string, span: Span, length: number, families: number): void {
    this.#request({ kind: 'allocate', id, owner, span, length, families });
  }

  /** As `allocate`, but always one more. */
  allocateMore(id: number, owner: string, span: Span, length: number, families: number): void {
    this.#request({ kind: 'allocate', id, owner, span, length, families, isMore: true });
  }

  /** Requests one particular address for the owner. */
  claim(id: number, owner: string, address: number, length: number, families: number): void {
    const span = { start: address, end: address + 1 };
    this.#request({ kind: 'claim', id, owner, span, length, families });
  }

  /** Frees families of allocations. An allocation without any family left is gone. */
  release(id: number, releases: readonly Release[]): void {
    let { allocations } = this.#outbox.state;
    for (const { allocation, families } of releases) {
      const left = allocation.families & ~families;
      allocations =
        left === 0
          ? allocations.without([allocation.address])
          : allocations.with({ ...allocation, families: left });
    }
    if (releases.length > 0) this.#ownership.setAllocations(allocations);
    this.#queue.settle(id);
    this.#advance();
  }

  /** Settled once there is a ring. */
  prime(id: number): void {
    this.#request({ kind: 'prime', id });
  }

  /**
   * Takes back what this router owned in earlier incarnations although not all other participants have
   * confirmed. That is safe only if those that have not are dead, or were never granted any of it.
   */
  force(id: number): void {
    this.#ownership.refresh();
    this.#takeover.force();
    this.#queue.settle(id);
    this.#advance();
  }

  /**
   * Declares all known incarnations of a dead peer ended. This router takes over what the peer owned as soon
   * as all other participants have confirmed; the request is settled then. If another router removed the peer
   * before, that one takes over. Refused with `peer-alive`, and with `no-addresses` while no ring is known.
   */
  remove(id: number, peer: PeerId): void {
    this.#ownership.refresh();
    const refusal = this.#refusalToRemove(peer);
    if (refusal !== undefined) {
      this.#queue.refuse(id, refusal);
      return;
    }
    this.#ownership.endLatest(peer);
    this.#request({ kind: 'remove', id, peer });
  }

  /**
   * Hands everything over and leaves the ring for good. Settled once another router has it on its disk, or if
   * there is no other.
   */
  leave(id: number): void {
    for (const { id: other } of this.#queue.requests) this.#queue.refuse(other, ringError.leaving());
    this.#queue.add({ kind: 'leave', id });
    const { reachable, neighbours } = this.#options;
    const nextNonce = () => this.#donors.nextNonce();
    this.#handover = new Handover({ ownership: this.#ownership, reachable, neighbours, nextNonce });
    this.#advance();
  }

  /** Refuses a request that is not settled yet, with what it waits for as the reason. */
  cancel(id: number): void {
    if (this.#queue.cancel(id)?.kind === 'leave') this.#handover = undefined;
  }

  /** The allocations of an owner. */
  allocationsOf(owner: string): readonly Allocation[] {
    return this.#outbox.state.allocations.of(owner);
  }

  /** What a peer owns in its present incarnation, neighbouring arcs joined, in order. */
  arcsOf(peer: PeerId): readonly Span[] {
    return this.#ownership.state.ring?.arcsOf(peer) ?? [];
  }

  view(): RingView {
    this.#ownership.refresh();
    const { state, owned, pending, self } = this.#ownership;
    return ringView({
      ...{ state, owned, pending, self },
      waitingFor: this.#takeover.waitingFor,
      reachable: this.#options.reachable,
      requests: this.#queue.requests,
    });
  }

  #handle(from: PeerId, message: Message): void {
    switch (message.type) {
      case 'request':
        this.#donation.onRequest(from, message);
        break;
      case 'grant':
        this.#ownership.merge(message.records);
        this.#donors.onGrant(from, message.nonce);
        break;
      case 'denial':
        this.#ownership.merge(message.records);
        this.#donors.onDenial(from, message.nonce, message.reason);
        break;
      case 'confirm':
        this.#takeover.onConfirm(from, message);
        break;
      case 'confirmed':
        this.#takeover.onConfirmed(from, message);
        break;
      case 'mismatch':
        this.#takeover.onMismatch(from, message);
        break;
      case 'offer':
        this.#onOffer(from, message.nonce);
        break;
      case 'accept':
        this.#handover?.onAccept(from, message);
        break;
      case 'transfer':
        this.#ownership.adopt(message.records);
        this.#ownership.send(from, { type: 'receipt', nonce: message.nonce });
        break;
      case 'receipt':
        this.#handover?.onReceipt(from, message.nonce);
        break;
    }
  }

  #onOffer(from: PeerId, nonce: number): void {
    const { participant } = this.#ownership;
    if (participant === undefined || this.#isLeaving) return;
    this.#ownership.send(from, { type: 'accept', nonce, participant });
  }

  #refusalToRemove(peer: PeerId): WeftError | undefined {
    const { ring } = this.#outbox.state;
    const { reachable, nameOf } = this.#options;
    if (this.#isLeaving) return ringError.leaving();
    if (ring === undefined) return ringError.noRing();
    const isAlive = !ring.hasEnded(ring.latestIncarnation(peer)) && reachable(peer);
    return isAlive ? ringError.peerAlive(nameOf(peer)) : undefined;
  }

  /** Everything that may follow from an input. */
  #advance(): void {
    this.#ownership.refresh();
    this.#takeover.advance();
    this.#queue.serve();
    this.#ownership.announceFree();
  }

  #request(request: Request): void {
    if (this.#isLeaving) {
      this.#queue.refuse(request.id, ringError.leaving());
      return;
    }
    this.#queue.add(request);
    this.#advance();
  }

  get #isLeaving(): boolean {
    return this.#ownership.hasLeft || this.#handover !== undefined;
  }
}
