import { describe, expect, it } from 'vitest';
import type { UdpResult } from '../../../bench/workloads/iperf.js';
import { searchUdpRate, type Trial } from '../../../bench/workloads/udp-rate.js';

/** A path that carries `capacity` packets a second, behind a sender that manages `ceiling`. */
const path =
  (capacity: number, ceiling = Number.POSITIVE_INFINITY): Trial =>
  async (rate): Promise<UdpResult> => {
    const sent = Math.min(rate, ceiling);
    const received = Math.min(sent, capacity);
    return { received, loss: 1 - received / sent };
  };

describe('the search for the highest UDP rate without loss', () => {
  it.each([
    900, 12_345, 160_000, 2_000_000,
  ])('finds %d packets a second from any start, less at most 8 percent', async (capacity) => {
    for (const start of [500, 20_000, 1_000_000]) {
      const found = await searchUdpRate(path(capacity), start);
      expect(found).toBeLessThanOrEqual(capacity * 1.001);
      expect(found).toBeGreaterThanOrEqual(capacity / 1.081);
    }
  });

  it('ends at what the sender can offer', async () => {
    expect(await searchUdpRate(path(Number.POSITIVE_INFINITY, 300_000), 20_000)).toBe(300_000);
  });

  it('forgives one failed trial of a rate that holds', async () => {
    const stalled = new Set<number>();
    const steady = path(100_000);
    const stallsOnce: Trial = async (rate) => {
      if (stalled.has(rate)) return steady(rate);
      stalled.add(rate);
      return { received: rate / 2, loss: 0.5 };
    };
    expect(await searchUdpRate(stallsOnce, 20_000)).toBeGreaterThan(92_000);
  });

  it('finds nothing on a path that loses at every rate', async () => {
    expect(await searchUdpRate(async (rate) => ({ received: rate / 2, loss: 0.5 }), 20_000)).toBe(0);
  });
});
