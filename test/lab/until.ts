/** A condition did not come true in time. */
export class NotInTime extends Error {}

/** How long the lab waits before it looks at a condition again, ms. */
const PAUSE = 20;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/**
 * Looks at a condition again and again until it holds, and returns what it gave. A condition that throws does not hold;
 * its last error is told when the deadline (ms) passes.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  { within = 10_000, every = PAUSE }: { within?: number; every?: number } = {},
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = performance.now() + within;
  for (;;) {
    let reason = '';
    try {
      const value = await condition();
      if (value !== false && value !== null && value !== undefined) {
        return value as Exclude<T, false | null | undefined>;
      }
    } catch (error) {
      reason = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (performance.now() > deadline) throw new NotInTime(`not within ${within / 1000} s: ${what}${reason}`);
    await pause(every);
  }
}

/** Lets a state last: an outage, a load. Never a substitute for waiting until something is so. */
export async function lasting(seconds: number): Promise<void> {
  await pause(seconds * 1000);
}
