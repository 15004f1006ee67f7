import { expect, test } from 'vitest';
import { SystemClock } from '../../src/clock.js';

test('nothing that is planned happens before its time', async () => {
  const clock = new SystemClock();
  const early = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const delay = i / 7;
      const due = clock.now() + delay;
      await new Promise<void>((resolve) => clock.after(delay, resolve));
      return Math.max(0, due - clock.now());
    }),
  );
  expect(Math.max(...early)).toBe(0);
});
