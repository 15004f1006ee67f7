import { setImmediate as otherWork } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Fallback } from '../../../../src/daemon/kernel-paths/fallback.js';
import type { PeerId } from '../../../../src/identity/index.js';
import { ManualClock } from '../../events/manual-clock.js';

const PEER = '00000000000000aa' as PeerId;

/** A fallback whose questions are answered with what `answer` gives. */
function asking(answer: () => Promise<number | null>) {
  const seen = { questions: 0, working: 0 };
  const clock = new ManualClock();
  const fallback = new Fallback({
    ping: () => {
      seen.questions += 1;
      return answer();
    },
    clock,
    onWorking: () => {
      seen.working += 1;
    },
  });
  return { fallback, clock, seen };
}

describe('whether the forwarder’s way is better than a kernel path that fails', () => {
  test('is told once a probe by it was answered, and not before', async () => {
    const { fallback, seen } = asking(async () => 300);
    expect(fallback.isBetter(PEER)).toBe(false);
    await otherWork();
    expect(seen).toEqual({ questions: 1, working: 1 });
    expect(fallback.isBetter(PEER)).toBe(true);
  });

  test('is asked again and again while no answer comes, whoever wants to know how often', async () => {
    const answers = [null, null, 300];
    const { fallback, clock, seen } = asking(async () => answers.shift() ?? null);
    for (let i = 0; i < 3; i += 1) {
      expect(fallback.isBetter(PEER)).toBe(false);
      expect(fallback.isBetter(PEER)).toBe(false);
      await otherWork();
      clock.pass(200);
    }
    await otherWork();
    expect(fallback.isBetter(PEER)).toBe(true);
    expect(seen.questions).toBe(3);
  });

  test('keeps nobody from other work while no probe can be sent at all', async () => {
    const { fallback, clock, seen } = asking(() => Promise.reject(new Error('no forwarder')));
    fallback.isBetter(PEER);
    await otherWork();
    expect(seen.questions).toBe(1);
    clock.pass(200);
    await otherWork();
    expect(seen.questions).toBe(2);
  });

  test('is of no interest any more once the path works or the peer is gone, and is asked anew after that', async () => {
    const { fallback, clock, seen } = asking(async () => null);
    fallback.isBetter(PEER);
    fallback.keep(new Set());
    await otherWork();
    clock.pass(10_000);
    await otherWork();
    expect(seen.questions).toBe(1);
    fallback.isBetter(PEER);
    expect(seen.questions).toBe(2);
  });
});
