import { WeftError } from '../errors.js';

const USAGE_CODES = new Set([
  'usage',
  'bad-address',
  'bad-cidr',
  'bad-target',
  'bad-bridge-name',
  'bad-mtu',
  'bad-domain',
  'bad-name',
  'bad-network-name',
  'bad-subnet',
  'bad-interface-name',
  'token-prefix',
  'token-version',
  'token-truncated',
  'token-mistyped',
  'bad-launch',
  'bad-ipalloc-init',
]);

/** A command line that makes no sense. */
export function usageError(message: string): WeftError {
  return new WeftError('usage', message);
}

/** 0 done, 1 failed, 2 wrong usage, 3 no router is running. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof WeftError)) return 1;
  if (error.code === 'not-running') return 3;
  return USAGE_CODES.has(error.code) ? 2 : 1;
}

/** One line on stderr; a fault of ours with its stack. */
export function printError(error: unknown): void {
  const text =
    error instanceof WeftError
      ? error.message
      : `a fault in weft itself: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  process.stderr.write(`weft: ${text}\n`);
}
