import { describe, expect, it } from 'vitest';
import { groupedPercentile, median, percentile } from '../../../bench/stats.js';

describe('statistics of samples', () => {
  it('take the middle value, or the mean of the two in the middle', () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it('take percentiles by nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile([7], 0.99)).toBe(7);
  });

  it('tell apart what was rounded down to the same whole numbers', () => {
    expect(groupedPercentile([9, 9, 9, 9], 0.5)).toBe(9.5);
    expect(groupedPercentile([8, 9, 9, 9, 9, 10], 0.5)).toBe(9.5);
    expect(groupedPercentile([8, 8, 8, 9], 0.5)).toBeCloseTo(8.67, 2);
  });

  it('know nothing of nothing', () => {
    expect(median([])).toBeNaN();
    expect(percentile([], 0.5)).toBeNaN();
  });
});
