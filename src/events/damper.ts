/** Changes of one thing that are told at once, within so many milliseconds. */
const BURST = 4;
const WINDOW = 20_000;

/** What became of something. */
export interface Change<State> {
  readonly key: string;
  readonly before: State;
  readonly now: State;
  /** How many changes there were since something was told last. */
  readonly changes: number;
}

interface Watched<State> {
  told: State;
  state: State;
  changes: number;
  /** When changes were told lately. */
  times: readonly number[];
}

/**
 * Of things that change their state again and again: the first changes are told at once, and what comes beyond is told as one, once the first
 * of them is long enough ago. What holds in the end always is told. Pure.
 */
export class Damper<State> {
  readonly #isSame: (a: State, b: State) => boolean;
  readonly #watched = new Map<string, Watched<State>>();
  /** Keys of what is still to be told. */
  readonly #waiting = new Set<string>();

  constructor(isSame: (a: State, b: State) => boolean) {
    this.#isSame = isSame;
  }

  keys(): string[] {
    return [...this.#watched.keys()];
  }

  /** Something is so now. Undefined when that is no news, or is told later. */
  see(key: string, state: State, initial: State, now: number): Change<State> | undefined {
    const known = this.#watched.get(key);
    const watched = known ?? { told: initial, state: initial, changes: 0, times: [] };
    this.#watched.set(key, watched);
    const isNews = !this.#isSame(watched.state, state);
    watched.state = state;
    if (!isNews) return undefined;
    watched.changes += 1;
    if (dueAt(watched) <= now) return this.#tell(key, watched, now);
    this.#waiting.add(key);
    return undefined;
  }

  /** What is to be told by now. */
  due(now: number): Change<State>[] {
    return [...this.#waiting].flatMap((key) => {
      const watched = this.#watched.get(key);
      return watched === undefined || dueAt(watched) > now ? [] : [this.#tell(key, watched, now)];
    });
  }

  /** When there is something to be told; Infinity while nothing waits. */
  get nextDue(): number {
    return [...this.#waiting].reduce((next, key) => {
      const watched = this.#watched.get(key);
      return watched === undefined ? next : Math.min(next, dueAt(watched));
    }, Infinity);
  }

  forget(key: string): void {
    this.#watched.delete(key);
    this.#waiting.delete(key);
  }

  #tell(key: string, watched: Watched<State>, now: number): Change<State> {
    const change = { key, before: watched.told, now: watched.state, changes: watched.changes };
    watched.told = watched.state;
    watched.changes = 0;
    watched.times = [...watched.times, now].slice(-BURST);
    this.#waiting.delete(key);
    return change;
  }
}

function dueAt<State>({ times }: Watched<State>): number {
  const [oldest = -Infinity] = times;
  return times.length < BURST ? -Infinity : oldest + WINDOW;
}
