import type { WeftError } from '../errors.js';

/** Errors that last until a person does something about them. */
const FOR_PEOPLE = new Set(['identity-cloned', 'revoked', 'old-secret']);
/** The shortest time between two reports of one error, in milliseconds. */
const FOR_PEOPLE_INTERVAL = 600_000;
const INTERVAL = 1_000;

export function needsPerson({ code }: WeftError): boolean {
  return FOR_PEOPLE.has(code);
}

/** Counts errors by code, and limits how often each is reported: at most once a second, and those for people less often. */
export class Counters {
  readonly #counts: Record<string, number> = {};
  readonly #lastReported = new Map<string, number>();
  readonly #now: () => number;

  /** `now` gives milliseconds of any clock. */
  constructor(now: () => number) {
    this.#now = now;
  }

  add(code: string): void {
    this.#counts[code] = (this.#counts[code] ?? 0) + 1;
  }

  /** Counts an error; true when it is to be reported, too. */
  report(error: WeftError): boolean {
    this.add(error.code);
    const now = this.#now();
    const last = this.#lastReported.get(error.code);
    const interval = needsPerson(error) ? FOR_PEOPLE_INTERVAL : INTERVAL;
    if (last !== undefined && now - last < interval) return false;
    this.#lastReported.set(error.code, now);
    return true;
  }

  all(): Readonly<Record<string, number>> {
    return { ...this.#counts };
  }
}
