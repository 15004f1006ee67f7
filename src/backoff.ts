const FACTOR = 1.5;

/** Exponential backoff with jitter: each delay is 1.5 times the one before, from `initial` to `max`, times a random factor from 0.5 to 1.5. */
export class Backoff {
  readonly #initial: number;
  readonly #max: number;
  readonly #random: () => number;
  #attempts = 0;

  /** `initial` and `max` are in milliseconds; `random` gives numbers from 0 to 1. */
  constructor(initial: number, max: number, random: () => number) {
    this.#initial = initial;
    this.#max = max;
    this.#random = random;
  }

  next(): number {
    const base = Math.min(this.#max, this.#initial * FACTOR ** this.#attempts);
    if (base < this.#max) this.#attempts += 1;
    return base * (0.5 + this.#random());
  }

  reset(): void {
    this.#attempts = 0;
  }
}
