import { describe, expect, test } from 'vitest';
import { StreamChoice, type StreamFacts } from '../../../../../src/overlay/path/traversal/stream-choice.js';

const silent: StreamFacts = { udp: false, relayed: false, stream: false };

/** When it wants a connection opened or closed, in seconds, asked ten times a second for so long. */
function acts(choice: StreamChoice, seconds: number, facts: (at: number) => StreamFacts) {
  const found: [string, number][] = [];
  for (let now = 0; now <= seconds * 1000; now += 100) {
    const { what } = choice.next(facts(now / 1000), now);
    if (what !== 'wait') found.push([what, now / 1000]);
  }
  return found;
}

describe('a TCP connection for data', () => {
  test('is opened by one end after a second of silence, by the other should that fail', () => {
    expect(acts(new StreamChoice(true), 3, () => silent)).toEqual([['open', 1]]);
    expect(acts(new StreamChoice(false), 3, () => silent)).toEqual([]);
    expect(acts(new StreamChoice(false), 5, () => silent)).toEqual([['open', 4]]);
  });

  test('is not wanted while UDP answers or a relay does better', () => {
    expect(acts(new StreamChoice(true), 60, () => ({ ...silent, udp: true }))).toEqual([]);
    expect(acts(new StreamChoice(true), 60, () => ({ ...silent, relayed: true }))).toEqual([]);
  });

  test('is tried again and again, at a falling pace', () => {
    const times = acts(new StreamChoice(true), 300, () => silent).map(([, at]) => at);
    expect(times.slice(0, 4)).toEqual([1, 6, 16, 36]);
    expect(times.length).toBeLessThan(10);
  });

  test('is closed once UDP has answered for 10 s without a break', () => {
    const unsteady = (at: number): StreamFacts => ({ ...silent, stream: true, udp: at % 8 < 7 });
    expect(acts(new StreamChoice(true), 60, unsteady)).toEqual([]);
    const steady = (at: number): StreamFacts => ({ ...silent, stream: at <= 12, udp: at >= 2 });
    expect(acts(new StreamChoice(true), 30, steady)[0]).toEqual(['close', 12]);
  });
});
