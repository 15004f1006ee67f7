import { setTimeout as delay } from 'node:timers/promises';

const INTERVAL = 2_000;
/** Questions in a row without an answer. One may be lost to a host that is busy for a moment. */
const LIMIT = 3;

/**
 * Asks again and again whether a process still answers, until it does not `LIMIT` times in a row, or `signal` says that nobody cares any
 * more. Resolves to whether it hangs. `ask` rejects when no answer came in time.
 */
export async function hangs(ask: () => Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  let unanswered = 0;
  while (unanswered < LIMIT) {
    await delay(INTERVAL, undefined, { ref: false, signal }).catch(() => {});
    if (signal.aborted) return false;
    unanswered = await ask().then(
      () => 0,
      () => unanswered + 1,
    );
  }
  return !signal.aborted;
}
