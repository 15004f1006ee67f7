import { execFileSync } from 'node:child_process';

/**
 * A bound in seconds, as it holds where an empty Node starts in a fifteenth of a second or less; a slower machine has as many of
 * its own such starts instead, since starting programs is most of what launching and attaching are made of.
 */
export function onThisMachine(seconds: number): number {
  return seconds * Math.max(1, emptyStart() / REFERENCE_START);
}

/** Seconds. */
const REFERENCE_START = 1 / 15;

/** Seconds, the median of some. */
function emptyStart(): number {
  return median(
    Array.from({ length: 9 }, () => {
      const began = performance.now();
      execFileSync(process.execPath, ['--eval', '0']);
      return (performance.now() - began) / 1000;
    }),
  );
}

export const median = (numbers: readonly number[]) =>
  [...numbers].sort((x, y) => x - y)[numbers.length >> 1] ?? Number.POSITIVE_INFINITY;
