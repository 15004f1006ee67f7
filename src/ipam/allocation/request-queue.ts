import type { WeftError } from '../../errors.js';
import type { PeerId } from '../../identity/index.js';
import type { Allocation, Outbox, Ownership, RingState, Takeover } from '../ownership/index.js';
import { overlap, ringError, type Span } from '../ring/index.js';
import type { Donors } from './donors.js';
import type { AddressRequest, Request } from './requests.js';

export interface RequestQueueOptions {
  readonly outbox: Outbox<RingState>;
  readonly ownership: Ownership;
  readonly takeover: Takeover;
  readonly donors: Donors;
  readonly reachable: (peer: PeerId) => boolean;
  readonly nameOf: (peer: PeerId) => string;
  /** Whether everything was handed over. */
  readonly hasLeft: () => boolean;
}

/** Time after which a donor that has not answered is passed over, in milliseconds. */
const DONOR_PATIENCE = 2_000;

/** What this router wants of the ring. Each request is settled or refused once, by an output with its id. */
export class RequestQueue {
  readonly #options: RequestQueueOptions;
  readonly #outbox: Outbox<RingState>;
  readonly #ownership: Ownership;
  readonly #requests = new Map<number, Request>();

  constructor(options: RequestQueueOptions) {
    this.#options = options;
    this.#outbox = options.outbox;
    this.#ownership = options.ownership;
  }

  /** The requests that wait. */
  get requests(): readonly Request[] {
    return [...this.#requests.values()];
  }

  /** Adds a request; the next `serve` settles it if it can be settled. */
  add(request: Request): void {
    this.#requests.set(request.id, request);
  }

  /** Settles the requests that can be settled now, and asks donors for missing addresses. */
  serve(): void {
    for (const request of this.#requests.values()) this.#serve(request);
  }

  /** Refuses a waiting request, with what it waits for as the reason, and returns it. */
  cancel(id: number): Request | undefined {
    const request = this.#requests.get(id);
    if (request !== undefined) this.refuse(id, this.#reasonFor(request));
    return request;
  }

  settle(id: number, allocation?: Allocation): void {
    this.#requests.delete(id);
    this.#outbox.put({ kind: 'settle', id, allocation });
  }

  refuse(id: number, error: WeftError): void {
    this.#requests.delete(id);
    this.#outbox.put({ kind: 'settle', id, error });
  }

  #serve(request: Request): void {
    switch (request.kind) {
      case 'allocate':
        this.#serveAllocate(request);
        break;
      case 'claim':
        this.#serveClaim(request);
        break;
      case 'prime':
        if (this.#outbox.state.ring !== undefined) this.settle(request.id);
        break;
      case 'remove':
        if (!this.#ownsAnything(request.peer)) this.settle(request.id);
        break;
      case 'leave':
        if (this.#options.hasLeft()) this.settle(request.id);
        break;
    }
  }

  #serveAllocate(request: AddressRequest): void {
    const { id, owner, span, length, families, isMore = false } = request;
    const { allocations } = this.#outbox.state;
    const held = isMore ? undefined : allocations.of(owner).find(({ address }) => contains(span, address));
    if (held !== undefined && this.#isOwned(held.address)) {
      this.#assign(id, { ...held, families: held.families | families });
      return;
    }
    if (held !== undefined && !this.#isTakeoverStuck) return;
    const address = allocations.lowestFree(this.#ownership.owned, span);
    if (address === undefined) {
      this.#askDonor(request);
      return;
    }
    if (held !== undefined) {
      this.#ownership.setAllocations(allocations.without([held.address]));
      this.#outbox.put({ kind: 'lost', allocation: held, to: this.#ownership.self });
    }
    this.#assign(id, { owner, address, length, families });
  }

  #serveClaim(request: AddressRequest): void {
    const { id, owner, span, length, families } = request;
    const address = span.start;
    const held = this.#outbox.state.allocations.at(address);
    if (held !== undefined && held.owner !== owner) this.refuse(id, ringError.used(address, held.owner));
    else if (!this.#isOwned(address)) this.#askDonor(request);
    else this.#assign(id, { owner, address, length, families: families | (held?.families ?? 0) });
  }

  #assign(id: number, allocation: Allocation): void {
    const { allocations } = this.#outbox.state;
    const { owner, address, length, families } = allocation;
    const held = allocations.at(address);
    const isSame = held?.owner === owner && held.families === families && held.length === length;
    if (!isSame) this.#ownership.setAllocations(allocations.with(allocation));
    this.settle(id, allocation);
  }

  /** Asks the next donor, or refuses the request when no owner has a free address. */
  #askDonor(request: AddressRequest): void {
    const { ring } = this.#outbox.state;
    if (ring === undefined) return;
    const { self, pending, now, participant } = this.#ownership;
    const { id, span } = request;
    const isPending = pending.some((arc) => overlap(arc, span) !== undefined);
    const choice = this.#options.donors.choose(span, ring, self, now + DONOR_PATIENCE, isPending);
    if (choice.kind === 'ask' && participant !== undefined) {
      const { donor, nonce } = choice;
      this.#ownership.send(donor, { type: 'request', nonce, span, participant });
    }
    if (choice.kind !== 'exhausted') return;
    const isOneAddress = span.end - span.start === 1;
    const user = this.#options.nameOf(choice.owner ?? self);
    this.refuse(id, isOneAddress ? ringError.used(span.start, user) : ringError.noSpace(span));
  }

  #isOwned(address: number): boolean {
    return this.#ownership.owned.some((arc) => contains(arc, address));
  }

  /**
   * Whether pending addresses will not be this router's soon, because a participant that must confirm cannot
   * be reached.
   */
  get #isTakeoverStuck(): boolean {
    const { takeover, reachable } = this.#options;
    return takeover.waitingFor.some((peer) => !reachable(peer));
  }

  /** Whether ended incarnations of the peer still own addresses. */
  #ownsAnything(peer: PeerId): boolean {
    const { ring } = this.#outbox.state;
    if (ring === undefined) return false;
    return ring.arcs.some(
      ({ record }) => record.owner === peer && ring.hasEnded({ peer, incarnation: record.ownerIncarnation }),
    );
  }

  #reasonFor(request: Request): WeftError {
    const { nameOf, reachable, takeover } = this.#options;
    const { ring } = this.#outbox.state;
    const { pending, self } = this.#ownership;
    const missing = takeover.waitingFor.map(nameOf);
    if (ring === undefined || request.kind === 'prime') return ringError.noRing();
    if (request.kind === 'remove') return ringError.notTakenOver(nameOf(request.peer), missing);
    if (request.kind === 'leave') return ringError.noSuccessor();
    const isPending = pending.some((arc) => overlap(arc, request.span) !== undefined);
    if (isPending && missing.length > 0) return ringError.unconfirmed(missing);
    const owners = new Set(ring.within(request.span).map(({ record }) => record.owner));
    owners.delete(self);
    const unreachable = [...owners].filter((peer) => !reachable(peer));
    if (owners.size === 0) return ringError.notGranted();
    const cause = unreachable.length > 0 ? 'unreachable' : 'silent';
    const named = (unreachable.length > 0 ? unreachable : [...owners]).map((peer) => ({
      peer,
      name: nameOf(peer),
    }));
    return ringError.absent(named, request.span, this.#outbox.state.range, cause);
  }
}

function contains({ start, end }: Span, address: number): boolean {
  return address >= start && address < end;
}
