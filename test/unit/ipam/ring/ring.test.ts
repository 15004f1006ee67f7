import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PeerId } from '../../../../src/identity/index.js';
import { parseBlock } from '../../../../src/ipam/ring/range.js';
import { type RingRecord, UNSIGNED } from '../../../../src/ipam/ring/records.js';
import { Ring } from '../../../../src/ipam/ring/ring.js';

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

test('what a peer owns is what addresses say of their owner, as few spans as can be', () => {
  fc.assert(
    fc.property(records, (list) => {
      const ring = ringOf(list);
      for (const peer of PEERS) {
        const spans = ring.arcsOf(peer);
        for (let address = RANGE.start; address < RANGE.end; address += 1) {
          const record = ring.at(address)?.record;
          const isIts =
            record?.owner === peer && !ring.hasEnded({ peer, incarnation: record.ownerIncarnation });
          expect(spans.some(({ start, end }) => start <= address && address < end)).toBe(isIts);
        }
        for (const [at, { end }] of spans.entries())
          expect(spans[at + 1]?.start ?? Infinity).toBeGreaterThan(end);
      }
    }),
  );
});
