import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { peerIdOf } from '../../../../src/identity/index.js';
import { ElectorRecords } from '../../../../src/ipam/election/elector-records.js';
import { type SignedElectorRecord, signRecord } from '../../../../src/ipam/election/wire.js';
import { hexOf } from '../../identity/vectors.js';
import { cheapSigner } from './electors.js';

const ELECTORS = 3;

/**
 * ElectorRecord of one of five routers, in any of three incarnations and versions; two with one version can
 * differ.
 */
const anyRecord: fc.Arbitrary<SignedElectorRecord> = fc
  .record({
    who: fc.nat(4),
    incarnation: fc.nat(2),
    version: fc.nat(2),
    round: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ who, incarnation, version, round }) => {
    const signer = cheapSigner(who);
    const { publicKey } = signer;
    const elector = peerIdOf(publicKey);
    const promised = { round, proposer: elector, incarnation };
    const record = { publicKey, elector, incarnation, version, electors: ELECTORS, promised, accepted: null };
    return signRecord(signer, record);
  });
const anyMany = fc.array(anyRecord, { maxLength: 12 });

function held(...many: readonly (readonly SignedElectorRecord[])[]): ElectorRecords {
  const records = new ElectorRecords(ELECTORS);
  for (const signed of many.flat()) records.put(signed);
  return records;
}

/** All records that are kept, and the digest. */
function stateOf(records: ElectorRecords): string[] {
  const all = records.all().flatMap(({ elector }) => records.get(elector) ?? []);
  return [...all.map(({ bytes }) => hexOf(bytes)).sort(), hexOf(records.digest())];
}

describe('the records of electors', () => {
  test('merge to the same in any order, grouping and repetition', () => {
    fc.assert(
      fc.property(anyMany, anyMany, anyMany, (a, b, c) => {
        const once = stateOf(held(a, b, c));
        expect(stateOf(held(c, a, b))).toEqual(once);
        expect(stateOf(held(a, b, a, c, b))).toEqual(once);
        const ofBoth = held(b, c);
        const grouped = ofBoth.all().flatMap(({ elector }) => ofBoth.get(elector) ?? []);
        expect(stateOf(held(a, grouped))).toEqual(once);
      }),
      { numRuns: 500 },
    );
  });

  test('are not new when they come again', () => {
    fc.assert(
      fc.property(anyMany, (a) => {
        const records = held(a);
        for (const signed of a) expect(records.put(signed)).toBe(false);
      }),
    );
  });

  test('are of no more routers than elect, of those that began first', () => {
    fc.assert(
      fc.property(anyMany, (a) => {
        const record = held(a).all();
        expect(record.length).toBeLessThanOrEqual(ELECTORS);
        const latest = Math.max(...record.map(({ incarnation }) => incarnation));
        const left = a.filter(({ record: { elector } }) => record.every((each) => each.elector !== elector));
        for (const { record } of left) expect(record.incarnation).toBeGreaterThanOrEqual(latest);
      }),
    );
  });
});
