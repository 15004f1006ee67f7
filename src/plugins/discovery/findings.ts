/**
 * The targets of one source, by its snapshots so far. One is forgotten when it was missing in whole snapshots for the time of grace
 * and the source works; neither a failure nor an empty snapshot says that anything is gone.
 */
export class Findings {
  readonly #grace: number;
  readonly #limit: number;
  /** Since when each is missing. */
  readonly #missing = new Map<string, number | undefined>();
  #works = false;

  /** `grace` is in the unit of the times that are given to the other methods; `limit` is the most targets that are kept. */
  constructor(grace: number, limit: number) {
    this.#grace = grace;
    this.#limit = limit;
  }

  /** Gives the number of targets for which there was no room. */
  accept(targets: ReadonlySet<string>, whole: boolean, now: number): number {
    this.#works = whole && targets.size > 0;
    if (this.#works) {
      for (const [target, since] of this.#missing)
        if (!targets.has(target)) this.#missing.set(target, since ?? now);
      this.forget(now);
    }
    let surplus = 0;
    for (const target of targets) {
      if (this.#missing.has(target) || this.#missing.size < this.#limit) this.#missing.set(target, undefined);
      else surplus += 1;
    }
    return surplus;
  }

  /** The source does not answer. */
  fail(): void {
    this.#works = false;
  }

  /** Forgets those whose time of grace is over. */
  forget(now: number): void {
    if (!this.#works) return;
    for (const [target, since] of this.#missing)
      if (since !== undefined && now - since >= this.#grace) this.#missing.delete(target);
  }

  has(target: string): boolean {
    return this.#missing.has(target);
  }

  get targets(): string[] {
    return [...this.#missing.keys()];
  }
}
