import type { PeerId } from '../../identity/index.js';
import type { Fact, Message, Seat } from '../ring/index.js';
import type { Domain } from './ownership.js';
import { seatFacts } from './takeover.js';

/** Who has not answered is asked again after so many milliseconds. */
const RETRY = 2_000;

/** How far it has come. */
interface Progress {
  /** The heir was asked; it was given all; it was told that this router is gone. */
  readonly stage: 'offered' | 'given' | 'closed';
  readonly heir: PeerId;
  /** As it accepted. */
  readonly seat?: Seat;
  readonly nonce: number;
  /** What the heir was sent last. */
  readonly message: Message;
  readonly askAgainAt: number;
}

export interface DepartureOptions {
  readonly domain: Domain;
  readonly reachable: (peer: PeerId) => boolean;
  /** All peers that messages get to now. */
  readonly neighbours: () => Iterable<PeerId>;
  readonly nextNonce: () => number;
}

/**
 * Leaves the ring for good: finds an heir that is there, gives it all, and is gone when the heir has both on its disk.
 * First the deeds and then the end, since nothing is taken from who is gone already.
 */
export class Departure {
  readonly #options: DepartureOptions;
  readonly #domain: Domain;
  readonly #tried = new Set<PeerId>();
  #progress: Progress | undefined;
  #done = false;

  constructor(options: DepartureOptions) {
    this.#options = options;
    this.#domain = options.domain;
    this.#seekHeir();
  }

  /** Somebody else has it all, or there is nobody else. */
  get done(): boolean {
    return this.#done;
  }

  tick(now: number): void {
    const progress = this.#progress;
    if (this.#done) return;
    const isLost = progress?.stage === 'offered' && !this.#options.reachable(progress.heir);
    if (progress === undefined || isLost) this.#seekHeir();
    else if (progress.askAgainAt <= now) this.#send(progress);
  }

  onAccept(from: PeerId, { nonce, seat }: Message & { type: 'accept' }): void {
    const progress = this.#progress;
    if (progress?.stage !== 'offered' || progress.nonce !== nonce || progress.heir !== from) return;
    this.#domain.put([{ kind: 'seat', seat }]);
    if (seat.peer === from && this.#domain.state.ring?.isGone(seat) === false) this.#give(seat);
  }

  onReceipt(from: PeerId, nonce: number): void {
    const progress = this.#progress;
    if (progress?.nonce !== nonce || progress.heir !== from) return;
    if (progress.seat !== undefined && progress.stage === 'given') this.#close(progress.seat);
    else if (progress.stage === 'closed') this.#done = true;
  }

  /** Offers it all to the next who can be reached: who has most free first, who does not take part last. */
  #seekHeir(): void {
    const { self, state } = this.#domain;
    const free = (peer: PeerId) => state.ring?.seats.get(peer)?.free ?? -1;
    const [heir] = [...this.#options.neighbours()]
      .filter((peer) => peer !== self && !this.#tried.has(peer))
      .sort((a, b) => free(b) - free(a) || (a < b ? -1 : 1));
    this.#progress = undefined;
    const isAlone = [...(state.ring?.participants ?? [])].every((peer) => peer === self);
    if (state.ring === undefined || (heir === undefined && isAlone)) this.#end();
    else if (heir === undefined) this.#tried.clear();
    else this.#offer(heir);
  }

  #offer(heir: PeerId): void {
    this.#tried.add(heir);
    const nonce = this.#options.nextNonce();
    this.#send({ stage: 'offered', heir, nonce, message: { type: 'offer', nonce }, askAgainAt: 0 });
  }

  #give(seat: Seat): void {
    const { estate } = this.#domain;
    const deeds = estate.mine.map((segment) => this.#domain.give(segment, seat));
    const given: Fact[] = deeds.map((deed) => ({ kind: 'deed', deed }));
    this.#bequeath('given', seat, [...seatFacts(this.#domain), ...given]);
  }

  #close(heir: Seat): void {
    const seat = this.#domain.close(this.#domain.holder, heir);
    this.#bequeath('closed', heir, [{ kind: 'seat', seat }]);
  }

  #bequeath(stage: Progress['stage'], seat: Seat, facts: readonly Fact[]): void {
    const nonce = this.#options.nextNonce();
    const message = { type: 'bequest', nonce, facts } as const;
    this.#send({ stage, heir: seat.peer, seat, nonce, message, askAgainAt: 0 });
  }

  #send(progress: Progress): void {
    this.#progress = { ...progress, askAgainAt: this.#domain.now + RETRY };
    this.#domain.send(progress.heir, progress.message);
  }

  #end(): void {
    this.#domain.end();
    this.#done = true;
  }
}
