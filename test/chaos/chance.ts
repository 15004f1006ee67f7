import { seededRandom } from '../../bench/sim/random.js';

/** Choices that are the same for the same seed. */
export class Chance {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** From 0 to below `limit`. */
  number(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  pick<T>(choices: readonly T[]): T {
    const chosen = choices[this.number(choices.length)];
    if (chosen === undefined) throw new RangeError('there is nothing to choose from');
    return chosen;
  }

  shuffled<T>(all: readonly T[]): T[] {
    const left = [...all];
    return all.map(() => left.splice(this.number(left.length), 1)[0] as T);
  }
}
