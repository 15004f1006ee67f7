import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WeftError } from '../../../../src/errors.js';
import { parsePeerId } from '../../../../src/identity/index.js';
import { Election } from '../../../../src/ipam/election/election.js';
import {
  decodeDelta,
  decodeState,
  encodeDelta,
  encodeState,
  MAX_ELECTORS,
  signerOf,
  signRecord,
} from '../../../../src/ipam/election/wire.js';
import { hexOf, protocolVectors } from '../../identity/vectors.js';
import { identity, newElector, newObserver, repair, save, settle } from './electors.js';

const INCARNATION = 1_700_000_000_000;

/** Of a real key pair. */
function elector(index: number, electors: number): Election {
  return new Election({
    signer: signerOf(identity(index)),
    elector: { electors, incarnation: INCARNATION + index },
  });
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return error instanceof WeftError ? error.code : String(error);
  }
}

/** The one message that a router sends after it proposed. */
function proposed(index: number, electors: number): Uint8Array {
  const election = elector(index, electors);
  save(election);
  election.propose();
  save(election);
  const [delta = Buffer.alloc(0)] = election.takeDeltas();
  return delta;
}

describe('the messages of an election', () => {
  test('are those of the protocol', () => {
    expect(hexOf(proposed(0, 1))).toBe(protocolVectors('13')('delta'));
  });

  test('that were changed on the way are refused and change nothing', () => {
    const delta = proposed(0, 3);
    const changed = fc
      .tuple(fc.nat(delta.length - 1), fc.integer({ min: 1, max: 255 }))
      .map(([at, change]) => {
        const copy = Buffer.from(delta);
        copy[at] = (copy[at] ?? 0) ^ change;
        return copy;
      });
    const cut = fc.nat(delta.length - 1).map((length) => delta.subarray(0, length));
    const longer = fc.uint8Array({ minLength: 1, maxLength: 9 }).map((more) => Buffer.concat([delta, more]));
    fc.assert(
      fc.property(fc.oneof(changed, cut, longer, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const election = elector(1, 3);
        save(election);
        const before = [election.digest(), election.unsaved, election.takeDeltas()];
        // That an election was called for is no secret and signed by nobody.
        fc.pre(!isMereCall(bytes, delta));
        expect(codeOf(() => election.merge(bytes))).toMatch(/^bad-(message|signature)$/);
        election.takeDeltas();
        expect([election.digest(), election.unsaved]).toEqual(before.slice(0, 2));
        expect(election.begun).toBe(false);
      }),
      { numRuns: 400 },
    );
  });

  test('with one false signature among true ones are refused whole', () => {
    const [one, two] = [decodeDelta(proposed(0, 3)), decodeDelta(proposed(2, 3))];
    const forged = two.signed.map((each) => ({ ...each, signature: Buffer.alloc(64, 1) }));
    const election = elector(1, 3);
    save(election);
    const before = election.digest();
    const delta = encodeDelta({ begun: true, signed: [...one.signed, ...forged] });
    expect(codeOf(() => election.merge(delta))).toBe('bad-signature');
    expect(election.digest()).toEqual(before);
  });

  test('with a record that no elector can sign are refused', () => {
    const [{ record } = never()] = decodeDelta(proposed(0, 3)).signed;
    const proposal = record.promised ?? { round: 1, proposer: record.elector, incarnation: 0 };
    const peers = [0, 1, 2, 3].map((index) => identity(index).peer).sort();
    const impossible = [
      { ...record, electors: 0 },
      { ...record, electors: MAX_ELECTORS + 1 },
      { ...record, incarnation: 2 ** 53 - 1 },
      { ...record, promised: { ...proposal, round: 0 } },
      { ...record, promised: { ...proposal, round: 2 ** 53 - 1 } },
      { ...record, accepted: { proposal: { ...proposal, round: 2 }, value: peers.slice(0, 2) } },
      { ...record, accepted: { proposal, value: [] } },
      { ...record, accepted: { proposal, value: peers } },
      { ...record, accepted: { proposal, value: peers.slice(0, 2).reverse() } },
      { ...record, accepted: { proposal, value: [record.elector, record.elector] } },
    ];
    for (const content of impossible) {
      const election = elector(1, 3);
      const delta = encodeDelta({ begun: true, signed: [signRecord(signerOf(identity(0)), content)] });
      expect(codeOf(() => election.merge(delta))).toBe('bad-message');
      expect(election.begun).toBe(false);
    }
  });

  test('are told in parts of about 64 KiB', () => {
    const [first = newElector(0, 700), ...others] = Array.from({ length: 700 }, (_, index) =>
      newElector(index, 700),
    );
    save(first);
    for (const election of others) {
      save(election);
      for (const delta of election.takeDeltas()) first.merge(delta);
    }
    const last = newObserver();
    const deltas = repair(first, last);
    expect(deltas.length).toBe(2);
    expect(Math.max(...deltas.map(({ length }) => length))).toBeLessThan(66 * 1024);
    expect(last.electors).toHaveLength(700);
  });

  test('have room for as many electors as there may be', () => {
    const [{ record } = never()] = decodeDelta(proposed(0, MAX_ELECTORS)).signed;
    const value = Array.from({ length: MAX_ELECTORS }, (_, index) =>
      parsePeerId(index.toString(16).padStart(16, '0')),
    );
    const promised = { round: 2 ** 52, proposer: record.elector, incarnation: 2 ** 52 };
    const whole = {
      ...record,
      incarnation: 2 ** 52,
      version: 2 ** 52,
      promised,
      accepted: { proposal: promised, value },
    };
    const delta = encodeDelta({ begun: true, signed: [signRecord(signerOf(identity(0)), whole)] });
    expect(decodeDelta(delta).signed[0]?.record).toEqual(whole);
    const state = encodeState({ retired: false, record: whole });
    expect(decodeState(state).record).toEqual(whole);
    expect(state.length).toBeLessThan(9 * 1024);
  });
});

describe('an election of routers with real keys', () => {
  test('has all of them agree', () => {
    const all = [0, 1, 2].map((index) => elector(index, 3));
    settle(...all);
    all[1]?.propose();
    settle(...all);
    const peers = [0, 1, 2].map((index) => identity(index).peer).sort();
    for (const { decided } of all) expect(decided).toEqual(peers);
  });
});

describe('a digest', () => {
  test('of bytes that are none is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const election = newElector(0, 3);
        expect(codeOf(() => election.refine(bytes)) ?? 'bad-message').toBe('bad-message');
        expect(codeOf(() => election.answer(bytes)) ?? 'bad-message').toBe('bad-message');
      }),
    );
  });
});

function never(): never {
  throw new Error('nothing was proposed');
}

/**
 * True for a message without records, and for one that differs from this only in whether an election was
 * called for.
 */
function isMereCall(bytes: Uint8Array, delta: Uint8Array): boolean {
  const isFlag = bytes[0] === 0 || bytes[0] === 1;
  const rest = Buffer.from(bytes.subarray(1));
  return isFlag && (rest.equals(Buffer.of(0)) || rest.equals(Buffer.from(delta.subarray(1))));
}
