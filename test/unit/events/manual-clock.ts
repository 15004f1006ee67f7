import type { Clock } from '../../../src/clock.js';

/** Time that passes when a test says so. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #tasks = new Map<() => void, number>();

  now(): number {
    return this.#now;
  }

  after(delay: number, task: () => void): () => void {
    this.#tasks.set(task, this.#now + delay);
    return () => this.#tasks.delete(task);
  }

  pass(time: number): void {
    this.#now += time;
    for (const [task, at] of [...this.#tasks]) {
      if (at > this.#now) continue;
      this.#tasks.delete(task);
      task();
    }
  }
}
