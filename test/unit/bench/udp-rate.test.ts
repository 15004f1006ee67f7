import { describe, expect, it } from 'vitest';
import { type Outcome, searchUdpRate, type Trial } from '../../../bench/workloads/udp-rate.js';

/** A path that carries `capacity` packets a second, behind a sender that manages `ceiling`. */
const path =
  (capacity: number, ceiling = Number.POSITIVE_INFINITY): Trial<Outcome> =>
  async (rate) => {
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
      expect(found?.received).toBeLessThanOrEqual(capacity * 1.001);
      expect(found?.received).toBeGreaterThanOrEqual(capacity / 1.081);
    }
  });

  it('ends at what the sender can offer', async () => {
    const found = await searchUdpRate(path(Number.POSITIVE_INFINITY, 300_000), 20_000);
    expect(found).toMatchObject({ received: 300_000 });
  });

  it('forgives one failed trial of a rate that holds', async () => {
    const stalled = new Set<number>();
    const steady = path(100_000);
    const stallsOnce: Trial<Outcome> = async (rate) => {
      if (stalled.has(rate)) return steady(rate);
      stalled.add(rate);
      return { received: rate / 2, loss: 0.5 };
    };
    expect((await searchUdpRate(stallsOnce, 20_000))?.received).toBeGreaterThan(92_000);
  });

  it('finds nothing on a path that loses at every rate', async () => {
    const lossy: Trial<Outcome> = async (rate) => ({ received: rate / 2, loss: 0.5 });
    expect(await searchUdpRate(lossy, 20_000)).toBeUndefined();
  });
});
