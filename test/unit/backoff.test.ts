import { expect, test } from 'vitest';
import { Backoff } from '../../src/backoff.js';

test('backoff grows from the first delay to the last, with jitter, and begins anew when reset', () => {
  const middle = new Backoff(1000, 60_000, () => 0.5);
  const delays = Array.from({ length: 12 }, () => middle.next());
  expect(delays.slice(0, 4)).toEqual([1000, 1500, 2250, 3375]);
  expect(delays.at(-1)).toBe(60_000);
  middle.reset();
  expect(middle.next()).toBe(1000);
  expect(new Backoff(1000, 60_000, () => 0).next()).toBe(500);
  expect(new Backoff(1000, 60_000, () => 0.999).next()).toBeCloseTo(1499);
});
