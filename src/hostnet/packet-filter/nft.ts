import { CommandFailed, run } from '../kernel/index.js';

/** Runs these lines in one transaction. */
export async function nft(lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await run('nft', ['--file', '-'], `${lines.join('\n')}\n`);
}

/** Nothing, where nft itself says no: what it was asked for is not there. */
export function unlessRefused(error: unknown): undefined {
  if (!(error instanceof CommandFailed)) throw error;
}
