import { expect, test } from 'vitest';
import { IncarnationBackoff } from '../../../src/gossip/incarnation-backoff.js';

test('a backoff lets a race become slow, and forgets it after a while', () => {
  const backoff = new IncarnationBackoff();
  const allowed = [];
  for (let now = 0; now <= 200_000; now += 500) if (backoff.allows(now)) allowed.push(now);
  expect(allowed).toEqual([0, 1000, 3000, 7000, 15_000, 31_000, 63_000, 123_000, 183_000]);
  expect(backoff.allows(400_000)).toBe(true);
  expect(backoff.allows(401_000)).toBe(true);
});
