import { expect, test } from 'vitest';
import { autoscale } from './autoscaling.js';

/** More of them take some minutes. */
const SEEDS = process.env.WEFT_LONG === '1' ? Array.from({ length: 20 }, (_, index) => index + 1) : [8];
const MOST_MINUTES = 30;

test('fifty nodes that come and go for ten minutes leave no address that nobody has, and none that two have', {
  timeout: MOST_MINUTES * 60_000,
}, () => {
  for (const seed of SEEDS) {
    const { counts, nodes } = autoscale({ seed });
    expect(nodes).toBeGreaterThan(150);
    for (const what of ['kill', 'leave', 'remove', 'remove by two', 'partition', 'repeat'])
      expect(counts.get(what), what).toBeGreaterThan(3);
  }
});
