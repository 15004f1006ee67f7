import type { WeftError } from '../errors.js';

/** Counts by reason, and says which of them are worth a line: at most one a second and code. */
export class Counters {
  readonly #counts: Record<string, number> = {};
  readonly #lastTold = new Map<string, number>();
  readonly #now: () => number;

  /** `now` gives milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  add(code: string): void {
    this.#counts[code] = (this.#counts[code] ?? 0) + 1;
  }

  /** Counts an error; true when it should also be told. */
  tell(error: WeftError): boolean {
    this.add(error.code);
    const now = this.#now();
    const last = this.#lastTold.get(error.code);
    if (last !== undefined && now - last < 1000) return false;
    this.#lastTold.set(error.code, now);
    return true;
  }

  all(): Readonly<Record<string, number>> {
    return { ...this.#counts };
  }
}
