import { meaningOf } from '../../src/error-codes/index.js';
import { WeftError } from '../../src/errors.js';
import type { Random } from './mutate.js';

/** A place where the daemon reads bytes of somebody else, and what must hold there. */
export interface Target {
  readonly name: string;
  /** Valid input to begin with. */
  readonly seeds: readonly Uint8Array[];
  /** Makes input out of the seeds; without it, they are mutated as they are. */
  readonly make?: (random: Random) => Uint8Array;
  readonly open: () => Promise<Subject>;
}

/** What reads the bytes, in the state to which all input so far has brought it. */
export interface Subject {
  /**
   * Reads input. Throws a WeftError when it refuses it, and anything else when it should not. Gives the bytes that it answers in the worst
   * case, each piece by itself.
   */
  take(input: Buffer): readonly Uint8Array[];
  /** After whatever input: throws unless valid input is still understood, and nothing that is held grew beyond its cap. */
  verify(): Promise<void> | void;
}

/** Something that must hold does not. */
export class Fault extends Error {}

/** Whether an error says that something is wrong in weft itself, and not in what was read. */
export function isFault(error: unknown): boolean {
  return (
    !(error instanceof WeftError) ||
    meaningOf(error.code).remedy === 'Report it.' ||
    error.code === 'internal'
  );
}
