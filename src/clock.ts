/** Time as the state machines of the mesh know it: real in a router, virtual in the simulator. */
export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  now(): number;
  /** Calls the task once, after so many milliseconds, never before. The returned function calls it off. */
  after(delay: number, task: () => void): () => void;
}

/** Real time, until it is stopped. */
export class SystemClock implements Clock {
  readonly #timers = new Set<NodeJS.Timeout>();

  now(): number {
    return performance.now();
  }

  after(delay: number, task: () => void): () => void {
    // Node counts in whole milliseconds, and may be early by as much.
    const whole = Math.ceil(delay) + 1;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      task();
    }, whole);
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }

  /** Calls everything off. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
