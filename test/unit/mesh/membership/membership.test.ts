import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../../bench/sim/virtual-clock.js';
import { WeftError } from '../../../../src/errors.js';
import { type Identity, identityFromSeed, type PeerId } from '../../../../src/identity/index.js';
import { encodeRecord, encodeSuspicion } from '../../../../src/mesh/membership/member-deltas.js';
import { Membership } from '../../../../src/mesh/membership/membership.js';
import {
  cleanNickname,
  type MemberRecord,
  type PeerRecord,
  signRecord,
} from '../../../../src/mesh/membership/record.js';

const self = identityFromSeed(Buffer.alloc(32, 100));
const others = [1, 2, 3].map((seed) => identityFromSeed(Buffer.alloc(32, seed)));
const [somebody = self, neighbour = self] = others;

function description(nickname: string) {
  return {
    nickname,
    version: '0.1.0',
    port: 6783,
    mtu: 1418,
    endpoints: ['192.0.2.1:6783'],
    features: [],
    ciphers: [],
    links: [],
    left: false,
  };
}

function recordOf(identity: Identity, change: Partial<PeerRecord> = {}): MemberRecord {
  const version = { incarnation: 1, sequence: 0 };
  const content = { publicKey: identity.publicKey, ...description('x'), ...version, ...change };
  return signRecord(identity, content);
}

/** A membership with its clock and what it told. */
function newMembership({ identity = self, limit = 100 } = {}) {
  const clock = new VirtualClock();
  const told: string[] = [];
  const membership = new Membership({
    identity,
    startedAt: 1000,
    self: description('me'),
    limit,
    clock,
    suspicionTime: 30_000,
    leftTime: 3_600_000,
    events: {
      changed: () => told.push('changed'),
      member: ({ peer }) => told.push(peer),
      superseded: () => told.push('superseded'),
    },
  });
  /** What came of it: whether it was news, or the code of the refusal. */
  const merge = (delta: Uint8Array): boolean | string => {
    try {
      return membership.merge(delta, neighbour.peer) !== null;
    } catch (error) {
      if (error instanceof WeftError) return error.code;
      throw error;
    }
  };
  return { membership, clock, told, merge };
}

function stateOf(membership: Membership): string[] {
  return membership
    .all()
    .map(
      ({ peer, record }) =>
        `${Buffer.from(record).toString('hex')}${membership.isSuspected(peer) ? ' suspected' : ''}`,
    );
}

/** Lets two exchange digests until neither has a question left. */
function reconcile(one: Membership, two: Membership): void {
  const queue: [Membership, Membership, Uint8Array][] = [[two, one, one.digest()]];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [at, from, digest] = next;
    for (const delta of at.answer(digest)) from.merge(delta, neighbour.peer);
    const finer = at.refine(digest);
    if (finer !== null) queue.push([from, at, finer]);
  }
}

/** Records and suspicions of three peers with few versions, so that they meet often; the nickname tells those of one version apart. */
const anyDelta = fc
  .record({
    who: fc.nat(2),
    incarnation: fc.nat(2),
    sequence: fc.nat(2),
    nickname: fc.constantFrom('a', 'b', 'c'),
    left: fc.boolean(),
    suspicion: fc.boolean(),
  })
  .map(({ who, suspicion, ...content }) => {
    const identity = others[who] ?? self;
    if (suspicion) return encodeSuspicion({ peer: identity.peer, ...content });
    return encodeRecord(recordOf(identity, content));
  });

const isSuspicion = (delta: Uint8Array) => delta[0] === 2;
const anyDeltas = fc.array(anyDelta, { maxLength: 12 });
const anyRecords = fc.array(
  anyDelta.filter((delta) => !isSuspicion(delta)),
  { maxLength: 12 },
);

function merged(...batches: readonly (readonly Uint8Array[])[]): string[] {
  const { membership, merge } = newMembership();
  for (const batch of batches) for (const delta of batch) merge(delta);
  return stateOf(membership);
}

