import { afterAll, afterEach, beforeAll } from 'vitest';
import { Lab } from './lab.js';

/**
 * A lab for all tests of a file (or `describe`): made before the first, removed after the last, and when a test fails,
 * the routers' logs are shown. Returns access to what `build` made.
 */
export function onLab<T>(build: (lab: Lab) => Promise<T>): () => T & { lab: Lab } {
  let lab: Lab | undefined;
  let world: (T & { lab: Lab }) | undefined;

  beforeAll(async () => {
    lab = await Lab.create();
    try {
      world = { ...(await build(lab)), lab };
    } catch (error) {
      console.error(lab.logs());
      throw error;
    }
  });
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(lab?.logs());
  });
  afterAll(() => lab?.remove());

  return () => {
    if (world === undefined) throw new Error('the lab is not ready');
    return world;
  };
}
