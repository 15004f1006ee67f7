import { describe, expect, test } from 'vitest';
import { type PeerId, peerIdOf } from '../../../../src/identity/index.js';
import type { Election } from '../../../../src/ipam/election/election.js';
import { cheapSigner, newElector, newObserver, repair, save, settle } from './electors.js';

function peersOf(...indices: readonly number[]): PeerId[] {
  return indices.map((index) => peerIdOf(cheapSigner(index).publicKey)).sort();
}

function electors(count: number): Election[] {
  return Array.from({ length: count }, (_, index) => newElector(index, count));
}

/** Time passes for one router, until its patience is at an end. */
function wait(election: Election, from = 0): void {
  election.tick(from, 0);
  election.tick(from + 6000, 0);
}

describe('an election', () => {
  test('of one router has its outcome at once, when it is stored', () => {
    const [only = newObserver()] = electors(1);
    save(only);
    only.propose();
    expect(only.decided).toBeNull();
    save(only);
    expect(only.decided).toEqual(peersOf(0));
    expect(only.unsaved).toBeNull();
  });

  test('has all electors that are known share the ring', () => {
    const all = electors(5);
    settle(...all);
    all[3]?.propose();
    settle(...all);
    for (const { decided } of all) expect(decided).toEqual(peersOf(0, 1, 2, 3, 4));
  });

  test('takes more than half of the electors', () => {
    const [a = newObserver(), b = newObserver(), c = newObserver()] = electors(4);
    settle(a, b);
    a.propose();
    settle(a, b);
    expect([a.decided, a.quorum]).toEqual([null, 3]);
    settle(a, b, c);
    expect(c.decided).toEqual(a.decided);
    expect(a.decided).toEqual(peersOf(0, 1, 2));
  });

  test('goes on without a proposer that is gone', () => {
    const [gone = newObserver(), b = newObserver(), c = newObserver()] = electors(3);
    settle(gone, b, c);
    gone.propose();
    save(gone);
    repair(gone, b);
    settle(b, c);
    expect(c.decided).toBeNull();
    wait(c);
    settle(b, c);
    expect(c.decided).toEqual(peersOf(0, 1, 2));
    expect(b.decided).toEqual(c.decided);
  });

  test('does not have a router outbid itself', () => {
    const [lonely = newObserver()] = electors(3);
    save(lonely);
    lonely.propose();
    save(lonely);
    for (let now = 0; now < 100_000; now += 1000) lonely.tick(now, 0.5);
    expect(lonely.unsaved).toBeNull();
  });

  test('is waited for until it is called for', () => {
    const all = electors(3);
    settle(...all);
    for (const election of all) wait(election);
    settle(...all);
    for (const { begun, decided } of all) expect([begun, decided]).toEqual([false, null]);
  });
});

describe('an observer', () => {
  test('calls for an election and learns of its outcome, but does not count', () => {
    const [a = newObserver(), b = newObserver()] = electors(3);
    const observers = [newObserver(), newObserver()];
    const [o = a] = observers;
    settle(a, ...observers);
    o.propose();
    settle(a, ...observers);
    expect(a.begun).toBe(true);
    wait(a);
    settle(a, ...observers);
    expect([a.decided, o.votes, o.unsaved]).toEqual([null, false, null]);
    settle(b, ...observers);
    settle(a, b, ...observers);
    expect(o.decided).toEqual(peersOf(0, 1));
    expect(b.decided).toEqual(o.decided);
    expect(o.electors).toEqual(peersOf(0, 1));
  });
});

