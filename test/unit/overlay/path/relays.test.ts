import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PeerId } from '../../../../src/identity/index.js';
import { type LinkStates, relaysTo } from '../../../../src/overlay/path/relays.js';

const peer = (number: number) => number.toString(16).padStart(16, '0') as PeerId;

/** Links both ways, as `[from, to, cost]`. */
function links(...list: readonly [number, number, number][]): Map<PeerId, Map<PeerId, number>> {
  const states = new Map<PeerId, Map<PeerId, number>>();
  const put = (from: number, to: number, cost: number) => {
    const state = states.get(peer(from)) ?? new Map<PeerId, number>();
    states.set(peer(from), state.set(peer(to), cost));
  };
  for (const [from, to, cost] of list) {
    put(from, to, cost);
    put(to, from, cost);
  }
  return states;
}

describe('relays', () => {
  test('lead along a chain, one hop after the other', () => {
    const chain = links([1, 2, 10], [2, 3, 10], [3, 4, 10], [4, 5, 10]);
    expect(relaysTo(chain, peer(1), peer(5))).toEqual([{ relay: peer(2), cost: 40, hops: 3 }]);
    expect(relaysTo(chain, peer(2), peer(5))).toEqual([{ relay: peer(3), cost: 30, hops: 2 }]);
    expect(relaysTo(chain, peer(4), peer(5))).toEqual([]);
  });

  test('are offered cheapest first, and none that is farther from the peer than we are', () => {
    const states = links([1, 2, 10], [2, 9, 10], [1, 3, 5], [3, 9, 50], [1, 4, 1], [1, 9, 100]);
    expect(relaysTo(states, peer(1), peer(9)).map(({ relay }) => relay)).toEqual([peer(2)]);
    const without = links([1, 2, 10], [2, 9, 10], [1, 3, 5], [3, 9, 12]);
    expect(relaysTo(without, peer(1), peer(9))).toEqual([
      { relay: peer(3), cost: 17, hops: 1 },
      { relay: peer(2), cost: 20, hops: 1 },
    ]);
  });

  test('need links that both ends know to work', () => {
    const states = links([1, 2, 10], [2, 3, 10]);
    states.get(peer(3))?.delete(peer(2));
    expect(relaysTo(states, peer(1), peer(3))).toEqual([]);
  });

  test('never lead in a circle, whichever of them each router takes', () => {
    const number = fc.integer({ min: 0, max: 9 });
    const link = fc.tuple(number, number, fc.integer({ min: 1, max: 1000 }));
    fc.assert(
      fc.property(
        fc.array(link, { maxLength: 40 }),
        number,
        number,
        fc.infiniteStream(fc.nat()),
        (list, a, b, picks) => {
          const states: LinkStates = links(...list.filter(([from, to]) => from !== to));
          let at = peer(a);
          const seen = new Set<PeerId>();
          while (at !== peer(b)) {
            expect(seen.has(at)).toBe(false);
            seen.add(at);
            const options = relaysTo(states, at, peer(b));
            if (options.length === 0) break;
            at = options[(picks.next().value ?? 0) % options.length]?.relay ?? at;
          }
          // Where relays end, the peer itself is next, or nothing leads there at all.
          if (at !== peer(b) && seen.size > 1) expect(states.get(at)?.has(peer(b))).toBe(true);
        },
      ),
    );
  });
});
