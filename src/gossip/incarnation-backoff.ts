const FIRST = 1_000;
const LONGEST = 60_000;

/**
 * Keeps two copies of one identity from outdoing each other without end: each time is allowed only 1 s, then 2, 4 … 60 s after the one before.
 * Whoever was outdone by its own former run needs one turn or two. No clock.
 */
export class IncarnationBackoff {
  #wait = 0;
  #allowedAt = -Infinity;

  /** `now` in milliseconds, of any clock. */
  allows(now: number): boolean {
    const since = now - this.#allowedAt;
    if (since < this.#wait) return false;
    this.#wait = since > 2 * LONGEST ? FIRST : Math.min(LONGEST, 2 * this.#wait);
    this.#allowedAt = now;
    return true;
  }
}
