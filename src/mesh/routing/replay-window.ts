/** How far a message may be overtaken by later ones of its source. */
const WINDOW = 256;

/** The number of a routed message: its source's incarnation, and a count within that. */
export interface MessageNumber {
  readonly incarnation: number;
  readonly count: number;
}

/** Admits each routed message of one source once: an anti-replay window in the manner of RFC 4303. */
export class ReplayWindow {
  #incarnation = -1;
  #highest = -1;
  readonly #seen = new Set<number>();

  /** False for a message that was seen, or that is too old to tell. */
  admit({ incarnation, count }: MessageNumber): boolean {
    if (incarnation < this.#incarnation) return false;
    if (incarnation > this.#incarnation) {
      this.#incarnation = incarnation;
      this.#highest = -1;
      this.#seen.clear();
    }
    if (count <= this.#highest - WINDOW || this.#seen.has(count)) return false;
    this.#seen.add(count);
    this.#highest = Math.max(this.#highest, count);
    if (this.#seen.size > 2 * WINDOW) {
      for (const old of this.#seen) if (old <= this.#highest - WINDOW) this.#seen.delete(old);
    }
    return true;
  }
}
