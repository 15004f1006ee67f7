/** In milliseconds. */
const INITIAL = 1_000;
const MAX = 60_000;

/**
 * Exponential backoff for new incarnations, so that two clones of one identity do not supersede each other without end: a new one is allowed
 * only 1 s, then 2, 4 … 60 s after the one before. A router that is superseded by its own former run needs one or two. No clock.
 */
export class IncarnationBackoff {
  #wait = 0;
  #allowedAt = -Infinity;

  /** `now` in milliseconds, of any clock. */
  allows(now: number): boolean {
    const since = now - this.#allowedAt;
    if (since < this.#wait) return false;
    this.#wait = since > 2 * MAX ? INITIAL : Math.min(MAX, 2 * this.#wait);
    this.#allowedAt = now;
    return true;
  }
}
