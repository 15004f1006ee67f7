import { describe, expect, test } from 'vitest';
import { traces } from '../hosts/pair.js';
import { onLab } from '../lab/suite.js';
import { median, onThisMachine } from './machine.js';

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
    expect(median(ready ?? [])).toBeLessThan(onThisMachine(1));
    expect(median(crossed ?? [])).toBeLessThan(onThisMachine(2));
    expect([await traces(a), await traces(b)]).toEqual(before);
  });
});
