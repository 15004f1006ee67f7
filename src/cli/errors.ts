import { meaningOf } from '../error-codes/index.js';
import { WeftError } from '../errors.js';

/** A command line that makes no sense. */
export function usageError(message: string): WeftError {
  return new WeftError('usage', message);
}

/**
 * Ends a command that failed: one line on stderr (a fault of ours with its stack), and an exit code. That whoever reads the output has read
 * enough is no failure.
 */
export function fail(error: unknown): void {
  if (error instanceof WeftError && error.code === 'no-reader') return;
  process.stderr.write(`weft: ${describe(error)}\n`);
  process.exitCode = exitCodeOf(error);
}

function describe(error: unknown): string {
  if (error instanceof WeftError) return error.message;
  return `a fault in weft itself: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

/** 1 failed, 2 wrong usage, 3 no router is running, 4 one is running already. */
function exitCodeOf(error: unknown): number {
  return error instanceof WeftError ? meaningOf(error.code).exit : 1;
}
