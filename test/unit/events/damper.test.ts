import { describe, expect, it } from 'vitest';
import { Damper } from '../../../src/events/index.js';

describe('a path that flaps', () => {
  const damper = () => new Damper<string>((a, b) => a === b);

  it('is told at once four times, then once for all changes, when the first is 20 s ago', () => {
    const paths = damper();
    const told = [];
    for (let i = 1; i <= 100; i += 1)
      told.push(...[paths.see('b', i % 2 === 1 ? 'direct' : 'none', 'none', i)].filter(Boolean));
    expect(told.map((change) => change?.now)).toEqual(['direct', 'none', 'direct', 'none']);
    expect(paths.nextDue).toBe(20_001);
    expect(paths.due(20_000)).toEqual([]);
    expect(paths.due(20_001)).toEqual([{ key: 'b', before: 'none', now: 'none', changes: 96 }]);
    expect(paths.nextDue).toBe(Infinity);
  });

  it('costs no other path its word', () => {
    const paths = damper();
    for (let i = 1; i <= 100; i += 1) paths.see('b', String(i), 'none', i);
    expect(paths.see('c', 'direct', 'none', 101)).toEqual({
      key: 'c',
      before: 'none',
      now: 'direct',
      changes: 1,
    });
  });

  it('is forgotten with its peer', () => {
    const paths = damper();
    for (let i = 1; i <= 100; i += 1) paths.see('b', String(i), 'none', i);
    paths.forget('b');
    expect(paths.due(100_000)).toEqual([]);
    expect(paths.keys()).toEqual([]);
  });

  it('is no news while it stays as it is', () => {
    const paths = damper();
    expect(paths.see('b', 'none', 'none', 1)).toBeUndefined();
    expect(paths.see('b', 'direct', 'none', 2)?.changes).toBe(1);
    expect(paths.see('b', 'direct', 'none', 3)).toBeUndefined();
  });
});
