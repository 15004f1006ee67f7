import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PeerId, parsePeerId, parsePublicKey } from '../../../../src/identity/index.js';
import {
  decision,
  type ElectorView,
  propose,
  quorumOf,
  respond,
} from '../../../../src/ipam/election/paxos.js';
import { compareProposals, type ElectorRecord } from '../../../../src/ipam/election/wire.js';

function newRecord(index: number, electors: number): ElectorRecord {
  const elector = parsePeerId(`${index}`.padStart(16, '0'));
  const publicKey = parsePublicKey(Buffer.alloc(32, index));
  return { publicKey, elector, incarnation: 0, version: 0, electors, promised: null, accepted: null };
}

/**
 * Electors of which each sees of the others, at any time, some version of their records, or nothing at all.
 */
class Electors {
  readonly quorum: number;
  /** All versions of the record of each elector, in order. */
  readonly histories: ElectorRecord[][];
  readonly #electors: number;

  constructor(electors: number) {
    this.#electors = electors;
    this.quorum = quorumOf(electors);
    this.histories = Array.from({ length: electors }, (_, index) => [newRecord(index, electors)]);
  }

  /**
   * The parts of a step: who, whether it proposes, and for each of the others how old what it sees is; 7 is
   * nothing.
   */
  step(step: number): void {
    const who = (step & 7) % this.#electors;
    const history = this.histories[who] ?? [];
    const own = history.at(-1);
    if (own === undefined) return;
    const others = this.histories.flatMap((other, index) => {
      const age = (step >> (6 + 3 * index)) & 7;
      return index === who || age === 7 ? [] : (other.at(-1 - Math.max(0, age - 3)) ?? []);
    });
    const view: ElectorView = { others, quorum: this.quorum, decided: null };
    const proposes = ((step >> 3) & 7) === 0;
    const next = respond(proposes ? propose(own, view) : own, view);
    if (next !== own) history.push(next);
  }

  /** The values of all proposals that more than half of the electors accepted at some time. */
  decisions(): string[] {
    const values = new Map<string, { readonly value: string; readonly electors: Set<PeerId> }>();
    for (const { accepted, elector } of this.histories.flat()) {
      if (accepted === null) continue;
      const name = JSON.stringify(accepted.proposal);
      const value = accepted.value.join();
      const known = values.get(name) ?? { value, electors: new Set() };
      expect(known.value).toBe(value);
      values.set(name, { value, electors: known.electors.add(elector) });
    }
    return [...values.values()]
      .filter(({ electors }) => electors.size >= this.quorum)
      .map(({ value }) => value);
  }
}

const anySteps = fc.record({
  electors: fc.integer({ min: 1, max: 5 }),
  steps: fc.array(fc.noBias(fc.nat(2 ** 30)), { minLength: 30, maxLength: 90, size: 'max' }),
});

describe('electors that see old records, or none', () => {
  test('never decide on two values', () => {
    const seen = { again: 0, values: new Set<string>() };
    fc.assert(
      fc.property(anySteps, ({ electors, steps }) => {
        const world = new Electors(electors);
        for (const step of steps) world.step(step);
        const decisions = world.decisions();
        expect(new Set(decisions).size).toBeLessThanOrEqual(1);
        if (decisions.length > 1) seen.again += 1;
        for (const value of decisions) seen.values.add(value);
      }),
      { numRuns: 2000 },
    );
    // The schedules are such that much could go wrong.
    expect(seen.again).toBeGreaterThan(300);
    expect(seen.values.size).toBeGreaterThan(10);
  });

  test('never take back what they promised or accepted', () => {
    fc.assert(
      fc.property(anySteps, ({ electors, steps }) => {
        const world = new Electors(electors);
        for (const step of steps) world.step(step);
        for (const history of world.histories) {
          for (const [index, after] of history.slice(1).entries()) {
            const before = history[index] ?? after;
            expect(compareProposals(after.promised, before.promised)).toBeGreaterThanOrEqual(0);
            const [late, early] = [after.accepted?.proposal ?? null, before.accepted?.proposal ?? null];
            expect(compareProposals(late, early)).toBeGreaterThanOrEqual(0);
            expect(compareProposals(late, after.promised)).toBeLessThanOrEqual(0);
          }
        }
      }),
    );
  });

  test('decide when all see all', () => {
    fc.assert(
      fc.property(anySteps, ({ electors, steps }) => {
        const world = new Electors(electors);
        for (const step of steps) world.step(step);
        // Somebody proposes (bits 3 to 5 are 0), then all see the newest of all, three times.
        world.step(0);
        for (let round = 0; round < 3; round++) for (let who = 0; who < electors; who++) world.step(8 + who);
        const all = world.histories.flatMap((history) => history.at(-1) ?? []);
        expect([decision(all, world.quorum)?.join()]).toEqual(world.decisions().slice(-1));
      }),
    );
  });
});
