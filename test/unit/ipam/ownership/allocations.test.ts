import { expect, test } from 'vitest';
import { Allocations, IPV4, spareBlock } from '../../../../src/ipam/ownership/allocations.js';

test('the biggest aligned block is spared, and half of it when that is most of what is free', () => {
  const { none } = Allocations;
  const whole = [{ start: 64, end: 128 }];
  expect(spareBlock(none.gaps(whole, { start: 0, end: 256 }))).toEqual({ start: 96, end: 128 });
  const used = none.with({ owner: 'x', address: 97, length: 24, families: IPV4 });
  expect(used.gaps(whole, { start: 80, end: 100 })).toEqual([
    { start: 80, end: 97 },
    { start: 98, end: 100 },
  ]);
  expect(spareBlock(used.gaps(whole, { start: 80, end: 100 }))).toEqual({ start: 88, end: 96 });
  expect(spareBlock([{ start: 7, end: 8 }])).toEqual({ start: 7, end: 8 });
  expect(spareBlock([])).toBeUndefined();
});
