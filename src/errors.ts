/**
 * An error that a user or a caller can act on.
 *
 * `code` is stable and short (kebab-case): callers branch on it, the API hands it out, logs and counters are keyed by it.
 * `message` is a sentence: what happened, why, and what to do about it.
 */
export class WeftError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'WeftError';
    this.code = code;
  }
}

/** The code of a system error (`ENOENT`, `EACCES`, …), or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
