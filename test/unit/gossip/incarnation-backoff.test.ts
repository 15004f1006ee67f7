import { expect, test } from 'vitest';
import { Restraint } from '../../../src/gossip/incarnation-backoff.js';

test('a restraint lets a race become slow, and forgets it after a while', () => {
  const restraint = new Restraint();
  const allowed = [];
  for (let now = 0; now <= 200_000; now += 500) if (restraint.allows(now)) allowed.push(now);
  expect(allowed).toEqual([0, 1000, 3000, 7000, 15_000, 31_000, 63_000, 123_000, 183_000]);
  expect(restraint.allows(400_000)).toBe(true);
  expect(restraint.allows(401_000)).toBe(true);
});
