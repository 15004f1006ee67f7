import type { Clock } from '../../src/clock.js';

interface Task {
  readonly at: number;
  /** Tasks of one moment run in the order in which they were planned. */
  readonly order: number;
  run: (() => void) | undefined;
}

/** Time that passes only when it is told to, from task to task: a binary heap of what is planned. */
export class VirtualClock implements Clock {
  readonly #heap: Task[] = [];
  #now = 0;
  #planned = 0;

  now(): number {
    return this.#now;
  }

  after(delay: number, task: () => void): () => void {
    const planned: Task = { at: this.#now + Math.max(0, delay), order: this.#planned++, run: task };
    this.#push(planned);
    return () => {
      planned.run = undefined;
    };
  }

  /** Lets so many milliseconds pass. */
  run(duration: number): void {
    const end = this.#now + duration;
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#pop();
      this.#now = next.at;
      next.run?.();
    }
    this.#now = end;
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let at = heap.push(task) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !before(task, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = task;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [one, two] = [heap[left], heap[left + 1]];
      const child = two !== undefined && one !== undefined && before(two, one) ? left + 1 : left;
      const below = heap[child];
      if (below === undefined || !before(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: Task, b: Task): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}
