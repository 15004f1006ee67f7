import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WeftError } from '../../../src/errors.js';
import {
  type Identity,
  identityFromSeed,
  type PeerId,
  parseSecret,
  peerIdFromBytes,
} from '../../../src/identity/index.js';
import { type Content, Statements } from '../../../src/trust/index.js';
import { encodeStatement, makeStatement } from '../../../src/trust/statement.js';
import { bytesOf, hexOf, protocolVectors } from '../identity/vectors.js';

const identities = [1, 2, 3].map((seed) => identityFromSeed(Buffer.alloc(32, seed)));
const [anna = identityFromSeed(Buffer.alloc(32)), bert = anna, carl = anna] = identities;

function newStatements(identity = anna, stored: readonly Uint8Array[] = []): Statements {
  return new Statements({ self: identity.peer, epoch: 0, stored, issuers: [], isMember });
}

/** Whoever these tests have given a name. */
function isMember(peer: PeerId): boolean {
  return identities.some((identity) => identity.peer === peer);
}

/** What is said by a router, which takes over itself. */
type Bare = { [K in Content['kind']]: Omit<Extract<Content, { kind: K }>, 'heir'> }[Content['kind']];

function whole(content: Bare, { peer: heir }: Identity): Content {
  return 'subject' in content ? { ...content, heir } : content;
}

function say(statements: Statements, content: Bare, now: number, by = anna): void {
  statements.say(statements.sign(by, whole(content, by), now));
}

/** What somebody says, encoded. */
function said(content: Bare, now = 1000, by = anna, epoch = 0): Uint8Array {
  return encodeStatement(makeStatement(by, whole(content, by), { epoch, time: now }));
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
const anyContent: fc.Arbitrary<Bare> = fc.oneof(
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
    say(statements, { kind: 'revoked', subject: bert.peer, name: 'bert' }, 1000);
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
        expect(code).toMatch(/^(bad-(message|signature)|void-statement)$/);
        expect(statements.encoded()).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('tell of peers before they tell of a secret', () => {
    const statements = newStatements();
    say(statements, { kind: 'rotated', generation: 1, secret: parseSecret(Buffer.alloc(32, 9)) }, 1000);
    for (const { peer } of [bert, carl]) say(statements, { kind: 'revoked', subject: peer, name: '' }, 1000);
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
    say(statements, { kind: 'removed', subject: bert.peer, name: '', incarnation: 5 }, 1000);
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
    mergeAll(statements, [first, second]);
    expect(issuers).toHaveLength(2);
    expect(statements.removal(bert.peer)?.issuer).toBe(carl.peer);
  });

  test('that was expelled is not admitted again', () => {
    const statements = newStatements();
    say(statements, { kind: 'revoked', subject: bert.peer, name: 'bert' }, 1000);
    expect(statements.admits(bert.peer, Infinity)).toBe(false);
    expect(statements.revocations().map(({ content }) => content.name)).toEqual(['bert']);
  });
});

/** A secret that nobody announced. */
function inForce(generation: number) {
  return { generation, secret: parseSecret(Buffer.alloc(32, 0xff)) };
}

/** Of somebody whom nobody knows. */
function stranger(seed: number) {
  return identityFromSeed(Buffer.alloc(32, `stranger ${seed}`));
}

/** Expulsions of peers that do not exist. */
function madeUp(count: number, by: Identity, from = 0): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const subject = Buffer.alloc(8);
    subject.writeUInt32BE(from + index);
    return said({ kind: 'revoked', subject: peerIdFromBytes(subject), name: '' }, 1000, by);
  });
}

/** As a router does that goes on whatever is refused. */
function flood(into: Statements, deltas: readonly Uint8Array[]): void {
  for (const delta of deltas) {
    try {
      into.merge(delta, bert.peer);
    } catch (error) {
      expect(error).toMatchObject({ code: 'too-many-statements' });
    }
  }
}

