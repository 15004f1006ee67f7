import type { Ping } from './messages.js';

export interface LivenessOptions {
  /** Both in milliseconds. */
  readonly pingInterval: number;
  readonly linkTimeout: number;
  readonly send: (ping: Ping) => void;
  /** Nothing came from the other end for the whole of `linkTimeout`. */
  readonly onTimeout: () => void;
}

/** Finds out whether the other end of a link is alive, and how far away it is, by pings (docs/protocol.md 3.5). */
export class Liveness {
  readonly #options: LivenessOptions;
  readonly #pings = new Map<number, { readonly sentAt: number; readonly answered: () => void }>();
  #rtt: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastHeard = 0;
  #nextId = 0;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  /** The round-trip time in milliseconds, smoothed as in RFC 6298; undefined before the first answer. */
  get rtt(): number | undefined {
    return this.#rtt;
  }

  start(): void {
    this.#timer = setInterval(() => this.#onTimer(), this.#options.pingInterval);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Something came from the other end. */
  heard(): void {
    this.#lastHeard = performance.now();
  }

  /** Pings the other end; `answered` is called at most once. */
  ping(answered: () => void = () => {}): void {
    const id = this.#nextId++;
    this.#pings.set(id, { sentAt: performance.now(), answered });
    this.#options.send({ answer: 0, id });
  }

  /** Handles a ping, or the answer to one. */
  receive({ answer, id }: Ping): void {
    if (answer === 0) {
      this.#options.send({ answer: 1, id });
      return;
    }
    const ping = this.#pings.get(id);
    if (ping === undefined) return;
    this.#pings.delete(id);
    const sample = performance.now() - ping.sentAt;
    this.#rtt = this.#rtt === undefined ? sample : this.#rtt + (sample - this.#rtt) / 8;
    ping.answered();
  }

  #onTimer(): void {
    if (performance.now() - this.#lastHeard > this.#options.linkTimeout) this.#options.onTimeout();
    else this.ping();
  }
}
