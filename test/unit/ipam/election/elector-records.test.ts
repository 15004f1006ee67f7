import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { peerIdOf } from '../../../../src/identity/index.js';
import { ElectionRecords } from '../../../../src/ipam/election/elector-records.js';
import { type SignedClaims, signClaims } from '../../../../src/ipam/election/wire.js';
import { hexOf } from '../../identity/vectors.js';
import { cheapSeal } from './electors.js';

const ELECTORS = 3;

/** Claims of one of five routers, in any of three incarnations and versions; two with one version can differ. */
const anyClaims: fc.Arbitrary<SignedClaims> = fc
  .record({
    who: fc.nat(4),
    incarnation: fc.nat(2),
    version: fc.nat(2),
    round: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ who, incarnation, version, round }) => {
    const seal = cheapSeal(who);
    const { publicKey } = seal;
    const elector = peerIdOf(publicKey);
    const promised = { round, proposer: elector, incarnation };
    const claims = { publicKey, elector, incarnation, version, electors: ELECTORS, promised, accepted: null };
    return signClaims(seal, claims);
  });
const anyMany = fc.array(anyClaims, { maxLength: 12 });

function held(...many: readonly (readonly SignedClaims[])[]): ElectionRecords {
  const records = new ElectionRecords(ELECTORS);
  for (const signed of many.flat()) records.put(signed);
  return records;
}

/** All that is held, in messages, and the digest. */
function stateOf(records: ElectionRecords): string[] {
  const all = records.claims().flatMap(({ elector }) => records.get(elector) ?? []);
  return [...all.map(({ record }) => hexOf(record)).sort(), hexOf(records.digest())];
}

describe('the claims of electors', () => {
  test('merge to the same in any order, grouping and repetition', () => {
    fc.assert(
      fc.property(anyMany, anyMany, anyMany, (a, b, c) => {
        const once = stateOf(held(a, b, c));
        expect(stateOf(held(c, a, b))).toEqual(once);
        expect(stateOf(held(a, b, a, c, b))).toEqual(once);
        const ofBoth = held(b, c);
        const grouped = ofBoth.claims().flatMap(({ elector }) => ofBoth.get(elector) ?? []);
        expect(stateOf(held(a, grouped))).toEqual(once);
      }),
      { numRuns: 500 },
    );
  });

  test('are no news when they come again', () => {
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
        const claims = held(a).claims();
        expect(claims.length).toBeLessThanOrEqual(ELECTORS);
        const latest = Math.max(...claims.map(({ incarnation }) => incarnation));
        const left = a.filter(({ claims: { elector } }) => claims.every((each) => each.elector !== elector));
        for (const { claims } of left) expect(claims.incarnation).toBeGreaterThanOrEqual(latest);
      }),
    );
  });
});