describe('a member that makes up expulsions', () => {
  const limits = { total: 60, group: 40 };
  const small = (identity: Identity, known = isMember) =>
    new Statements({ self: identity.peer, epoch: 0, stored: [], issuers: [], isMember: known, limits });

  test('fills its own share, and keeps nobody from expelling, removing and rotating', () => {
    const statements = small(anna);
    flood(statements, madeUp(100, bert));
    expect(statements.encoded()).toHaveLength(40);
    say(statements, { kind: 'revoked', subject: bert.peer, name: '' }, 2000);
    for (const subject of [1, 2, 3].map((seed) => stranger(seed).peer)) {
      say(statements, { kind: 'removed', subject, name: '', incarnation: 5 }, 2000);
    }
    say(statements, { kind: 'rotated', generation: 1, secret: parseSecret(Buffer.alloc(32)) }, 2000);
    expect(statements.revocation(bert.peer)?.issuer).toBe(anna.peer);
    expect(statements.rotation(inForce(0))?.issuer).toBe(anna.peer);

    const other = small(carl);
    flood(other, madeUp(100, bert));
    repair(statements, other);
    expect(stateOf(other)).toEqual(stateOf(statements));
    expect(other.revocation(bert.peer)?.issuer).toBe(anna.peer);
  });

  test('gives way to others when all room is taken, and so do strangers, who share that of one', () => {
    const strangers = Array.from({ length: 30 }, (_, seed) => stranger(seed));
    const statements = small(anna);
    flood(statements, madeUp(100, bert));
    flood(
      statements,
      strangers.flatMap((by) => madeUp(3, by)),
    );
    flood(statements, madeUp(15, carl));
    expect(statements.encoded()).toHaveLength(60);
    for (const delta of madeUp(15, carl)) expect(statements.merge(delta, bert.peer)).toBeNull();
    say(statements, { kind: 'revoked', subject: bert.peer, name: '' }, 2000);
    expect(statements.revocation(bert.peer)?.issuer).toBe(anna.peer);
  });

  test('does so to the same for everybody, in whatever order it comes', () => {
    const deltas = [
      ...madeUp(50, bert),
      ...madeUp(25, carl),
      ...[1, 2, 3].flatMap((seed) => madeUp(20, stranger(seed))),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(deltas, { minLength: deltas.length }), fc.nat(100), (order, cut) => {
        const [one, two, third] = [small(anna), small(anna), small(anna)];
        flood(one, deltas);
        flood(two, order.slice(cut));
        flood(third, order);
        expect(stateOf(third)).toEqual(stateOf(one));
        flood(two, third.encoded());
        expect(stateOf(two)).toEqual(stateOf(one));
        expect(repair(one, two)).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  test('leaves the strangers\u2019 room with what it said before, once it is known', () => {
    const [known, deltas] = [new Set<PeerId>(), madeUp(30, bert)];
    const statements = small(anna, (peer) => known.has(peer));
    flood(statements, deltas);
    known.add(bert.peer);
    statements.meet(bert.peer);
    flood(
      statements,
      [1, 2, 3].flatMap((seed) => madeUp(40, stranger(seed))),
    );
    for (const delta of deltas) expect(statements.merge(delta, carl.peer)).toBeNull();
    const [stored, issuers] = [statements.encoded(), statements.issuers()];
    const again = new Statements({
      self: anna.peer,
      epoch: 0,
      stored,
      issuers,
      isMember: () => false,
      limits,
    });
    flood(again, madeUp(40, stranger(9)));
    for (const delta of deltas) expect(again.merge(delta, carl.peer)).toBeNull();
  });

  test('takes back nothing that another one said, with an earlier time of its own', () => {
    const statements = small(anna);
    say(statements, { kind: 'revoked', subject: carl.peer, name: '' }, 2000);
    statements.merge(said({ kind: 'revoked', subject: carl.peer, name: '' }, 0, bert), bert.peer);
    flood(statements, madeUp(200, bert));
    expect(statements.admits(carl.peer, 9)).toBe(false);
  });

  test('is told when it has said as much as others keep, before they forget any of it', () => {
    const statements = small(anna);
    const expel = (seed: number) =>
      say(statements, { kind: 'revoked', subject: stranger(seed).peer, name: '' }, 1000);
    for (let seed = 0; seed < 38; seed++) expel(seed);
    expect(() => expel(99)).toThrow(expect.objectContaining({ code: 'too-many-statements' }));
    say(statements, { kind: 'rotated', generation: 1, secret: parseSecret(Buffer.alloc(32)) }, 1000);
    say(statements, { kind: 'finished', generation: 1 }, 1000);
    expect(statements.encoded()).toHaveLength(40);
  });
});

describe('a secret', () => {
  const rotated = (generation: number, by: Identity, now = 1000) =>
    said({ kind: 'rotated', generation, secret: parseSecret(Buffer.alloc(32, by.peer)) }, now, by);

  test('follows the one before it, whatever else is announced', () => {
    const statements = newStatements();
    mergeAll(statements, [rotated(2 ** 32 - 1, bert, 0), rotated(7, carl, 0)]);
    expect(statements.rotation(inForce(0))).toBeUndefined();
    say(statements, { kind: 'rotated', generation: 1, secret: parseSecret(Buffer.alloc(32)) }, 1000);
    expect(statements.rotation(inForce(0))?.issuer).toBe(anna.peer);
    expect(statements.rotation(inForce(1))?.issuer).toBe(anna.peer);
    expect(statements.rotation(inForce(6))?.issuer).toBe(carl.peer);
  });

  test('is not taken from whoever was expelled, though it claims to be earlier', () => {
    const statements = newStatements();
    say(statements, { kind: 'revoked', subject: bert.peer, name: '' }, 1000);
    say(statements, { kind: 'rotated', generation: 1, secret: parseSecret(Buffer.alloc(32)) }, 1000);
    mergeAll(statements, [rotated(1, bert, 0), said({ kind: 'finished', generation: 1 }, 0, bert)]);
    expect(statements.rotation(inForce(0))?.issuer).toBe(anna.peer);
    expect(statements.isFinished(1)).toBe(false);
  });

  test('stays when whoever announced it is expelled afterwards, whatever others had announced', () => {
    const statements = newStatements();
    mergeAll(statements, [rotated(1, bert, 0), rotated(1, carl, 1)]);
    const { content } = statements.rotation(inForce(0)) ?? {};
    say(statements, { kind: 'revoked', subject: bert.peer, name: '' }, 1000);
    expect(content && statements.rotation(content)).toBeUndefined();
    expect(statements.rotation(inForce(0))?.issuer).toBe(carl.peer);
  });

  test('is the only one when its own end was told, not that of a later one', () => {
    const statements = newStatements();
    statements.merge(said({ kind: 'finished', generation: 2 ** 32 - 1 }, 0, bert), bert.peer);
    expect(statements.isFinished(1)).toBe(false);
    say(statements, { kind: 'finished', generation: 1 }, 1000);
    expect(statements.isFinished(1)).toBe(true);
  });
});

test('what was said before trust was reset does not count, whoever kept it', () => {
  const statements = newStatements();
  const before = said({ kind: 'revoked', subject: carl.peer, name: '' }, 1000, bert);
  statements.merge(before, bert.peer);
  statements.reset(1);
  expect(statements.admits(carl.peer, 1)).toBe(true);
  expect(() => statements.merge(before, bert.peer)).toThrow(
    expect.objectContaining({ code: 'void-statement' }),
  );
  say(statements, { kind: 'revoked', subject: bert.peer, name: '' }, 1000);
  const stored = [before, ...statements.encoded()];
  const again = new Statements({ self: anna.peer, epoch: 1, stored, issuers: [], isMember });
  expect(stateOf(again)).toEqual(stateOf(statements));
});

describe('in a network with an administrator', () => {
  const admin = stranger(0);
  const ruled = (self: Identity, stored: readonly Uint8Array[] = []) =>
    new Statements({ self: self.peer, admin: admin.publicKey, epoch: 0, stored, issuers: [], isMember });
  const revoked = { kind: 'revoked', subject: carl.peer, name: '' } as const;

  test('nobody else\u2019s word counts, of whatever kind', () => {
    const statements = ruled(anna);
    const secret = parseSecret(Buffer.alloc(32));
    const contents: Bare[] = [
      revoked,
      { kind: 'removed', subject: carl.peer, name: '', incarnation: 5 },
      { kind: 'rotated', generation: 1, secret },
      { kind: 'finished', generation: 1 },
    ];
    for (const content of contents) {
      const delta = said(content, 1000, bert);
      expect(() => statements.merge(delta, bert.peer)).toThrow(
        expect.objectContaining({ code: 'void-statement' }),
      );
    }
    expect(statements.encoded()).toEqual([]);
  });

  test('the administrator expels, names the heir, and may do so more often than anybody elsewhere', () => {
    const statements = ruled(anna);
    const content: Content = { ...revoked, heir: bert.peer };
    statements.say(statements.sign(admin, content, 1000));
    for (let seed = 1; seed < 1200; seed++) {
      const subject = peerIdFromBytes(Buffer.alloc(8, `${seed}.`));
      statements.say(statements.sign(admin, { ...content, subject }, 1000));
    }
    const other = ruled(bert);
    repair(statements, other);
    expect(stateOf(other)).toEqual(stateOf(statements));
    expect(other.revocation(carl.peer)?.content.heir).toBe(bert.peer);
  });
});

test('nobody names another one than itself as heir where there is no administrator', () => {
  const content: Content = { kind: 'revoked', subject: carl.peer, name: '', heir: anna.peer };
  const delta = encodeStatement(makeStatement(bert, content, { epoch: 0, time: 1000 }));
  expect(() => newStatements().merge(delta, bert.peer)).toThrow(
    expect.objectContaining({ code: 'void-statement' }),
  );
});

test('a removal leaves its subject incarnations to come back with', () => {
  const beyond = () =>
    said({ kind: 'removed', subject: bert.peer, name: '', incarnation: 2 ** 52 }, 1000, carl);
  expect(() => newStatements().merge(beyond(), carl.peer)).toThrow(
    expect.objectContaining({ code: 'bad-message' }),
  );
  const last = said({ kind: 'removed', subject: bert.peer, name: '', incarnation: 2 ** 43 }, 1000, carl);
  const statements = newStatements();
  statements.merge(last, carl.peer);
  expect(statements.admits(bert.peer, 2 ** 43 + 1)).toBe(true);
});

test('the test vector of docs/protocol.md, section 10', () => {
  const identity = identityFromSeed(bytesOf(protocolVectors('1')('seed')));
  const content: Bare = {
    kind: 'removed',
    subject: bert.peer,
    name: 'bert',
    incarnation: 1_700_000_000_000,
  };
  expect(hexOf(said(content, 1_700_000_001_000, identity))).toBe(protocolVectors('10')('statement'));
});
