import type { WeftError } from '../errors.js';
import type { PeerId } from '../identity/index.js';
import type { Domain } from './domain.js';
import type { Slot } from './holdings.js';
import type { Outbox } from './ownership/index.js';
import { overlap, type Span } from './ring/index.js';
import { refusal } from './refusals.js';
import type { AddressRequest, Request } from './requests.js';
import type { RingState } from './ownership/index.js';
import type { Takeover } from './ownership/index.js';
import type { Wants } from './wants.js';

export interface DeskOptions {
  readonly box: Outbox<RingState>;
  readonly domain: Domain;
  readonly takeover: Takeover;
  readonly wants: Wants;
  readonly reachable: (peer: PeerId) => boolean;
  readonly nameOf: (peer: PeerId) => string;
  /** All was given away. */
  readonly hasLeft: () => boolean;
}

/** Whoever was asked for addresses and has not answered after so many milliseconds is passed over. */
const PATIENCE = 2_000;

/** What this router wants of the ring: open requests, each of which is settled or refused once, by an output with its id. */
export class Desk {
  readonly #options: DeskOptions;
  readonly #box: Outbox<RingState>;
  readonly #domain: Domain;
  readonly #takeover: Takeover;
  readonly #requests = new Map<number, Request>();

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#box = options.box;
    this.#domain = options.domain;
    this.#takeover = options.takeover;
  }

  get requests(): readonly Request[] {
    return [...this.#requests.values()];
  }

  /** Opens a request; the next `serve` looks whether it can be settled. */
  open(request: Request): void {
    this.#requests.set(request.id, request);
  }

  /** Settles what can be settled now, and asks others for what is missing. */
  serve(): void {
    for (const request of this.#requests.values()) this.#serve(request);
  }

  /** Refuses an open request with what it waits for, and gives it. */
  cancel(id: number): Request | undefined {
    const request = this.#requests.get(id);
    if (request !== undefined) this.refuse(id, this.#reasonFor(request));
    return request;
  }

  settle(id: number, slot?: Slot): void {
    this.#requests.delete(id);
    this.#box.put({ kind: 'settle', id, slot });
  }

  refuse(id: number, error: WeftError): void {
    this.#requests.delete(id);
    this.#box.put({ kind: 'settle', id, error });
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
        if (this.#box.state.ring !== undefined) this.settle(request.id);
        break;
      case 'remove':
        if (!this.#hasEstate(request.peer)) this.settle(request.id);
        break;
      case 'leave':
        if (this.#options.hasLeft()) this.settle(request.id);
        break;
    }
  }

  #serveAllocate(request: AddressRequest): void {
    const { id, owner, span, length, families } = request;
    const { holdings } = this.#box.state;
    const held = holdings.of(owner).find(({ address }) => isIn(address, span));
    const isOurs = held !== undefined && this.#isOurs(held.address);
    if (held !== undefined && isOurs) {
      this.#assign(id, { ...held, families: held.families | families });
      return;
    }
    if (held !== undefined && !this.#isStuck) return;
    const address = holdings.lowestFree(this.#domain.estate.mine, span);
    if (address === undefined) {
      this.#want(request);
      return;
    }
    if (held !== undefined) {
      this.#domain.hold(holdings.without([held.address]));
      this.#box.put({ kind: 'lost', slot: held, to: this.#domain.self });
    }
    this.#assign(id, { owner, address, length, families });
  }

  #serveClaim(request: AddressRequest): void {
    const { id, owner, span, length, families } = request;
    const address = span.start;
    const held = this.#box.state.holdings.at(address);
    if (held !== undefined && held.owner !== owner) this.refuse(id, refusal.used(address, held.owner));
    else if (!this.#isOurs(address)) this.#want(request);
    else this.#assign(id, { owner, address, length, families: families | (held?.families ?? 0) });
  }

  #assign(id: number, slot: Slot): void {
    const { holdings } = this.#box.state;
    const held = holdings.at(slot.address);
    const isSame =
      held?.owner === slot.owner && held.families === slot.families && held.length === slot.length;
    if (!isSame) this.#domain.hold(holdings.with(slot));
    this.settle(id, slot);
  }

  /** Asks the next who may give, or finds that nobody can. */
  #want(request: AddressRequest): void {
    const { ring } = this.#box.state;
    if (ring === undefined) return;
    const { self, estate, now, seat } = this.#domain;
    const { id, span } = request;
    const wish = this.#options.wants.wish(span, ring, self, now + PATIENCE);
    if (wish.kind === 'ask' && seat !== undefined) {
      this.#domain.send(wish.peer, { type: 'want', nonce: wish.nonce, span, seat });
    }
    const isPending = estate.claims.some((claim) => overlap(claim, span) !== undefined);
    if (wish.kind !== 'exhausted' || isPending) return;
    const isOne = span.end - span.start === 1;
    const user = this.#options.nameOf(wish.peer ?? self);
    this.refuse(id, isOne ? refusal.used(span.start, user) : refusal.noSpace(span));
  }

  #isOurs(address: number): boolean {
    return this.#domain.estate.mine.some((segment) => isIn(address, segment));
  }

  /** What we are to take over will not be ours soon: somebody does not answer. */
  get #isStuck(): boolean {
    return this.#takeover.waitingFor.some((peer) => !this.#options.reachable(peer));
  }

  #hasEstate(peer: PeerId): boolean {
    const { ring } = this.#box.state;
    if (ring === undefined) return false;
    return ring.segments.some(
      ({ deed }) => deed.owner === peer && ring.isGone({ peer, life: deed.ownerLife }),
    );
  }

  #reasonFor(request: Request): WeftError {
    const { nameOf, reachable } = this.#options;
    const { ring } = this.#box.state;
    const { estate, self } = this.#domain;
    const missing = this.#takeover.waitingFor.map(nameOf);
    if (ring === undefined || request.kind === 'prime') return refusal.noRing();
    if (request.kind === 'remove') return refusal.unanswered(nameOf(request.peer), missing);
    if (request.kind === 'leave') return refusal.noHeir();
    const isDoubt = estate.claims.some((claim) => overlap(claim, request.span) !== undefined);
    if (isDoubt && missing.length > 0) return refusal.doubt(missing);
    const owners = new Set(ring.within(request.span).map(({ deed }) => deed.owner));
    owners.delete(self);
    const silent = [...owners].filter((peer) => !reachable(peer));
    if (silent.length === 0) return refusal.waited([...owners].map(nameOf));
    const named = silent.map((peer) => ({ peer, name: nameOf(peer) }));
    return refusal.absent(named, request.span, this.#box.state.range);
  }
}

function isIn(address: number, { start, end }: Span): boolean {
  return address >= start && address < end;
}
