import { setMaxListeners } from 'node:events';

/**
 * Begins one attempt after the other: each when the one before failed, or `pause` milliseconds after it, so that one that gets no answer does
 * not hold up the rest. Gives what the first to succeed gives, and ends the others by their signal. Rejects with an AggregateError
 * of those that were begun.
 */
export async function firstOf<T>(
  attempts: readonly ((signal: AbortSignal) => Promise<T>)[],
  pause: number,
  signal: AbortSignal,
): Promise<T> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  setMaxListeners(0, either);
  const begun: Promise<T>[] = [];
  let isOver = false;
  let goOn = () => {};
  try {
    for (const attempt of attempts) {
      if (isOver || signal.aborted) break;
      await new Promise<void>((resolve) => {
        goOn = resolve;
        const timer = setTimeout(resolve, pause);
        const one = attempt(either).finally(() => clearTimeout(timer));
        begun.push(one);
        one.then(
          () => {
            isOver = true;
            goOn();
          },
          () => resolve(),
        );
      });
    }
    return await Promise.any(begun);
  } finally {
    over.abort();
  }
}
