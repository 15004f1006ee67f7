import { expect, test } from 'vitest';
import type { PeerId } from '../../../../../src/identity/index.js';
import { Puncher } from '../../../../../src/overlay/path/traversal/puncher.js';

const peer = '2222222222222222' as PeerId;

/** When it asks, in seconds. */
function asks(seconds: number, facts: (at: number) => { direct: boolean; addresses: string }) {
  const puncher = new Puncher();
  const found: number[] = [];
  for (let now = 0; now <= seconds * 1000; now += 100) {
    const { direct, addresses } = facts(now / 1000);
    if (puncher.next(peer, direct, addresses, now).punch) found.push(now / 1000);
  }
  return found;
}

test('a peer that answers directly is left alone', () => {
  expect(asks(60, () => ({ direct: true, addresses: 'x' }))).toEqual([]);
});

test('one that does not is asked at a falling pace, and soon again when either has a new address', () => {
  expect(asks(10, () => ({ direct: false, addresses: 'x' }))).toEqual([0.5, 1.5, 3.5, 7.5]);
  const moved = asks(31, (at) => ({ direct: false, addresses: at < 20 ? 'x' : 'y' }));
  expect(moved.filter((at) => at >= 20)).toEqual([20.5, 21.5, 23.5, 27.5]);
});
