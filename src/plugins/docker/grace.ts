/** Of what nobody has (any more): since when. Docker asks for things one after the other, so each is left alone for a while. */
export class Grace {
  readonly #period: number;
  readonly #now: () => number;
  readonly #since = new Map<string, number>();

  /** `period`: in the unit of the clock `now`. */
  constructor(period: number, now: () => number) {
    this.#period = period;
    this.#now = now;
  }

  /** Somebody is about to have it. */
  renew(key: string): void {
    this.#since.set(key, this.#now());
  }

  forget(key: string): void {
    this.#since.delete(key);
  }

  /** Those of these, which nobody has, whose time is over; that of one that is new begins now. */
  over(keys: Iterable<string>): string[] {
    const idle = new Set(keys);
    for (const [key, since] of this.#since)
      if (!idle.has(key) && this.#isOver(since)) this.#since.delete(key);
    return [...idle].filter((key) => {
      const since = this.#since.get(key);
      if (since === undefined) this.renew(key);
      return since !== undefined && this.#isOver(since);
    });
  }

  #isOver(since: number): boolean {
    return this.#now() - since >= this.#period;
  }
}
