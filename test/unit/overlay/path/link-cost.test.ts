import { expect, test } from 'vitest';
import { isOtherCost, linkCost, shortest } from '../../../../src/overlay/path/link-cost.js';

const udp = (rtt: number, loss = 0) => linkCost({ rtt, loss, transport: 'udp' });
const tcp = (rtt: number) => linkCost({ rtt, loss: 0, transport: 'tcp' });

test('a detour over two short UDP links is cheaper than TCP, a long one is not', () => {
  expect(udp(2_000) + udp(2_000)).toBeLessThan(tcp(2_000));
  expect(udp(100_000) + udp(100_000)).toBeGreaterThan(tcp(20_000));
});

test('what loses packets is dearer than a detour that does not', () => {
  expect(udp(10_000, 0.5)).toBeGreaterThan(udp(10_000) + udp(10_000));
  expect(udp(10_000, 1)).toBeLessThan(Number.POSITIVE_INFINITY);
});

test('only a cost that is clearly another one is news', () => {
  expect(isOtherCost(1_200, 1_900)).toBe(false);
  expect(isOtherCost(100_000, 120_000)).toBe(false);
  expect(isOtherCost(100_000, 160_000)).toBe(true);
  expect(isOtherCost(160_000, 100_000)).toBe(true);
});

test('of several round trips the shortest counts, and of none measured none is made up', () => {
  expect(shortest([null, 900, 700])).toBe(700);
  expect(shortest([null, null])).toBeNull();
  expect(linkCost({ rtt: shortest([]), loss: 0, transport: 'udp' })).toBeLessThan(Number.POSITIVE_INFINITY);
});