describe('merging', () => {
  test('gives the same members in whatever order and grouping the records come', () => {
    fc.assert(
      fc.property(anyRecords, anyRecords, anyRecords, (a, b, c) => {
        const expected = merged([...a, ...b, ...c]);
        expect(merged(c, b, a)).toEqual(expected);
        expect(merged([...b, ...c], a)).toEqual(expected);
        expect(merged(a, b, c, a, c, b)).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  test('says what was news, and that nothing is when all is known', () => {
    fc.assert(
      fc.property(anyDeltas, (deltas) => {
        const { merge } = newMembership();
        const [records, suspicions] = [deltas.filter((d) => !isSuspicion(d)), deltas.filter(isSuspicion)];
        for (const delta of [...records, ...suspicions]) merge(delta);
        for (const delta of [...records, ...suspicions]) expect(merge(delta)).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  test('by an exchange of digests leaves both with the same', () => {
    fc.assert(
      fc.property(anyDeltas, anyDeltas, (a, b) => {
        const [one, two] = [newMembership(), newMembership({ identity: neighbour })];
        for (const delta of a) one.merge(delta);
        for (const delta of b) two.merge(delta);
        // Nobody keeps what others say of itself.
        reconcile(one.membership, two.membership);
        reconcile(two.membership, one.membership);
        const [left, right] = [stateOf(one.membership), stateOf(two.membership)];
        const own = (state: string[]) => state.filter((line) => !line.includes(hexOf(neighbour)));
        expect(own(left)).toEqual(own(right));
      }),
      { numRuns: 50 },
    );
  });

  test('of hundreds that differ in one asks for that one only', () => {
    const many = Array.from({ length: 300 }, (_, i) =>
      identityFromSeed(Buffer.from(`${i}`.padStart(32, '0'))),
    );
    const [one, two] = [newMembership({ limit: 1000 }), newMembership({ limit: 1000 })];
    for (const identity of many) {
      for (const { merge } of [one, two]) merge(encodeRecord(recordOf(identity)));
    }
    const [changed = self] = many;
    one.merge(encodeRecord(recordOf(changed, { sequence: 1 })));
    const digest = one.membership.digest();
    expect(digest.length).toBeLessThan(16);
    const sums = two.membership.refine(digest) ?? Buffer.alloc(0);
    const versions = one.membership.refine(sums) ?? Buffer.alloc(0);
    expect(versions.length).toBeLessThan(200);
    const wanted = two.membership.refine(versions) ?? Buffer.alloc(0);
    expect(one.membership.answer(wanted)).toEqual([encodeRecord(recordOf(changed, { sequence: 1 }))]);
  });

  test('refuses what its owner did not sign', () => {
    const { membership, merge } = newMembership();
    const good = recordOf(somebody);
    const forged = { ...recordOf(somebody, { sequence: 9 }), signature: good.signature };
    expect(merge(encodeRecord(forged))).toBe('bad-signature');
    expect(merge(encodeRecord(good))).toBe(true);
    expect(membership.get(somebody.peer)?.content.sequence).toBe(0);
  });

  test('takes in a router that tells of endpoints that are none, without these', () => {
    const { membership, merge } = newMembership();
    const endpoints = [
      'example.org:1',
      '192.0.2.1',
      '[2001:DB8::1]:1',
      '192.0.2.1:0',
      '\u001b[2J:1',
      '192.0.2.1:1',
    ];
    const record = recordOf(somebody, { endpoints });
    expect(merge(encodeRecord(record))).toBe(true);
    expect(membership.get(somebody.peer)?.content.endpoints).toEqual(['192.0.2.1:1']);
    expect(membership.get(somebody.peer)?.record).toEqual(record.record);
  });

  test('refuses names that could not be', () => {
    const { membership, merge } = newMembership();
    const records = [
      recordOf(somebody, { nickname: 'a\u001b[2Jb' }),
      recordOf(somebody, { incarnation: 2 ** 53 - 1 }),
    ];
    for (const record of records) expect(merge(encodeRecord(record))).toBe('bad-message');
    expect(membership.all()).toHaveLength(1);
  });

  test('throws nothing but a refusal for any bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const flipped = fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 255 })).map(([at, change]) => {
      const copy = Buffer.from(encodeRecord(recordOf(somebody)));
      copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ change;
      return copy;
    });
    fc.assert(
      fc.property(fc.oneof(bytes, flipped), (delta) => {
        expect(newMembership().merge(delta)).not.toBe(true);
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.nat(4), bytes, (kind, rest) => {
        const { membership } = newMembership();
        const digest = Buffer.from([kind, ...rest]);
        try {
          membership.answer(digest);
          membership.refine(digest);
        } catch (error) {
          expect(error).toBeInstanceOf(WeftError);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('refuses a record with an MTU that no interface for IPv6 can have', () => {
    const merge = (mtu: number) => newMembership().merge(encodeRecord(recordOf(somebody, { mtu })));
    expect(merge(1280)).toBe(true);
    expect(merge(1279)).toBe('bad-message');
  });

  test('keeps no more records than its limit, and gives up those of peers that left first', () => {
    const { membership, merge } = newMembership({ limit: 3 });
    const [a = self, b = self, c = self] = others;
    merge(encodeRecord(recordOf(a, { left: true })));
    merge(encodeRecord(recordOf(b)));
    expect(merge(encodeRecord(recordOf(c)))).toBe(true);
    expect(membership.get(a.peer)).toBeUndefined();
    expect(merge(encodeRecord(recordOf(a, { sequence: 1 })))).toBe('too-many-members');
  });

  test('remembers from whom the newest record of each came first', () => {
    const { membership } = newMembership();
    const [a = self, b = self, c = self] = others;
    membership.merge(encodeRecord(recordOf(a)), b.peer);
    membership.merge(encodeRecord(recordOf(a)), c.peer);
    expect(membership.member(a.peer)?.via).toBe(b.peer);
    membership.merge(encodeRecord(recordOf(a, { sequence: 1 })), c.peer);
    expect(membership.member(a.peer)?.via).toBe(c.peer);
  });
});

describe('a peer that left', () => {
  test('is forgotten after a while, and does not come back by an old record', () => {
    const { membership, clock, merge } = newMembership();
    const old = encodeRecord(recordOf(somebody));
    const last = encodeRecord(recordOf(somebody, { sequence: 1, left: true }));
    merge(old);
    merge(last);
    expect(membership.present).toBe(1);
    clock.run(3_600_000);
    expect(membership.get(somebody.peer)).toBeUndefined();
    expect([merge(old), merge(last)]).toEqual([false, false]);
    expect(merge(encodeRecord(recordOf(somebody, { incarnation: 2 })))).toBe(true);
    expect(membership.present).toBe(2);
  });
});

describe('a peer that is suspected', () => {
  const record = recordOf(somebody);
  const suspicion = encodeSuspicion({ peer: somebody.peer, incarnation: 1, sequence: 0 });

  test('is down when it does not object, and up again with its next record', () => {
    const { membership, clock, merge, told } = newMembership();
    merge(encodeRecord(record));
    expect(merge(suspicion)).toBe(true);
    clock.run(29_999);
    expect(membership.isDown(somebody.peer)).toBe(false);
    clock.run(1);
    expect(membership.isDown(somebody.peer)).toBe(true);
    expect(told).toEqual([somebody.peer, somebody.peer]);
    expect(merge(encodeRecord(recordOf(somebody, { sequence: 1 })))).toBe(true);
    expect(membership.isDown(somebody.peer)).toBe(false);
    clock.run(60_000);
    expect(membership.isDown(somebody.peer)).toBe(false);
  });

  test('is not suspected for what it was before', () => {
    const { membership, merge } = newMembership();
    merge(encodeRecord(recordOf(somebody, { sequence: 1 })));
    expect(merge(suspicion)).toBe(false);
    expect(membership.isSuspected(somebody.peer)).toBe(false);
  });

  test('objects with a new version of its record, once a second at most', () => {
    const { membership, clock, merge } = newMembership();
    const suspect = () => {
      const { incarnation, sequence } = membership.self.content;
      return merge(encodeSuspicion({ peer: self.peer, incarnation, sequence }));
    };
    expect(suspect()).toBe(false);
    clock.run(0);
    expect(membership.self.content.sequence).toBe(1);
    expect(membership.takeDeltas()).toEqual([encodeRecord(membership.self)]);
    suspect();
    suspect();
    clock.run(999);
    expect(membership.self.content.sequence).toBe(1);
    clock.run(1);
    expect(membership.self.content.sequence).toBe(2);
  });

  test('is told of to others', () => {
    const { membership, merge } = newMembership();
    merge(encodeRecord(record));
    membership.suspect(somebody.peer);
    membership.suspect(somebody.peer);
    membership.suspect(self.peer);
    expect(membership.takeDeltas()).toEqual([suspicion]);
  });
});

describe('the own record', () => {
  test('is bumped when it changes, and only then', () => {
    const { membership, told } = newMembership();
    membership.update({ nickname: 'new' });
    membership.update({ nickname: 'new' });
    expect(membership.self.content).toMatchObject({ nickname: 'new', sequence: 1 });
    expect(told).toEqual(['changed']);
  });

  test('outdoes a newer one that somebody still holds', () => {
    const { membership, merge, told } = newMembership();
    merge(encodeRecord(recordOf(self, { incarnation: 5000, left: true })));
    expect(told).toEqual(['superseded', 'changed']);
    expect(membership.self.content).toMatchObject({ incarnation: 5001, left: false, nickname: 'me' });
    expect(membership.takeDeltas()).toEqual([encodeRecord(membership.self)]);
  });

  test('does not race a copy of itself', () => {
    const { membership, clock, merge, told } = newMembership();
    merge(encodeRecord(recordOf(self, { incarnation: 5000 })));
    const copy = encodeRecord(recordOf(self, { incarnation: 6000 }));
    clock.run(999);
    merge(copy);
    expect(told).toEqual(['superseded', 'changed', 'superseded']);
    clock.run(1);
    merge(copy);
    expect(membership.self.content.incarnation).toBe(6001);
  });

  test('has a nickname that fits and cannot disturb a terminal', () => {
    expect(cleanNickname(' host\u0007\n ')).toBe('host');
    expect(Buffer.byteLength(cleanNickname('ü'.repeat(100)))).toBeLessThanOrEqual(63);
    expect(cleanNickname('👍'.repeat(40))).toBe('👍'.repeat(15));
  });
});

function hexOf({ publicKey }: { publicKey: Buffer; peer: PeerId }): string {
  return publicKey.toString('hex');
}
