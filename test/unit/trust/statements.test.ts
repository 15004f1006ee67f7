import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WeftError } from '../../../src/errors.js';
import { identityFromSeed, type PeerId, parseSecret } from '../../../src/identity/index.js';
import { type Content, Statements } from '../../../src/trust/index.js';
import { bytesOf, hexOf, protocolVectors } from '../identity/vectors.js';

const identities = [1, 2, 3].map((seed) => identityFromSeed(Buffer.alloc(32, seed)));
const [anna = identityFromSeed(Buffer.alloc(32)), bert = anna, carl = anna] = identities;

function newStatements(identity = anna, stored: readonly Uint8Array[] = []): Statements {
  return new Statements(identity, stored);
}

/** What somebody says, encoded. */
function said(content: Content, now = 1000, by = anna): Uint8Array {
  const statements = newStatements(by);
  statements.say(content, now);
  return statements.takeDeltas()[0] ?? Buffer.alloc(0);
}

function mergeAll(into: Statements, deltas: readonly Uint8Array[]): void {
  for (const delta of deltas) into.merge(delta, bert.peer);
}

/** An exchange of digests, as the mesh does it; returns how many deltas were sent. */
function repair(a: Statements, b: Statements): number {
  let [to, from, count] = [a, b, 0];
  let digest: Uint8Array | null = from.digest();
  while (digest !== null) {
    const deltas = to.answer(digest);
    mergeAll(from, deltas);
    count += deltas.length;
    digest = to.refine(digest);
    [to, from] = [from, to];
  }
  return count;
}

function stateOf(statements: Statements): string[] {
  return statements.encoded().map(hexOf).sort();
}

const anySubject = fc.constantFrom<PeerId>(...identities.map(({ peer }) => peer));
const anyContent: fc.Arbitrary<Content> = fc.oneof(
  fc.record({
    kind: fc.constant('removed' as const),
    subject: anySubject,
    name: fc.constant('x'),
    incarnation: fc.nat(3),
  }),
  fc.record({ kind: fc.constant('revoked' as const), subject: anySubject, name: fc.constantFrom('a', 'b') }),
  fc.record({
    kind: fc.constant('rotated' as const),
    generation: fc.nat(2),
    secret: fc.nat(2).map((fill) => parseSecret(Buffer.alloc(32, fill))),
  }),
  fc.record({ kind: fc.constant('finished' as const), generation: fc.nat(2) }),
);
const anyStatement = fc
  .record({ content: anyContent, now: fc.nat(2), by: fc.constantFrom(...identities) })
  .map(({ content, now, by }) => said(content, now, by));
const anyStatements = fc.array(anyStatement, { maxLength: 12 });

describe('statements', () => {
  test('merge to the same in whatever order and however often they come', () => {
    fc.assert(
      fc.property(anyStatements, anyStatements, (a, b) => {
        const [one, two] = [newStatements(), newStatements()];
        mergeAll(one, [...a, ...b]);
        mergeAll(two, [...b, ...a, ...b]);
        expect(stateOf(two)).toEqual(stateOf(one));
        for (const delta of a) expect(one.merge(delta, bert.peer)).toBeNull();
      }),
    );
  });

  test('are the same after digests were exchanged', () => {
    fc.assert(
      fc.property(anyStatements, anyStatements, (a, b) => {
        const [one, two] = [newStatements(), newStatements()];
        mergeAll(one, a);
        mergeAll(two, b);
        repair(one, two);
        expect(stateOf(two)).toEqual(stateOf(one));
        expect(repair(one, two)).toBe(0);
      }),
    );
  });

  test('are the same after they were stored', () => {
    const statements = newStatements();
    statements.say({ kind: 'revoked', subject: bert.peer, name: 'bert' }, 1000);
    const again = newStatements(anna, statements.encoded());
    expect(stateOf(again)).toEqual(stateOf(statements));
    expect(again.takeDeltas()).toEqual([]);
  });

  test('refuse what was changed on the way, and bytes that are none', () => {
    const delta = said({ kind: 'revoked', subject: bert.peer, name: 'bert' });
    const changed = fc
      .tuple(fc.nat(delta.length - 1), fc.integer({ min: 1, max: 255 }))
      .map(([at, change]) => {
        const copy = Buffer.from(delta);
        copy[at] = (copy[at] ?? 0) ^ change;
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const statements = newStatements(carl);
        let code: string | undefined;
        try {
          statements.merge(bytes, anna.peer);
        } catch (error) {
          code = error instanceof WeftError ? error.code : String(error);
        }
        expect(code).toMatch(/^bad-(message|signature)$/);
        expect(statements.encoded()).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('tell of peers before they tell of a secret', () => {
    const statements = newStatements();
    statements.say({ kind: 'rotated', generation: 1, secret: parseSecret(Buffer.alloc(32, 9)) }, 1000);
    for (const { peer } of [bert, carl]) statements.say({ kind: 'revoked', subject: peer, name: '' }, 1000);
    const other = newStatements(carl);
    const kinds: string[] = [];
    other.on('statement', ({ content }) => kinds.push(content.kind));
    repair(statements, other);
    expect(kinds).toEqual(['revoked', 'revoked', 'rotated']);
  });
});

describe('a peer', () => {
  test('that was removed may come back with a later incarnation', () => {
    const statements = newStatements();
    expect(statements.admits(bert.peer, 5)).toBe(true);
    statements.say({ kind: 'removed', subject: bert.peer, name: '', incarnation: 5 }, 1000);
    expect(statements.admits(bert.peer, 5)).toBe(false);
    expect(statements.admits(bert.peer, 6)).toBe(true);
  });

  test('that was removed by two was removed by the first', () => {
    const [first, second] = [
      said({ kind: 'removed', subject: bert.peer, name: '', incarnation: 5 }, 1000, carl),
      said({ kind: 'removed', subject: bert.peer, name: '', incarnation: 5 }, 1001, anna),
    ];
    const statements = newStatements();
    const issuers: PeerId[] = [];
    statements.on('statement', ({ issuer }) => issuers.push(issuer));
    mergeAll(statements, [second, first, second]);
    expect(issuers).toEqual([anna.peer, carl.peer]);
    expect(statements.removal(bert.peer)?.issuer).toBe(carl.peer);
  });

  test('that was expelled is not admitted again', () => {
    const statements = newStatements();
    statements.say({ kind: 'revoked', subject: bert.peer, name: 'bert' }, 1000);
    expect(statements.admits(bert.peer, Infinity)).toBe(false);
    expect(statements.revocations().map(({ content }) => content.name)).toEqual(['bert']);
  });
});

test('the test vector of docs/protocol.md, section 10', () => {
  const identity = identityFromSeed(bytesOf(protocolVectors('1')('seed')));
  const content: Content = {
    kind: 'removed',
    subject: bert.peer,
    name: 'bert',
    incarnation: 1_700_000_000_000,
  };
  expect(hexOf(said(content, 1_700_000_001_000, identity))).toBe(protocolVectors('10')('statement'));
});
