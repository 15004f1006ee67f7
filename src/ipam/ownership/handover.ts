import type { PeerId } from '../../identity/index.js';
import type { Message, MessageOf, ParticipantRecord, RingRecord } from '../ring/index.js';
import type { Ownership } from './ownership.js';

/** Time after which a successor that has not answered is asked again, in milliseconds. */
const RETRY = 2_000;

interface Progress {
  /**
   * The successor was asked; it was sent all addresses; it was told that this router's incarnation has ended.
   */
  readonly stage: 'offered' | 'transferred' | 'ended';
  readonly successor: PeerId;
  /** The participant record with which the successor accepted. */
  readonly participant?: ParticipantRecord;
  readonly nonce: number;
  /** What the successor was sent last. */
  readonly message: Message;
  readonly retryAt: number;
}

export interface HandoverOptions {
  readonly ownership: Ownership;
  readonly reachable: (peer: PeerId) => boolean;
  /** All peers that can be reached now. */
  readonly neighbours: () => Iterable<PeerId>;
  readonly nextNonce: () => number;
}

/**
 * Leaves the ring for good: finds a successor that can be reached, hands everything over to it, and is done
 * when the successor has both the addresses and the end of this router's incarnation on its disk. The
 * addresses go first, because nothing is accepted from an incarnation that has ended.
 *
 * A successor whose own incarnation ends meanwhile has left, or was removed, and answers no more: another one takes its
 * place. What it was granted is then its successor's to take over.
 */
export class Handover {
  readonly #options: HandoverOptions;
  readonly #ownership: Ownership;
  readonly #tried = new Set<PeerId>();
  #progress: Progress | undefined;
  #isDone = false;

  constructor(options: HandoverOptions) {
    this.#options = options;
    this.#ownership = options.ownership;
    this.#seekSuccessor();
  }

  /** Whether another router has everything, or there is no other router. */
  get isDone(): boolean {
    return this.#isDone;
  }

  tick(now: number): void {
    const progress = this.#progress;
    if (this.#isDone) return;
    if (progress === undefined || this.#isLost(progress)) this.#seekSuccessor();
    else if (progress.retryAt <= now) this.#send(progress);
  }

  onAccept(from: PeerId, { nonce, participant }: MessageOf<'accept'>): void {
    const progress = this.#progress;
    if (progress?.stage !== 'offered' || progress.nonce !== nonce || progress.successor !== from) return;
    this.#ownership.merge([participant]);
    const hasEnded = this.#ownership.state.ring?.hasEnded(participant);
    if (participant.peer === from && hasEnded === false) this.#transferOwned(participant);
  }

  onReceipt(from: PeerId, nonce: number): void {
    const progress = this.#progress;
    if (progress?.nonce !== nonce || progress.successor !== from) return;
    if (progress.participant !== undefined && progress.stage === 'transferred')
      this.#end(progress.participant);
    else if (progress.stage === 'ended') this.#isDone = true;
  }

  /** Whether the successor will not answer. Once it was sent anything, only the end of its incarnation tells. */
  #isLost({ successor, participant }: Progress): boolean {
    if (participant === undefined) return !this.#options.reachable(successor);
    return this.#ownership.state.ring?.hasEnded(participant) === true;
  }

  /**
   * Offers everything to the next reachable peer: the one with most free addresses first, those that do not
   * participate last.
   */
  #seekSuccessor(): void {
    const { self, state } = this.#ownership;
    const free = (peer: PeerId) => state.ring?.participantRecords.get(peer)?.free ?? -1;
    const [successor] = [...this.#options.neighbours()]
      .filter((peer) => peer !== self && !this.#tried.has(peer))
      .sort((a, b) => free(b) - free(a) || (a < b ? -1 : 1));
    this.#progress = undefined;
    const isAlone = [...(state.ring?.participants ?? [])].every((peer) => peer === self);
    if (state.ring === undefined || (successor === undefined && isAlone)) this.#leave();
    else if (successor === undefined) this.#tried.clear();
    else if (this.#ownership.hasLeft) this.#tell(successor);
    else this.#offer(successor);
  }

  /** This router's incarnation has ended, and its successor's as well: whoever goes on must know of both. */
  #tell(peer: PeerId): void {
    this.#tried.add(peer);
    const { self, state } = this.#ownership;
    const participant = state.ring?.participantRecords.get(peer);
    if (participant === undefined || participant.ended) return;
    const granted = state.ring?.arcs.flatMap(({ record }) => (record.signer === self ? [record] : [])) ?? [];
    const known = state.ring?.participantRecords.values() ?? [];
    this.#transfer('ended', participant, [...known, ...new Set(granted)]);
  }

  #offer(successor: PeerId): void {
    this.#tried.add(successor);
    const nonce = this.#options.nextNonce();
    this.#send({ stage: 'offered', successor, nonce, message: { type: 'offer', nonce }, retryAt: 0 });
  }

  #transferOwned(to: ParticipantRecord): void {
    const granted = this.#ownership.owned.map((arc) => this.#ownership.grant(arc, to));
    const known = this.#ownership.state.ring?.participantRecords.values() ?? [];
    this.#transfer('transferred', to, [...known, ...granted]);
  }

  #end(successor: ParticipantRecord): void {
    const record = this.#ownership.end(this.#ownership.incarnation, successor);
    this.#transfer('ended', successor, [record]);
  }

  #transfer(stage: Progress['stage'], participant: ParticipantRecord, records: readonly RingRecord[]): void {
    const nonce = this.#options.nextNonce();
    const message = { type: 'transfer', nonce, records } as const;
    this.#send({ stage, successor: participant.peer, participant, nonce, message, retryAt: 0 });
  }

  #send(progress: Progress): void {
    this.#progress = { ...progress, retryAt: this.#ownership.now + RETRY };
    this.#ownership.send(progress.successor, progress.message);
  }

  #leave(): void {
    this.#ownership.leave();
    this.#isDone = true;
  }
}
