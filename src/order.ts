/** In which order asynchronous work is done, and until when. */
import { setTimeout as delay } from 'node:timers/promises';

/** One piece of work after the other; that one failed is its own affair. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}

/** As `Serial`, for each key by itself. */
export class SerialByKey {
  readonly #last = new Map<string, Promise<unknown>>();

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const settled = result.then(ignore, ignore);
    this.#last.set(key, settled);
    void settled.then(() => {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    });
    return result;
  }

  /** Whether work on it has not ended. */
  isBusy(key: string): boolean {
    return this.#last.has(key);
  }
}

/** Works on all items, on at most `atOnce` of them in parallel. */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values();
  const worker = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** As `Promise.all`, but a failure is told once all have ended: then nothing goes on that its remedy could overlook. */
export async function allEnded<T extends readonly unknown[]>(
  work: readonly [...{ [I in keyof T]: Promise<T[I]> }],
): Promise<T> {
  await Promise.allSettled(work);
  return (await Promise.all(work)) as unknown as T;
}

/** Rejects with what `tooLate` gives when the work takes longer than `limit` (ms); the work itself goes on. */
export async function withinTime<T>(work: Promise<T>, limit: number, tooLate: () => Error): Promise<T> {
  const ended = new AbortController();
  const late = delay(limit, undefined, { signal: ended.signal }).then(() => {
    throw tooLate();
  });
  late.catch(() => {}); // it was in time
  try {
    return await Promise.race([work, late]);
  } finally {
    ended.abort();
  }
}

/** Does the work at the first call only. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}

function ignore(): void {}
