import { type ErrorCode, isErrorCode } from './error-codes/index.js';

/**
 * An error that a user or a caller can act on.
 *
 * `code` is stable and registered: callers branch on it, the API hands it out, logs and counters are keyed by it.
 * `message` is a sentence: what happened, why, and what to do about it.
 */
export class WeftError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'WeftError';
    this.code = code;
  }
}

/** An error that another process told: one whose code this version does not know is a fault to it. */
export function errorFrom({ code, message }: { readonly code: string; readonly message: string }): WeftError {
  return new WeftError(isErrorCode(code) ? code : 'internal', message);
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The code of a system error (`ENOENT`, `EACCES`, …), or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

const NO_PLACE = 'choose another directory with --state-dir or --run-dir';
const FILE_FAILURES: Readonly<Record<string, readonly [code: ErrorCode, text: string]>> = {
  ENOSPC: ['disk-full', 'the disk is full: make room'],
  EDQUOT: ['disk-full', 'the disk quota is used up: make room'],
  EROFS: ['no-privilege', `the file system is read-only: ${NO_PLACE}`],
  EACCES: ['no-privilege', `permission is denied: run weft as root, or ${NO_PLACE}`],
  EPERM: ['no-privilege', `it is not permitted: run weft as root, or ${NO_PLACE}`],
  ENOTDIR: ['bad-directory', `a file stands where a directory is needed: ${NO_PLACE}`],
  EEXIST: ['bad-directory', `a file stands where a directory is needed: ${NO_PLACE}`],
  ERR_FS_EISDIR: ['bad-directory', `a directory stands where a file is needed: ${NO_PLACE}`],
};

/** A usual failure of the file system as something to act on; any other error as it is. `what` begins the sentence. */
export function fileError(what: string, error: unknown): unknown {
  const [code, text] = FILE_FAILURES[systemCode(error) ?? ''] ?? [];
  if (code === undefined || error instanceof WeftError) return error;
  return new WeftError(code, `${what}: ${text}`, { cause: error });
}
