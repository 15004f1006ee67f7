/** What decides about a TCP connection for data. */
export interface StreamFacts {
  /** The peer answers directly over UDP. */
  readonly udp: boolean;
  /** A relay carries packets, and costs less than TCP would. */
  readonly relayed: boolean;
  /** There is such a connection. */
  readonly stream: boolean;
}

/** How long UDP may be silent before TCP is tried, in milliseconds: by the end that begins, and by the other, should that fail. */
const SILENCE_FIRST = 1_000;
const SILENCE_SECOND = 4_000;
/** How long UDP must work before TCP is given up. */
const STEADY = 10_000;
/** Between attempts: first and last. */
const RETRY_FIRST = 5_000;
const RETRY_LAST = 60_000;

/**
 * Decides when a TCP connection to one peer is made and when it is given up. No I/O, no clock: times are milliseconds of whatever
 * monotonic clock the caller uses.
 */
export class StreamChoice {
  readonly #silence: number;
  #silentSince: number | undefined;
  #worksSince: number | undefined;
  #attempts = 0;
  #nextAttempt = -Infinity;

  /** `first`: this end begins; the other waits whether that succeeds. */
  constructor(first: boolean) {
    this.#silence = first ? SILENCE_FIRST : SILENCE_SECOND;
  }

  /** What is to be done now, and when to ask again at the latest. */
  next(
    { udp, relayed, stream }: StreamFacts,
    now: number,
  ): { what: 'open' | 'close' | 'wait'; again: number } {
    this.#worksSince = udp ? (this.#worksSince ?? now) : undefined;
    this.#silentSince = udp || relayed || stream ? undefined : (this.#silentSince ?? now);
    if (this.#worksSince !== undefined) {
      this.#attempts = 0;
      if (!stream) return { what: 'wait', again: Infinity };
      const end = this.#worksSince + STEADY;
      return now >= end ? { what: 'close', again: Infinity } : { what: 'wait', again: end };
    }
    if (this.#silentSince === undefined) return { what: 'wait', again: Infinity };
    const begin = Math.max(this.#silentSince + this.#silence, this.#nextAttempt);
    if (now < begin) return { what: 'wait', again: begin };
    this.#nextAttempt = now + Math.min(RETRY_LAST, RETRY_FIRST * 2 ** this.#attempts);
    this.#attempts += 1;
    return { what: 'open', again: this.#nextAttempt };
  }
}
