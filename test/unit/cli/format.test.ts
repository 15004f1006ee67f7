import { describe, expect, it } from 'vitest';
import { bytes, duration, latency, orDash, share } from '../../../src/cli/terminal/index.js';

describe('figures for people', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1500, '1.5 kB'],
    [123_456, '123 kB'],
    [2_000_000_000, '2.0 GB'],
  ])('shows %d bytes as %s', (count, text) => expect(bytes(count)).toBe(text));

  it.each([
    [85.4, '85 µs'],
    [1250, '1.25 ms'],
    [45_000, '45 ms'],
    [2_100_000, '2.1 s'],
  ])('shows %d µs as %s', (count, text) => expect(latency(count)).toBe(text));

  it.each([
    [42, '42 s'],
    [330, '5 min'],
    [11_520, '3 h 12 min'],
    [356_400, '4 d 3 h'],
  ])('shows %d s as %s', (count, text) => expect(duration(count)).toBe(text));

  it('shows shares as percentages and what is unknown as a dash', () => {
    expect([share(0), share(0.015), share(1)]).toEqual(['0 %', '1.5 %', '100 %']);
    expect([orDash(null), orDash(undefined), orDash(0), orDash(1500, bytes)]).toEqual([
      '-',
      '-',
      '0',
      '1.5 kB',
    ]);
  });
});
