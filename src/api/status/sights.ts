import type { Clock } from '../../clock.js';
import type { Observation, Observe } from './observation.js';

/** Between the beginnings of two looks, in milliseconds: however often somebody asks, the router looks no more often. */
const PAUSE = 250;

/** One look at the router, and the texts that were made of it. */
export class Sight {
  readonly #texts = new Map<string, Promise<string>>();

  constructor(readonly seen: Observation) {}

  /** Each text is made once, for all who want it. */
  text(format: string, make: (seen: Observation) => Promise<string>): Promise<string> {
    const text = this.#texts.get(format) ?? make(this.seen);
    this.#texts.set(format, text);
    return text;
  }
}

/**
 * Looks at the router when somebody asks, and at no other time. Who asks gets a look that began after the question; those who
 * ask while one is due share it.
 */
export class Sights {
  readonly #observe: Observe;
  readonly #clock: Clock;
  #last: Promise<unknown> = Promise.resolve();
  #next: Promise<Sight> | undefined;
  #began = Number.NEGATIVE_INFINITY;

  constructor(observe: Observe, clock: Clock) {
    this.#observe = observe;
    this.#clock = clock;
  }

  now(): Promise<Sight> {
    this.#next ??= this.#look();
    return this.#next;
  }

  async #look(): Promise<Sight> {
    await this.#last;
    const rest = this.#began + PAUSE - this.#clock.now();
    if (rest > 0) await new Promise<void>((resolve) => this.#clock.after(rest, resolve));
    this.#next = undefined;
    this.#began = this.#clock.now();
    const looking = this.#observe();
    this.#last = looking.catch(() => {}); // who asked is told
    return new Sight(await looking);
  }
}
