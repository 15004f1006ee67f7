import { inParallel } from '../order.js';

/** Maximum number of containers that an engine is asked for at the same time. */
const AT_ONCE = 4;

/** Asks an engine for each of these containers, and works on those that are there. */
export async function eachContainer<C>(
  engine: { inspect(id: string): Promise<C | undefined> },
  ids: readonly string[],
  work: (container: C) => Promise<void> | void,
): Promise<void> {
  await inParallel(ids, AT_ONCE, async (id) => {
    const container = await engine.inspect(id);
    if (container !== undefined) await work(container);
  });
}
