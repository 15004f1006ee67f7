import { expect, test } from 'vitest';
import { Shares } from '../../../src/dns/shares.js';

const holder = (source: string, number: number) => ({ source, number });

test('whoever is alone may have all places, and gives up the oldest for more', () => {
  const shares = new Shares<ReturnType<typeof holder>>(3);
  const held = [0, 1, 2].map((number) => holder('a', number));
  expect(held.map((one) => shares.take(one))).toEqual([undefined, undefined, undefined]);
  expect(shares.take(holder('a', 3))).toBe(held[0]);
  expect([...shares].map(({ number }) => number)).toEqual([1, 2, 3]);
});

test('the source that has most gives way to others, down to as many as they have', () => {
  const shares = new Shares<ReturnType<typeof holder>>(6);
  for (const number of [0, 1, 2, 3, 4, 5]) shares.take(holder('a', number));
  const evicted = [0, 1, 2, 3].map((number) => shares.take(holder('b', number)));
  expect(evicted).toEqual([holder('a', 0), holder('a', 1), holder('a', 2), holder('b', 0)]);
});

test('what is renewed is the last to go, and what left makes room', () => {
  const shares = new Shares<ReturnType<typeof holder>>(2);
  const [one, two] = [holder('a', 1), holder('a', 2)];
  shares.take(one);
  shares.take(two);
  shares.renew(one);
  expect(shares.take(holder('b', 1))).toBe(two);
  shares.leave(two);
  shares.leave(one);
  expect(shares.take(holder('c', 1))).toBeUndefined();
});
