/** What happens by chance in an episode: all of it is determined by the seed. */
export class Chance {
  /** A number from 0 to 1. */
  readonly random: () => number;
  /** Whether no faults happen: nothing is lost, repeated or late, and all is written at once. */
  calm = false;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  /** An integer below `limit`. */
  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** Whether something goes wrong that has this probability. */
  fault(probability: number): boolean {
    return !this.calm && this.random() < probability;
  }
}

/** Numbers from 0 to 1 that are determined by the seed (mulberry32, public domain). */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