describe('the record of an elector', () => {
  test('is told to nobody before it is stored', () => {
    const [a = newObserver(), b = newObserver()] = electors(2);
    repair(a, b);
    expect([a.takeDeltas(), b.electors]).toEqual([[], []]);
    settle(a, b);
    a.propose();
    expect(a.unsaved).not.toBeNull();
    repair(a, b);
    // It knows that somebody called for an election, and no proposal to promise.
    expect([b.begun, b.unsaved]).toEqual([true, null]);
    save(a);
    repair(a, b);
    expect(b.unsaved).not.toBeNull();
  });

  test('is known again after a restart', () => {
    const all = electors(3);
    const [a = newObserver(), b = newObserver(), c = newObserver()] = all;
    settle(...all);
    a.propose();
    const state = a.unsaved ?? Buffer.alloc(0);
    a.saved(state);
    repair(a, b);
    const again = newElector(0, 3, { stored: state, incarnation: 1000 });
    settle(again, b, c);
    expect(again.retired).toBe(false);
    expect(b.decided).toEqual(peersOf(0, 1, 2));
    expect(again.decided).toEqual(b.decided);
  });

  test('is not changed any more by a router that lost its state', () => {
    const [a = newObserver(), b = newObserver(), c = newObserver()] = electors(3);
    settle(a, b, c);
    a.propose();
    settle(a, b);
    const again = newElector(0, 3, { incarnation: 1000 });
    save(again);
    expect(again.votes).toBe(true);
    repair(b, again);
    repair(again, b);
    expect([again.votes, again.retired]).toEqual([false, true]);
    settle(again, c);
    expect(again.decided).toEqual(b.decided);
    expect(again.unsaved).toBeNull();
  });

  test('is not changed any more by a router with an older state, even after one restart more', () => {
    const [a = newObserver(), b = newObserver()] = electors(3);
    const old = a.unsaved ?? Buffer.alloc(0);
    settle(a, b);
    a.propose();
    save(a);
    repair(a, b);
    const again = newElector(0, 3, { stored: old });
    expect(again.votes).toBe(true);
    repair(b, again);
    repair(again, b);
    expect(again.retired).toBe(true);
    const later = newElector(0, 3, { stored: again.unsaved ?? old });
    expect([later.votes, later.retired]).toEqual([false, true]);
  });
});

describe('a router', () => {
  test('that comes when there are as many electors as there may be does not vote', () => {
    const all = [...electors(2), newElector(2, 2)];
    const [a = newObserver(), b = newObserver(), late = newObserver()] = all;
    settle(a, b);
    settle(a, b, late);
    expect([a.votes, b.votes, late.votes]).toEqual([true, true, false]);
    late.propose();
    settle(a, b, late);
    wait(a);
    settle(a, b, late);
    expect(late.decided).toEqual(peersOf(0, 1));
  });

  test('that was told another number of electors is not listened to, and both are named', () => {
    const [a = newObserver(), b = newObserver()] = [newElector(0, 3), newElector(1, 5)];
    save(a);
    save(b);
    const [delta = Buffer.alloc(0)] = b.takeDeltas();
    expect(() => a.merge(delta)).toThrow(
      expect.objectContaining({
        code: 'election-mismatch',
        message: expect.stringMatching(new RegExp(`${peersOf(1)}.* 5 .* 3`)),
      }),
    );
    expect(a.electors).toEqual(peersOf(0));
  });

  test('cannot elect with a number that is none, nor with the state of another election or router', () => {
    expect(() => newElector(0, 0)).toThrow(expect.objectContaining({ code: 'bad-electors' }));
    expect(() => newElector(0, 1.5)).toThrow(expect.objectContaining({ code: 'bad-electors' }));
    expect(() => newElector(0, 1025)).toThrow(expect.objectContaining({ code: 'bad-electors' }));
    const stored = newElector(0, 3).unsaved ?? Buffer.alloc(0);
    expect(() => newElector(0, 5, { stored })).toThrow(
      expect.objectContaining({ code: 'election-mismatch' }),
    );
    expect(() => newElector(1, 3, { stored })).toThrow(expect.objectContaining({ code: 'bad-message' }));
    expect(() => newElector(0, 3, { stored: Buffer.of(1, 2, 3) })).toThrow(
      expect.objectContaining({ code: 'bad-message' }),
    );
  });
});
