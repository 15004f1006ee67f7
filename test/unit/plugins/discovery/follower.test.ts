import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Follower, GRACE, MAX_TARGETS } from '../../../../src/plugins/discovery/follower.js';
import type { Snapshot, Source } from '../../../../src/plugins/discovery/index.js';

const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1_000);
const A = '192.0.2.1:6783';
const B = '192.0.2.2:6783';
const numbered = (count: number) =>
  Array.from({ length: count }, (_, i) => `10.${i >> 16}.${(i >> 8) & 0xff}.${i & 0xff}:6783`);

/** A source that answers what the test says, each second, and a follower of it in virtual time. */
function followed() {
  const world = {
    answer: [] as readonly string[] | Error,
    whole: true,
    notices: [] as string[],
    troubles: [] as string[],
    asked: 0,
  };
  async function* follow(signal: AbortSignal): AsyncGenerator<Snapshot> {
    while (!signal.aborted) {
      world.asked += 1;
      if (world.answer instanceof Error) throw world.answer;
      yield { targets: world.answer, whole: world.whole };
    }
  }
  const source: Source = { name: 'test:', follow };
  let changed = 0;
  const follower = new Follower({
    source,
    now: () => performance.now(),
    random: () => 0.5,
    pause: (milliseconds, signal) =>
      new Promise((resolve) => {
        const over = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', over);
          resolve();
        };
        const timer = setTimeout(over, milliseconds);
        signal.addEventListener('abort', over);
      }),
    onChange: () => {
      changed += 1;
    },
    onNotice: (text) => world.notices.push(text),
    onTrouble: (text) => world.troubles.push(text),
  });
  const ending = new AbortController();
  return { world, follower, ending, running: follower.run(ending.signal), changes: () => changed };
}

describe('a source of targets', () => {
  let made: ReturnType<typeof followed>;

  beforeEach(() => {
    vi.useFakeTimers();
    made = followed();
  });

  afterEach(async () => {
    made.ending.abort();
    await made.running;
    vi.useRealTimers();
  });

  test('that is dead for a minute at the start is asked again, and used within one retry of its return', async () => {
    const { world, follower } = made;
    world.answer = new Error('no server');
    await pass(60);
    expect(follower.status()).toMatchObject({ state: 'failing', lastError: { message: 'no server' } });
    world.answer = [A];
    await pass(15);
    expect(follower.targets).toEqual([A]);
    expect(follower.status()).toMatchObject({ state: 'working', targets: 1, found: 1 });
  });

  test.each([
    ['that fails', new Error('away')],
    ['that says that there is nothing', []],
  ])('%s for an hour takes no target away', async (_, answer) => {
    const { world, follower } = made;
    world.answer = [A, B];
    await pass(2);
    world.answer = answer;
    await pass(3_600);
    expect(follower.targets).toEqual([A, B]);
  });

  test('that names a target no more has it removed after the time of grace, and not before', async () => {
    const { world, follower, changes } = made;
    world.answer = [A, B];
    await pass(2);
    world.answer = [B];
    await pass(GRACE / 1_000 - 5);
    expect(follower.targets).toEqual([A, B]);
    await pass(20);
    expect(follower.targets).toEqual([B]);
    expect(changes()).toBeGreaterThan(1);
  });

  test('that fails during the time of grace has nothing removed until it says once more that it is gone', async () => {
    const { world, follower } = made;
    world.answer = [A, B];
    await pass(2);
    world.answer = [B];
    await pass(10);
    world.answer = new Error('away');
    await pass(3_600);
    expect(follower.targets).toEqual([A, B]);
    world.answer = [B];
    await pass(30);
    expect(follower.targets).toEqual([B]);
  });

  test('that names a target again in time begins the time of grace anew', async () => {
    const { world, follower } = made;
    for (const answer of [[A, B], [B], [A, B], [B]]) {
      world.answer = answer;
      await pass(200);
    }
    expect(follower.targets).toEqual([A, B]);
  });

  test('that knows only a part of what there is adds targets and removes none', async () => {
    const { world, follower } = made;
    world.answer = [A];
    await pass(2);
    [world.answer, world.whole] = [[B], false];
    await pass(3_600);
    expect(follower.targets).toEqual([A, B]);
  });

  test('that names too many has some left out, which is said once with their number', async () => {
    const { world, follower } = made;
    world.answer = numbered(MAX_TARGETS + 234);
    await pass(60);
    expect(follower.targets).toHaveLength(MAX_TARGETS);
    expect(world.troubles).toEqual([expect.stringMatching(/234 targets are left out/)]);
  });

  test('that names what is no target has that left out, which is said once, as one harmless line', async () => {
    const { world, follower } = made;
    world.answer = [A, 'http://\u001b[31mexample\nlevel=error', '127.0.0.1', B];
    await pass(60);
    expect(follower.targets).toEqual([A, B]);
    expect(world.troubles).toHaveLength(1);
    expect(world.troubles[0]).toMatch(/http:.*and 1 more/);
    expect(world.troubles[0]).toMatch(/^[\x20-\x7e]*$/);
  });

  test('is told of once when it fails and once when it works again', async () => {
    const { world } = made;
    world.answer = [A];
    await pass(10);
    world.answer = new Error('away');
    await pass(600);
    world.answer = [A];
    await pass(600);
    expect(world.troubles).toEqual([expect.stringMatching(/test: .*away/)]);
    expect(world.notices).toEqual(['test: answers again: 1 targets']);
  });

  test('that changes its mind all the time is neither asked nor told of more than once a second', async () => {
    const { world } = made;
    let i = 0;
    Object.defineProperty(world, 'answer', {
      get: () => {
        i += 1;
        return i % 2 === 0 ? new Error('away') : [A];
      },
    });
    await pass(600);
    expect(world.asked).toBeLessThanOrEqual(600);
    expect(world.troubles.length + world.notices.length).toBeLessThanOrEqual(600);
  });
});
