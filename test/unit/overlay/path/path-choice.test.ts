import { describe, expect, test } from 'vitest';
import type { PeerId } from '../../../../src/identity/index.js';
import { PathChoice, type PathOptions } from '../../../../src/overlay/path/path-choice.js';

const [near, far] = ['000000000000000a', '000000000000000b'] as [PeerId, PeerId];
const relay = (id: PeerId, cost: number, hops = 1) => ({ relay: id, cost, hops });

/** Asks for `milliseconds`, ten times a second, and gives what was in use then. */
function live(choice: PathChoice, from: number, milliseconds: number, options: (at: number) => PathOptions) {
  const used: (PeerId | null)[] = [];
  for (let now = from; now < from + milliseconds; now += 100) {
    choice.choose(options(now), now);
    used.push(choice.via);
  }
  return { used, changes: used.filter((via, i) => i > 0 && via !== used[i - 1]).length };
}

describe('the choice of a path', () => {
  test('leaves a direct way that fails for the cheapest relay at once', () => {
    const choice = new PathChoice();
    choice.choose({ direct: 5_000, relays: [relay(near, 9_000), relay(far, 50_000)] }, 0);
    expect(choice.via).toBeNull();
    choice.choose({ direct: undefined, relays: [relay(near, 9_000), relay(far, 50_000)] }, 100);
    expect(choice.via).toBe(near);
    choice.choose({ direct: undefined, relays: [relay(far, 50_000)] }, 200);
    expect(choice.via).toBe(far);
  });

  test('leaves a longer way for a shorter one that costs no more, and only so', () => {
    const choice = new PathChoice(far);
    const options = (cost: number) => () => ({
      direct: undefined,
      relays: [relay(near, cost), relay(far, 3_000, 2)].sort((a, b) => a.cost - b.cost),
    });
    expect(live(choice, 0, 10_000, options(3_100)).changes).toBe(0);
    const { used } = live(choice, 10_000, 10_000, options(2_900));
    expect([used[0], used.at(-1)]).toEqual([far, near]);
    expect(live(choice, 20_000, 10_000, options(3_100)).changes).toBe(0);
  });

  test('returns to the direct way soon after it works again', () => {
    const choice = new PathChoice(near);
    const options = { direct: 5_000, relays: [relay(near, 9_000)] };
    const again = choice.choose(options, 1_000);
    expect(choice.via).toBe(near);
    expect(again).toBeLessThanOrEqual(2_000);
    choice.choose(options, again ?? 0);
    expect(choice.via).toBeNull();
  });

  test('keeps the direct way when nothing works, so that it is there when it comes back', () => {
    const choice = new PathChoice(near);
    choice.choose({ direct: undefined, relays: [] }, 0);
    expect(choice.via).toBeNull();
  });

  test('leaves a working direct way only for a relay that is clearly better for seconds', () => {
    const slow = { direct: 100_000, relays: [relay(near, 20_000)] };
    const choice = new PathChoice();
    expect(live(choice, 0, 2_900, () => slow).changes).toBe(0);
    live(choice, 2_900, 1_000, () => slow);
    expect(choice.via).toBe(near);
    const alike = new PathChoice();
    expect(live(alike, 0, 60_000, () => ({ direct: 100_000, relays: [relay(near, 80_000)] })).changes).toBe(
      0,
    );
    expect(alike.via).toBeNull();
  });

  test('does not flap between ways whose cost trembles', () => {
    const trembling = (at: number): PathOptions => ({
      direct: undefined,
      relays:
        at % 400 < 200 ? [relay(near, 9_000), relay(far, 20_000)] : [relay(far, 9_000), relay(near, 20_000)],
    });
    expect(live(new PathChoice(near), 0, 60_000, trembling).changes).toBe(0);
  });

  test('trusts a direct way that comes and goes less and less', () => {
    const choice = new PathChoice();
    const unsteady = (at: number): PathOptions => ({
      direct: at % 3_000 < 2_000 ? 5_000 : undefined,
      relays: [relay(near, 9_000)],
    });
    const { changes } = live(choice, 0, 60_000, unsteady);
    expect(changes).toBeLessThanOrEqual(6);
    expect(choice.via).toBe(near);
    live(choice, 60_000, 61_000, () => ({ direct: 5_000, relays: [relay(near, 9_000)] }));
    expect(choice.via).toBeNull();
  });
});
