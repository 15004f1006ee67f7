import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { traces } from '../hosts/pair.js';
import { onLab } from '../lab/suite.js';

describe('launching', () => {
  const lab = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    return { a, b };
  });

  test('is ready in under a second, and the first ping crosses within 2 s of launching the second router', async () => {
    const { a, b } = lab();
    const [ready, crossed]: number[][] = [[], []];
    const before = [await traces(a), await traces(b)];
    for (let i = 0; i < 5; i += 1) {
      ready?.push((await a.launch()).seconds);
      const token = await a.token();
      const c1 = await a.container(`c1-${i}`, '10.32.0.1/24');
      const started = performance.now();
      ready?.push((await b.launch({ token })).seconds);
      const c2 = await b.container(`c2-${i}`, '10.32.0.2/24');
      await c1.reaches(c2.address);
      crossed?.push((performance.now() - started) / 1000);
      await a.weft('reset');
      await b.weft('reset');
    }
    expect(median(ready ?? [])).toBeLessThan(Math.max(1, SLOW_MACHINE * emptyStart()));
    expect(median(crossed ?? [])).toBeLessThan(2);
    expect([await traces(a), await traces(b)]).toEqual(before);
  });
});

/** A machine that is slow to start an empty Node (0.05 s where this was written) has as many of these starts instead of a second. */
const SLOW_MACHINE = 15;

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

const median = (numbers: number[]) => [...numbers].sort((x, y) => x - y)[numbers.length >> 1] ?? Infinity;
