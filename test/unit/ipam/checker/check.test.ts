import { beforeAll, describe, expect, test } from 'vitest';
import { check } from './check.js';

/*
 * `npx tsx bench/ipam/check.ts` runs as many operations as one likes, with new seeds; what it finds is added
 * to these.
 */
const SEEDS = [7, 11, 16, 17, 31, 40, 77, 1223, 1236, 5068, 5137, 20_021, 700_414, 800_148];
const OPERATIONS = 4_000;
/** Of episodes in which one to three members lie. */
const LYING_SEEDS = [1, 4, 13, 29, 32, 38, 49, 54, 55, 70, 98, 103];

test('no address is ever given out or owned twice and no space is lost, whatever happens', {
  timeout: 120_000,
}, () => {
  for (const seed of SEEDS) {
    const { counts, operations } = check({ seed, operations: OPERATIONS });
    expect(operations).toBe(OPERATIONS);
    expect(counts.get('allocate')).toBeGreaterThan(0);
  }
});

describe('where members lie', () => {
  const counts = new Map<string, number>();
  beforeAll(() => {
    for (const seed of LYING_SEEDS) {
      const result = check({ seed, operations: OPERATIONS, liars: 1 + (seed % 3) });
      for (const [what, count] of result.counts) counts.set(what, (counts.get(what) ?? 0) + count);
    }
  }, 120_000);

  test('honest routers give nothing out twice themselves, and agree again once the liars are expelled', () => {
    expect(counts.get('allocate')).toBeGreaterThan(0);
    expect(counts.get('fill')).toBeGreaterThan(0);
  });

  /** As docs/security.md says: nothing that is to be, but what no router can see. */
  test.each([
    ['two honest routers may own one address', 'owned twice'],
    ['containers of two honest hosts may have one address', 'given twice'],
    ['people may have to start a router anew', 'restart of a rival'],
  ])('%s', (_, what) => {
    expect(counts.get(what)).toBeGreaterThan(0);
  });
});

test('a seed gives the same run again', () => {
  expect(check({ seed: 5, operations: 1_000 }).counts).toEqual(check({ seed: 5, operations: 1_000 }).counts);
});
