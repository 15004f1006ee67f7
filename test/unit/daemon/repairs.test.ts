import { beforeEach, describe, expect, it } from 'vitest';
import { type Fault, Repairs } from '../../../src/daemon/repairs/repairs.js';

const ROUND = 2_000;

describe('what somebody else changes', () => {
  let now: number;
  let told: string[];
  let repaired: number[];
  let repairs: Repairs;
  const fault: Fault = {
    key: 'bridge',
    what: 'the bridge is down',
    repair: async () => void repaired.push(now),
  };

  beforeEach(() => {
    now = 0;
    told = [];
    repaired = [];
    repairs = new Repairs({
      now: () => now,
      onRepaired: (what) => told.push(`repaired: ${what}`),
      onContested: (what) => told.push(`contested: ${what}`),
      onFailed: (what, error) => told.push(`failed: ${what}: ${String(error)}`),
    });
  });

  /** Looks every two seconds for so long (ms), and always finds it changed. */
  async function contested(duration: number, found = fault): Promise<void> {
    for (const end = now + duration; now < end; now += ROUND) await repairs.mend([found]);
  }

  it('is put right at once, and told each time', async () => {
    await contested(3 * ROUND);
    expect(repaired).toEqual([0, ROUND, 2 * ROUND]);
    expect(told).toEqual(Array(3).fill('repaired: the bridge is down'));
  });

  it('again and again is said so once, and put right after longer and longer pauses', async () => {
    await contested(3_600_000);
    expect(told.filter((line) => line.startsWith('contested'))).toHaveLength(1);
    expect(told).toHaveLength(6);
    const pauses = repaired.slice(1).map((time, i) => time - (repaired[i] ?? 0));
    expect(pauses.slice(0, 8)).toEqual([2, 2, 2, 2, 2, 10, 20, 40].map((seconds) => 1000 * seconds));
    expect(Math.max(...pauses)).toBe(300_000);
  });

  it('is put right at once again when it was left alone for a while', async () => {
    await contested(60_000);
    now += 500_000;
    repaired = [];
    await contested(3 * ROUND);
    expect(repaired).toHaveLength(3);
  });

  it('does not keep other things from being put right', async () => {
    await contested(60_000);
    let other = false;
    const mend = async () => {
      other = true;
    };
    await repairs.mend([fault, { key: 'tap', what: 'the TAP is down', repair: mend }]);
    expect(other).toBe(true);
  });

  it('and cannot be put right is tried less and less often, too', async () => {
    const failing = { ...fault, repair: () => Promise.reject(new Error('no')) };
    await contested(3_600_000, failing);
    expect(told.filter((line) => line.startsWith('failed'))).toHaveLength(4);
    expect(told.filter((line) => line.startsWith('contested'))).toHaveLength(1);
  });

  it('is told of no failure where it failed once and is not found again', async () => {
    const gone = { ...fault, repair: () => Promise.reject(new Error('Cannot find device "weft"')) };
    await repairs.mend([gone]);
    await contested(2 * ROUND, { ...fault, key: 'gone', what: 'the bridge is gone' });
    expect(told).toEqual(Array(2).fill('repaired: the bridge is gone'));
  });

  it('and cannot be put right twice in a row is told with the reason', async () => {
    const failing = { ...fault, repair: () => Promise.reject(new Error('no')) };
    await contested(2 * ROUND, failing);
    expect(told).toEqual(['failed: the bridge is down: Error: no']);
  });
});
