import { expect, test } from 'vitest';
import { check } from './check.js';

/*
 * `npx tsx bench/ipam/check.ts` runs as many operations as one likes, with new seeds; what it finds is added
 * to these.
 */
const SEEDS = [7, 11, 16, 17, 31, 40, 77, 1223, 1236, 5068, 5137, 20_021, 700_414, 800_148];
const OPERATIONS = 4_000;

test('no address is ever given out or owned twice and no space is lost, whatever happens', {
  timeout: 120_000,
}, () => {
  for (const seed of SEEDS) {
    const { counts, operations } = check({ seed, operations: OPERATIONS });
    expect(operations).toBe(OPERATIONS);
    expect(counts.get('allocate')).toBeGreaterThan(0);
  }
});

test('a seed gives the same run again', () => {
  expect(check({ seed: 5, operations: 1_000 }).counts).toEqual(check({ seed: 5, operations: 1_000 }).counts);
});
