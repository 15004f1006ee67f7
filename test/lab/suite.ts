import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { Lab } from './lab.js';
import { leftoversFromNow } from './leftovers.js';

/**
 * A lab for all tests of a file (or `describe`): made before the first, removed after the last. When a test fails,
 * the routers' logs are shown, and the processes and outages that it left behind end before the next. Returns access to what
 * `build` made.
 */
export function onLab<T>(build: (lab: Lab) => Promise<T>): () => T & { lab: Lab } {
  let lab: Lab | undefined;
  let world: (T & { lab: Lab }) | undefined;
  let endLeftovers: () => Promise<void> = async () => {};

  beforeAll(async () => {
    lab = await Lab.create();
    try {
      world = { ...(await build(lab)), lab };
    } catch (error) {
      console.error(lab.logs());
      throw error;
    }
  });
  beforeEach(() => {
    endLeftovers = leftoversFromNow();
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') console.error(lab?.logs());
    await endLeftovers();
  });
  afterAll(() => lab?.remove());

  return () => {
    if (world === undefined) throw new Error('the lab is not ready');
    return world;
  };
}
