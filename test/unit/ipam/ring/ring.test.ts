import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PeerId } from '../../../../src/identity/index.js';
import { Allocations, IPV4, spareBlock } from '../../../../src/ipam/ownership/allocations.js';
import {
  addressNumber,
  addressText,
  evenShares,
  overlappingRoute,
  parseBlock,
  sizeOf,
} from '../../../../src/ipam/ring/range.js';
import { type RingRecord, UNSIGNED } from '../../../../src/ipam/ring/records.js';
import { Ring } from '../../../../src/ipam/ring/ring.js';
import { Ula } from '../../../../src/ipam/ula.js';

const RANGE = parseBlock('10.32.0.0/26');
const PEERS = ['a', 'b', 'c', 'd'].map((name) => name.repeat(16) as PeerId);

const peer = fc.constantFrom(...PEERS);
const incarnation = fc.integer({ min: 1, max: 3 });
const ownership: fc.Arbitrary<RingRecord> = fc
  .record({
    start: fc.integer({ min: RANGE.start, max: RANGE.end - 1 }),
    size: fc.integer({ min: 1, max: 40 }),
    version: fc.integer({ min: 1, max: 6 }),
    owner: peer,
    ownerIncarnation: incarnation,
    signer: peer,
    signerIncarnation: incarnation,
  })
  .map(({ start, size, ...rest }) => {
    const end = Math.min(RANGE.end, start + size);
    return { kind: 'ownership', start, end, ...rest, signature: UNSIGNED };
  });
const participant: fc.Arbitrary<RingRecord> = fc
  .record({
    ...{ peer, incarnation, ended: fc.boolean(), successor: peer, successorIncarnation: incarnation },
    ...{ signer: peer },
    ...{ sequence: fc.integer({ min: 0, max: 3 }), free: fc.integer({ min: 0, max: 3 }) },
  })
  .map((content) => ({ kind: 'participant', ...content, signature: UNSIGNED }));
const records = fc.array(fc.oneof(ownership, participant), { maxLength: 40 });

function ringOf(list: readonly RingRecord[], ring = Ring.founded(RANGE, PEERS)): Ring {
  return list.reduce((known, record) => known.put(record), ring);
}

/**
 * The record in force for each address, and all participant records: rings for which this is equal are equal
 * to everybody.
 */
function shown(ring: Ring): unknown {
  const owners = Array.from(
    { length: RANGE.end - RANGE.start },
    (_, at) => ring.at(RANGE.start + at)?.record,
  );
  const participants = [...ring.participantRecords.values()].sort((a, b) => (a.peer < b.peer ? -1 : 1));
  return { owners, participants };
}

test('records give the same ring in whichever order and however often they come', () => {
  fc.assert(
    fc.property(records, fc.infiniteStream(fc.nat()), (list, order) => {
      const once = ringOf(list);
      const keyed = [...list, ...list].map((record) => ({ record, key: order.next().value as number }));
      const shuffled = keyed.sort((a, b) => a.key - b.key).map(({ record }) => record);
      expect(shown(ringOf(shuffled))).toEqual(shown(once));
      expect(ringOf(shuffled).participantsHash).toBe(once.participantsHash);
    }),
  );
});

test('what a ring tells makes the same ring elsewhere, and what it knows is no news', () => {
  fc.assert(
    fc.property(records, (list) => {
      const ring = ringOf(list);
      expect(shown(ringOf([...ring.records()]))).toEqual(shown(ring));
      for (const record of list) expect(ring.put(record)).toBe(ring);
    }),
  );
});

test('two rings that were apart become the same by telling each other the records in force', () => {
  fc.assert(
    fc.property(records, records, (first, second) => {
      const [a, b] = [ringOf(first), ringOf(second)];
      expect(shown(ringOf([...b.records()], a))).toEqual(shown(ringOf([...a.records()], b)));
    }),
  );
});

test('the arcs of a ring always cover the whole range, in order', () => {
  fc.assert(
    fc.property(records, (list) => {
      const { arcs } = ringOf(list);
      expect(arcs[0]?.start).toBe(RANGE.start);
      for (const [at, { end }] of arcs.entries()) {
        expect(arcs[at + 1]?.start ?? RANGE.end).toBe(end);
      }
    }),
  );
});

test('the range is split as evenly as halves allow', () => {
  for (let shares = 1; shares < 20; shares++) {
    const parts = evenShares(RANGE, shares);
    expect(sizeOf(parts)).toBe(64);
    const sizes = parts.map(({ start, end }) => end - start);
    expect(Math.max(...sizes) / Math.min(...sizes)).toBeLessThanOrEqual(2);
    for (const { start, end } of parts) expect(start % (end - start)).toBe(0);
  }
});

test('the biggest aligned block is spared, and half of it when that is most of what is free', () => {
  const { none } = Allocations;
  const whole = [{ start: 64, end: 128 }];
  expect(spareBlock(none.gaps(whole, { start: 0, end: 256 }))).toEqual({ start: 96, end: 128 });
  const used = none.with({ owner: 'x', address: 97, length: 24, families: IPV4 });
  expect(used.gaps(whole, { start: 80, end: 100 })).toEqual([
    { start: 80, end: 97 },
    { start: 98, end: 100 },
  ]);
  expect(spareBlock(used.gaps(whole, { start: 80, end: 100 }))).toEqual({ start: 88, end: 96 });
  expect(spareBlock([{ start: 7, end: 8 }])).toEqual({ start: 7, end: 8 });
  expect(spareBlock([])).toBeUndefined();
});

test('subnets are read with or without host bits, and what has no room for hosts is refused', () => {
  expect(parseBlock('10.40.1.2/16').text).toBe('10.40.0.0/16');
  expect(addressText(addressNumber('255.1.2.3'))).toBe('255.1.2.3');
  for (const text of ['10.0.0.0/31', '10.0.0.0', 'fd00::/64', '10.0.0/8', '10.0.0.0/x']) {
    expect(() => parseBlock(text), text).toThrow(/is no IPv4 subnet/);
  }
});

test('a route that shares addresses with the range is found', () => {
  const range = parseBlock('10.32.0.0/12');
  expect(overlappingRoute(range, ['default', '192.168.0.0/16', '10.48.0.0/16', '0.0.0.0/0'])).toBeUndefined();
  expect(overlappingRoute(range, ['192.168.0.0/16', '10.40.7.0/24'])).toBe('10.40.7.0/24');
  expect(overlappingRoute(range, ['10.0.0.0/8'])).toBe('10.0.0.0/8');
  expect(overlappingRoute(range, ['10.47.255.255'])).toBe('10.47.255.255');
});

test('every IPv4 address has one IPv6 address of the network, and the other way round', () => {
  const ula = new Ula('0123456789abcdef');
  expect(ula.range).toMatch(/^fd[0-9a-f:]+::\/96$/);
  expect(new Ula('0123456789abcdee').range).not.toBe(ula.range);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (address) => {
      const [host = ''] = ula.text(address, 12).split('/');
      expect(ula.embedded(host)).toBe(address);
    }),
  );
  expect(ula.text(addressNumber('10.32.0.1'), 12)).toMatch(/:a20:1\/108$/);
  expect(ula.embedded('fd00::a20:1')).toBeUndefined();
});
