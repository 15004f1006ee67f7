import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Identity, identityFromSeed } from '../../../src/identity/index.js';
import { Membership } from '../../../src/mesh/membership.js';
import { cleanNickname, type MemberRecord, type PeerRecord, signRecord } from '../../../src/mesh/record.js';

const self = identityFromSeed(Buffer.alloc(32, 100));
const others = [1, 2, 3].map((seed) => identityFromSeed(Buffer.alloc(32, seed)));
const [somebody = self] = others;

function description(nickname: string) {
  return {
    nickname,
    port: 6783,
    mtu: 1418,
    endpoints: ['192.0.2.1:6783'],
    features: [],
    ciphers: [],
    left: false,
  };
}

function recordOf(identity: Identity, change: Partial<PeerRecord> = {}): MemberRecord {
  const version = { incarnation: 1, sequence: 0 };
  const content = { publicKey: identity.publicKey, ...description('x'), ...version, ...change };
  return signRecord(identity, content);
}

function newMembership(limit = 100): Membership {
  return new Membership({ identity: self, now: 1000, self: description('me'), limit });
}

function stateOf(membership: Membership): string[] {
  return membership
    .all()
    .map(({ record }) => Buffer.from(record).toString('hex'))
    .sort();
}

/** Records of three peers with few versions, so that they meet often; the nickname tells those of one version apart. */
const anyRecord = fc
  .record({
    who: fc.nat(2),
    incarnation: fc.nat(2),
    sequence: fc.nat(2),
    nickname: fc.constantFrom('a', 'b', 'c'),
    left: fc.boolean(),
  })
  .map(({ who, ...content }) => recordOf(others[who] ?? self, content));

const anyRecords = fc.array(anyRecord, { maxLength: 12 });

function merged(...batches: readonly (readonly MemberRecord[])[]): string[] {
  const membership = newMembership();
  for (const batch of batches) membership.merge(batch, 0);
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
      fc.property(anyRecords, (records) => {
        const membership = newMembership();
        membership.merge(records, 0);
        expect(membership.merge(records, 0).news).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  test('refuses what its owner did not sign, and takes the rest', () => {
    const membership = newMembership();
    const good = recordOf(somebody);
    const forged = { ...recordOf(somebody, { sequence: 9 }), signature: good.signature };
    const { news, refused } = membership.merge([forged, good], 0);
    expect(refused.map((error) => error.code)).toEqual(['bad-signature']);
    expect(news.map((record) => record.content.sequence)).toEqual([0]);
  });

  test('refuses endpoints and names that could not be', () => {
    const membership = newMembership();
    const records = [
      recordOf(somebody, { endpoints: ['example.org:1'] }),
      recordOf(somebody, { endpoints: ['192.0.2.1'] }),
      recordOf(somebody, { endpoints: ['[2001:DB8::1]:1'] }),
      recordOf(somebody, { nickname: 'a\u001b[2Jb' }),
      recordOf(somebody, { incarnation: 2 ** 53 - 1 }),
    ];
    expect(membership.merge(records, 0).refused.map((error) => error.code)).toEqual(
      records.map(() => 'bad-message'),
    );
    expect(membership.all()).toHaveLength(1);
  });

  test('throws for no bytes at all', () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const signature = fc.uint8Array({ minLength: 64, maxLength: 64 });
    const flipped = fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 255 })).map(([at, change]) => {
      const { record } = recordOf(somebody);
      const copy = Buffer.from(record);
      copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ change;
      return copy;
    });
    fc.assert(
      fc.property(fc.oneof(bytes, flipped), signature, (record, signed) => {
        const { news, refused } = newMembership().merge([{ record, signature: signed }], 0);
        expect(news).toEqual([]);
        expect(refused).toHaveLength(1);
      }),
      { numRuns: 500 },
    );
  });

  test('refuses a record with an MTU that no interface for IPv6 can have', () => {
    const merge = (mtu: number) => newMembership().merge([recordOf(somebody, { mtu })], 0);
    expect(merge(1280).refused).toEqual([]);
    expect(merge(1279).refused.map(({ code }) => code)).toEqual(['bad-message']);
  });

  test('keeps no more records than its limit, and gives up those of peers that left first', () => {
    const membership = newMembership(3);
    const [a = self, b = self, c = self] = others;
    membership.merge([recordOf(a, { left: true }), recordOf(b)], 0);
    expect(membership.merge([recordOf(c)], 0).refused).toEqual([]);
    expect(membership.get(a.peer)).toBeUndefined();
    expect(membership.merge([recordOf(a)], 0).refused[0]?.code).toBe('too-many-members');
  });
});

describe('the own record', () => {
  test('is bumped when it changes, and only then', () => {
    const membership = newMembership();
    expect(membership.update({ nickname: 'new' })?.content).toMatchObject({ nickname: 'new', sequence: 1 });
    expect(membership.update({ nickname: 'new' })).toBeUndefined();
  });

  test('outdoes a newer one that somebody still holds', () => {
    const membership = newMembership();
    const { news, outdone } = membership.merge([recordOf(self, { incarnation: 5000, left: true })], 0);
    expect(outdone).toBe(true);
    expect(news.map(({ content }) => content)).toMatchObject([
      { incarnation: 5001, left: false, nickname: 'me' },
    ]);
  });

  test('does not race a copy of itself', () => {
    const membership = newMembership();
    membership.merge([recordOf(self, { incarnation: 5000 })], 0);
    const copy = [recordOf(self, { incarnation: 6000 })];
    expect(membership.merge(copy, 999)).toMatchObject({ news: [], outdone: true });
    expect(membership.merge(copy, 1000).news.map(({ content }) => content.incarnation)).toEqual([6001]);
  });

  test('has a nickname that fits and cannot disturb a terminal', () => {
    expect(cleanNickname(' host\u0007\n ')).toBe('host');
    expect(Buffer.byteLength(cleanNickname('ü'.repeat(100)))).toBeLessThanOrEqual(63);
    expect(cleanNickname('👍'.repeat(40))).toBe('👍'.repeat(15));
  });
});
