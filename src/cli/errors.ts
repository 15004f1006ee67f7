import { meaningOf } from '../error-codes/index.js';
import { WeftError } from '../errors.js';

/** A command line that makes no sense. */
export function usageError(message: string): WeftError {
  return new WeftError('usage', message);
}

/** 0 done, 1 failed, 2 wrong usage, 3 no router is running. */
export function exitCodeOf(error: unknown): number {
  return error instanceof WeftError ? meaningOf(error.code).exit : 1;
}

/** One line on stderr; a fault of ours with its stack. */
export function printError(error: unknown): void {
  const text =
    error instanceof WeftError
      ? error.message
      : `a fault in weft itself: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  process.stderr.write(`weft: ${text}\n`);
}
