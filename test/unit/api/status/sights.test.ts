import { describe, expect, test } from 'vitest';
import { Sights } from '../../../../src/api/status/sights.js';
import type { Clock } from '../../../../src/clock.js';
import { observation } from './observations.js';

/** Time that goes on when somebody waits. */
class Waits implements Clock {
  time = 0;

  now(): number {
    return this.time;
  }

  after(delay: number, task: () => void): () => void {
    this.time += delay;
    queueMicrotask(task);
    return () => {};
  }
}

describe('looks at the router', () => {
  test('are not taken when nobody asks, and shared by those who ask together', async () => {
    let looks = 0;
    const sights = new Sights(async () => {
      looks += 1;
      return observation();
    }, new Waits());
    expect(looks).toBe(0);
    const asked = await Promise.all(Array.from({ length: 64 }, () => sights.now()));
    expect(looks).toBe(1);
    expect(new Set(asked).size).toBe(1);
  });

  test('begin after the question, one after the other, and four times a second at most', async () => {
    const clock = new Waits();
    const began: number[] = [];
    let release = () => {};
    const sights = new Sights(async () => {
      began.push(clock.now());
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return observation();
    }, clock);
    const first = sights.now();
    await Promise.resolve();
    await Promise.resolve();
    const second = sights.now();
    expect(began).toEqual([0]);
    release();
    await first;
    while (began.length < 2) await Promise.resolve();
    expect(began).toEqual([0, 250]);
    release();
    expect(await second).not.toBe(await first);
  });

  test('that fail are told to whoever asked, and the next one is taken', async () => {
    let fails = true;
    const sights = new Sights(async () => {
      if (fails) throw new Error('not yet');
      return observation();
    }, new Waits());
    await expect(sights.now()).rejects.toThrow('not yet');
    fails = false;
    await expect(sights.now()).resolves.toMatchObject({ seen: { status: { nickname: 'host-a' } } });
  });

  test('are put into words once for each form', async () => {
    const sights = new Sights(async () => observation(), new Waits());
    let made = 0;
    const make = async () => `text ${++made}`;
    const sight = await sights.now();
    const texts = await Promise.all([
      sight.text('text', make),
      sight.text('text', make),
      sight.text('openmetrics', make),
    ]);
    expect(texts).toEqual(['text 1', 'text 1', 'text 2']);
  });
});
