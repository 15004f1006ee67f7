import { describe, expect, test } from 'vitest';
import { findings } from '../fuzz/corpus.js';
import { episode, replay } from '../fuzz/fuzzer.js';
import { TARGETS } from '../fuzz/targets/index.js';

/* `npx tsx test/fuzz/main.ts` goes on for as long as one likes, with new seeds; what it finds is replayed here. */

const SEED = 1;
/** Of one target. */
const INPUTS = 25;

function targetNamed(name: string) {
  const target = TARGETS.find((each) => each.name === name);
  if (target === undefined) throw new Error(`there is no target ${name}`);
  return target;
}

describe('what the daemon reads from others', () => {
  test.each(
    TARGETS.map(({ name }) => name),
  )('is refused in one way or taken, and harms nothing: %s', async (name) => {
    const { failure, executions } = await episode(targetNamed(name), SEED, INPUTS);
    expect(failure?.error).toBeUndefined();
    expect(executions).toBe(INPUTS);
  });

  test.each(findings())('does not break it again: $file', async ({ target, inputs }) => {
    await replay(targetNamed(target), inputs);
  });

  test('is the same for the same seed', async () => {
    const target = targetNamed('codec-hello');
    expect(await episode(target, SEED)).toEqual(await episode(target, SEED));
  });
});
