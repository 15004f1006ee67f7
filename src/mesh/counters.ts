import type { WeftError } from '../errors.js';

/** Errors that only a person can end. They are told again after so many milliseconds. */
const FOR_PEOPLE = new Set(['identity-cloned', 'revoked', 'old-secret']);
const FOR_PEOPLE_INTERVAL = 600_000;
const INTERVAL = 1_000;

export function needsPerson({ code }: WeftError): boolean {
  return FOR_PEOPLE.has(code);
}

/** Counts by reason, and says which of them are worth a line: at most one a second and code, fewer of some. */
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
    const interval = needsPerson(error) ? FOR_PEOPLE_INTERVAL : INTERVAL;
    if (last !== undefined && now - last < interval) return false;
    this.#lastTold.set(error.code, now);
    return true;
  }

  all(): Readonly<Record<string, number>> {
    return { ...this.#counts };
  }
}
