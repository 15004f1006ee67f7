import c from 'compact-encoding';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boundedString } from '../../../src/codec.js';
import { WeftError } from '../../../src/errors.js';
import { OwnedRecords, type OwnedRecordsOptions } from '../../../src/gossip/index.js';
import * as wire from '../../../src/gossip/owned-wire.js';
import { type Identity, identityFromSeed, type PeerId } from '../../../src/identity/index.js';
import { bytesOf, hexOf, protocolVectors } from '../identity/vectors.js';

const identities = [1, 2, 3].map((seed) => identityFromSeed(Buffer.alloc(32, seed)));
const [anna = identityFromSeed(Buffer.alloc(32)), bert = anna, carl = anna] = identities;
const NEIGHBOUR = bert.peer;

function newRecords(
  identity: Identity,
  now = 1000,
  options: Partial<OwnedRecordsOptions<string>> = {},
): OwnedRecords<string> {
  return new OwnedRecords<string>({
    name: 'names',
    identity,
    now: () => now,
    value: boundedString(1000),
    ...options,
  });
}

/** All that a router shows, sorted. */
function shown(records: OwnedRecords<string>): string[] {
  return [...records.entries()].map(({ owner, key, value }) => `${owner} ${key}=${value}`).sort();
}

/** An exchange of digests, as the mesh does it; returns the deltas that were sent. */
function repair(a: OwnedRecords<string>, b: OwnedRecords<string>): Uint8Array[] {
  const sent: Uint8Array[] = [];
  let [to, from] = [a, b];
  let digest: Uint8Array | null = from.digest();
  while (digest !== null) {
    const deltas = to.answer(digest);
    mergeAll(from, deltas);
    sent.push(...deltas);
    digest = to.refine(digest);
    [to, from] = [from, to];
  }
  return sent;
}

/** One exchange between any two; returns how many deltas were sent. */
function exchange(...all: readonly OwnedRecords<string>[]): number {
  return all.reduce(
    (sum, a, index) => sum + all.slice(index + 1).reduce((some, b) => some + repair(a, b).length, 0),
    0,
  );
}

function mergeAll(into: OwnedRecords<string>, deltas: readonly Uint8Array[]): void {
  for (const delta of deltas) into.merge(delta, NEIGHBOUR);
}

/** What happens to three routers: changes, restarts, and deltas that arrive late, twice, elsewhere or never. */
const anyStep = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('set' as const),
      who: fc.nat(2),
      key: fc.nat(5),
      value: fc.nat(3),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), who: fc.nat(2), key: fc.nat(5) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('take' as const), who: fc.nat(2) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('deliver' as const), who: fc.nat(2), which: fc.nat() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('repair' as const), who: fc.nat(2), from: fc.nat(2) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('restart' as const), who: fc.nat(2), back: fc.boolean() }),
  },
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

/** Far enough from the epoch for a clock that is set back at every restart. */
const START = 1_000_000;

class World {
  readonly routers: OwnedRecords<string>[] = identities.map((identity) => newRecords(identity, START));
  readonly #wants: Map<string, string>[] = identities.map(() => new Map());
  readonly #sent: Uint8Array[] = [];
  #now = START;

  run(steps: readonly Step[]): void {
    for (const step of steps) this.#step(step);
  }

  /** What each owner has set in its present run. */
  truth(): string[] {
    return identities
      .flatMap(({ peer }, who) =>
        [...(this.#wants[who] ?? [])].map(([key, value]) => `${peer} ${key}=${value}`),
      )
      .sort();
  }

  #step(step: Step): void {
    const router = this.routers[step.who];
    const wants = this.#wants[step.who];
    if (router === undefined || wants === undefined) return;
    switch (step.do) {
      case 'set':
        router.set(`k${step.key}`, `v${step.value}`);
        wants.set(`k${step.key}`, `v${step.value}`);
        break;
      case 'remove':
        router.remove(`k${step.key}`);
        wants.delete(`k${step.key}`);
        break;
      case 'take':
        this.#sent.push(...router.takeDeltas());
        break;
      case 'deliver': {
        const delta = this.#sent[step.which % Math.max(1, this.#sent.length)];
        const news = delta === undefined ? null : router.merge(delta, NEIGHBOUR);
        if (news !== null) this.#sent.push(news);
        break;
      }
      case 'repair':
        repair(router, this.routers[step.from] ?? router);
        break;
      case 'restart': {
        // A clock may have been set back between two runs, but no two begin in the same millisecond.
        this.#now += (step.back ? -500 : 500) + 1;
        const now = this.#now;
        this.routers[step.who] = newRecords(identities[step.who] ?? anna, now);
        wants.clear();
        break;
      }
    }
  }
}

describe('owned records', () => {
  test('are the same everywhere after digests were exchanged, whatever was lost, late, repeated or restarted', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        const world = new World();
        world.run(steps);
        for (const router of world.routers) router.takeDeltas();
        // An owner that was told of its former run outdoes it; that takes two rounds more.
        for (let round = 0; round < 4; round++) exchange(...world.routers);
        for (const router of world.routers) expect(shown(router)).toEqual(world.truth());
        expect(exchange(...world.routers)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test('merge to the same whatever the order, grouping and repetition', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 30 }), fc.infiniteStream(fc.nat()), (steps, random) => {
        const world = new World();
        const deltas: Uint8Array[] = [];
        for (const step of steps) {
          world.run([step]);
          for (const router of world.routers) deltas.push(...router.takeDeltas());
        }
        const watcher = identityFromSeed(Buffer.alloc(32, 9));
        const inOrder = newRecords(watcher);
        mergeAll(inOrder, deltas);
        const shuffled = newRecords(watcher);
        const order = [...deltas, ...deltas]
          .map((delta) => ({ delta, place: random.next().value ?? 0 }))
          .sort((a, b) => a.place - b.place);
        mergeAll(
          shuffled,
          order.map(({ delta }) => delta),
        );
        expect(shown(shuffled)).toEqual(shown(inOrder));
        expect(repair(inOrder, shuffled)).toEqual([]);
        for (const delta of deltas) expect(shuffled.merge(delta, NEIGHBOUR)).toBeNull();
      }),
      { numRuns: 150 },
    );
  });

  test('tell each change once, of others and of the router itself', () => {
    const a = newRecords(anna);
    const b = newRecords(bert);
    const seen: string[] = [];
    b.on('change', (owner, key, value) =>
      seen.push(`${owner === bert.peer ? 'own' : 'other'} ${key} ${value}`),
    );
    a.set('web', '10.0.0.1');
    const first = a.takeDeltas();
    a.set('web', '10.0.0.2');
    const second = a.takeDeltas();
    b.set('db', '10.0.0.3');
    mergeAll(b, [...second, ...first, ...second]);
    a.remove('web');
    mergeAll(b, a.takeDeltas());
    expect(seen).toEqual(['own db 10.0.0.3', 'other web 10.0.0.2', 'other web undefined']);
    expect(b.get(anna.peer, 'web')).toBeUndefined();
    expect([...b.entries(bert.peer)]).toEqual([{ owner: bert.peer, key: 'db', value: '10.0.0.3' }]);
  });

  test('pass on only what was news', () => {
    const a = newRecords(anna);
    a.set('x', '1');
    const old = a.takeDeltas();
    a.set('y', '2');
    const both = repair(a, newRecords(carl));
    const b = newRecords(bert);
    mergeAll(b, old);
    const news = both.flatMap((delta) => b.merge(delta, NEIGHBOUR) ?? []);
    const entries = news.flatMap((delta) => wire.decodeDelta(delta)).flatMap((group) => group.entries);
    expect(entries.map(({ content }) => content.key)).toEqual(['y']);
  });

  test('of a restarted owner vanish with its first word, and those that it publishes again never seem gone', () => {
    const b = newRecords(bert);
    const old = newRecords(anna, 1000);
    old.set('stays', '1');
    old.set('goes', '2');
    const late = newRecords(carl);
    for (const delta of old.takeDeltas()) mergeAll(b, [delta, late.merge(delta, NEIGHBOUR) ?? delta]);
    const changes: string[] = [];
    b.on('change', (_, key, value) => changes.push(`${key} ${value}`));
    const restarted = newRecords(anna, 2000);
    restarted.set('stays', '1');
    mergeAll(b, restarted.takeDeltas());
    repair(late, b);
    expect(changes).toEqual(['goes undefined']);
    expect(shown(b)).toEqual([`${anna.peer} stays=1`]);
  });

  test('of many do not seem gone while the new run is known in part', () => {
    const publish = (now: number) => {
      const records = newRecords(anna, now);
      for (let index = 0; index < 2000; index++) records.set(`key ${index}`, 'v'.repeat(20));
      return records.takeDeltas();
    };
    const b = newRecords(bert);
    mergeAll(b, publish(1000));
    let changes = 0;
    b.on('change', () => {
      changes += 1;
    });
    const deltas = publish(2000);
    expect(deltas.length).toBeGreaterThan(2);
    mergeAll(b, deltas);
    expect(changes).toBe(0);
    expect(shown(b)).toHaveLength(2000);
  });

  test('of an owner with a slow clock outdo what others hold of its former run', () => {
    const b = newRecords(bert);
    const old = newRecords(anna, 9000);
    old.set('old', '1');
    mergeAll(b, old.takeDeltas());
    const restarted = newRecords(anna, 1000);
    restarted.set('new', '2');
    restarted.takeDeltas();
    let pending = 0;
    restarted.on('pending', () => {
      pending += 1;
    });
    exchange(restarted, b);
    expect(pending).toBe(1);
    mergeAll(b, restarted.takeDeltas());
    expect(shown(b)).toEqual([`${anna.peer} new=2`]);
  });

  test('do not race a copy of their owner', () => {
    const a = newRecords(anna, 1000);
    const copy = newRecords(anna, 2000);
    let turns = 0;
    for (let round = 0; round < 10; round++) turns += exchange(a, copy);
    expect(turns).toBeLessThan(60);
    const heads = [a, copy].map(
      (records) => wire.decodeDelta(records.takeDeltas()[0] ?? Buffer.of(0))[0]?.head,
    );
    expect(Math.max(...heads.map((head) => head?.content.incarnation ?? 0))).toBeLessThan(2003);
  });

  test('that were removed are not kept for ever, and do not come back', () => {
    const a = newRecords(anna);
    const late = newRecords(carl);
    const b = newRecords(bert);
    a.set('kept', '1');
    for (let index = 0; index < 500; index++) {
      a.set(`gone ${index}`, '1');
      if (index === 250) mergeAll(late, a.takeDeltas());
      a.remove(`gone ${index}`);
    }
    mergeAll(b, a.takeDeltas());
    const sent = repair(a, newRecords(carl)).flatMap((delta) => wire.decodeDelta(delta));
    expect(sent.flatMap(({ entries }) => entries).length).toBeLessThan(70);
    expect(late.get(anna.peer, 'gone 250')).toBe('1');
    exchange(late, b);
    expect(shown(late)).toEqual([`${anna.peer} kept=1`]);
    expect(shown(b)).toEqual(shown(late));
  });

  test('of an owner that is dropped are gone, and stay so while it is not admitted', () => {
    const gone = new Set<PeerId>();
    const b = newRecords(bert, 1000, { admits: (owner) => !gone.has(owner) });
    const a = newRecords(anna);
    a.set('x', '1');
    mergeAll(b, a.takeDeltas());
    const changes: unknown[] = [];
    b.on('change', (...change) => changes.push(change));
    gone.add(anna.peer);
    b.dropOwner(anna.peer);
    exchange(a, b);
    expect(changes).toEqual([[anna.peer, 'x', undefined]]);
    expect(shown(b)).toEqual([]);
    gone.clear();
    exchange(a, b);
    expect(shown(b)).toEqual([`${anna.peer} x=1`]);
  });
});

describe('a repair', () => {
  test('sends little for one lost change among many records', () => {
    const a = newRecords(anna);
    for (let index = 0; index < 2000; index++) a.set(`key ${index}`, 'v');
    const b = newRecords(bert);
    mergeAll(b, a.takeDeltas());
    a.set('key 7', 'lost');
    a.takeDeltas();
    a.set('key 8', 'known');
    mergeAll(b, a.takeDeltas());
    const sent = repair(a, b);
    expect(sent.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(10_000);
    expect(b.get(anna.peer, 'key 7')).toBe('lost');
    expect(repair(a, b)).toEqual([]);
  });

  test('begins with few bytes and sends none when nothing differs, however many owners there are', () => {
    const a = newRecords(anna);
    const b = newRecords(bert);
    for (let index = 0; index < 1500; index++) {
      const seed = Buffer.alloc(32, 77);
      seed.writeUInt32BE(index);
      const records = newRecords(identityFromSeed(seed));
      records.set('x', String(index));
      const deltas = records.takeDeltas();
      mergeAll(a, deltas);
      if (index % 100 !== 0) mergeAll(b, deltas);
    }
    for (let round = 0; round < 3; round++) repair(a, b);
    expect(shown(b)).toEqual(shown(a));
    const digest = b.digest();
    expect(digest.length).toBeLessThan(300);
    expect(a.refine(digest)).toBeNull();
  });

  test('keeps its messages small', () => {
    const a = newRecords(anna);
    for (let index = 0; index < 2000; index++) a.set(`key ${index}`, 'v'.repeat(200));
    const deltas = repair(a, newRecords(bert));
    for (const delta of deltas) expect(delta.length).toBeLessThan(128 * 1024);
    expect(deltas.length).toBeGreaterThan(5);
  });
});

describe('what is refused', () => {
  const publish = (identity: Identity, name = 'names') => {
    const records = newRecords(identity, 1000, { name });
    records.set('x', '1');
    return wire.decodeDelta(records.takeDeltas()[0] ?? Buffer.of(0))[0];
  };
  const codeOf = (work: () => unknown): string | undefined => {
    try {
      work();
    } catch (error) {
      return error instanceof WeftError ? error.code : String(error);
    }
    return undefined;
  };

  test('an entry or head that was made by another, or for another channel, owner or incarnation', () => {
    const [mine, theirs, elsewhere] = [publish(anna), publish(bert), publish(anna, 'other')];
    if (mine === undefined || theirs === undefined || elsewhere === undefined) throw new Error('no delta');
    const later = wire.signHead('names', anna, { publicKey: anna.publicKey, incarnation: 2000, initial: 0 });
    const forged = [
      { head: mine.head, entries: theirs.entries },
      { head: mine.head, entries: elsewhere.entries },
      { head: elsewhere.head, entries: [] },
      { head: later, entries: mine.entries },
      { head: { ...later, signature: mine.head.signature }, entries: [] },
    ];
    for (const group of forged) {
      const c = newRecords(carl);
      expect(codeOf(() => c.merge(wire.encodeDelta([mine, group]), NEIGHBOUR))).toBe('bad-signature');
      expect(shown(c)).toEqual([]);
    }
  });

  test('entries of a former incarnation that come beside a later one', () => {
    const mine = publish(anna);
    if (mine === undefined) throw new Error('no delta');
    const later = wire.signHead('names', anna, { publicKey: anna.publicKey, incarnation: 2000, initial: 0 });
    const c = newRecords(carl);
    c.merge(wire.encodeDelta([{ head: later, entries: [] }, mine]), NEIGHBOUR);
    expect(shown(c)).toEqual([]);
  });

  test('any changed byte', () => {
    const a = newRecords(anna);
    a.set('key', 'value');
    const [delta = Buffer.of(0)] = a.takeDeltas();
    fc.assert(
      fc.property(fc.nat(delta.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const altered = Buffer.from(delta);
        altered[at] = (altered[at] ?? 0) ^ change;
        const b = newRecords(bert);
        expect(codeOf(() => b.merge(altered, NEIGHBOUR))).toMatch(/^bad-(message|signature)$/);
        expect(shown(b)).toEqual([]);
      }),
    );
  });

  test('bytes that are no message, as a digest too', () => {
    const b = newRecords(bert);
    b.set('x', '1');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const work of [() => b.merge(bytes, NEIGHBOUR), () => b.answer(bytes), () => b.refine(bytes)]) {
          expect([undefined, 'bad-message', 'bad-signature']).toContain(codeOf(work));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a value that its owner should not have published; the rest is taken', () => {
    const check = (_: string, value: string) => {
      if (value === 'bad') throw new WeftError('bad-message', 'no such value');
    };
    const a = newRecords(anna);
    a.set('x', 'bad');
    a.set('y', 'good');
    const b = newRecords(bert, 1000, { check });
    const refused: string[] = [];
    b.on('refused', (error, owner) => refused.push(`${error.code} ${owner}`));
    mergeAll(b, a.takeDeltas());
    expect(refused).toEqual([`bad-message ${anna.peer}`]);
    expect(shown(b)).toEqual([`${anna.peer} y=good`]);
  });

  test('more than an owner, or all of them, may publish', () => {
    const flood = newRecords(anna);
    for (let index = 0; index < 100; index++) flood.set(`key ${index}`, 'v'.repeat(100));
    const modest = newRecords(carl);
    modest.set('x', '1');
    const codes = new Set<string>();
    for (const limits of [{ owner: 10_000 }, { total: 10_000, guaranteed: 2_000 }]) {
      const b = newRecords(bert, 1000, { limits });
      b.on('refused', (error) => codes.add(error.code));
      repair(flood, b);
      repair(modest, b);
      expect([...b.entries(anna.peer)].length).toBeLessThan(20);
      expect(b.get(carl.peer, 'x')).toBe('1');
    }
    expect([...codes]).toEqual(['too-many-records']);
  });

  test('more than fits with what its values take elsewhere', () => {
    const a = newRecords(anna);
    for (const key of ['x', 'y', 'z']) a.set(key, 'v'.repeat(10));
    const b = newRecords(bert, 1000, { limits: { owner: 10_000 }, weigh: ({ length }) => length * 400 });
    mergeAll(b, a.takeDeltas());
    expect([...b.entries(anna.peer)]).toHaveLength(2);
    const own = newRecords(bert, 1000, { limits: { owner: 10_000 }, weigh: ({ length }) => length * 400 });
    expect(codeOf(() => own.set('x', 'v'.repeat(10)))).toBe('too-many-records');
  });

  test('more of our own than others would take', () => {
    const a = newRecords(anna, 1000, { limits: { owner: 10_000 } });
    const fill = () => {
      for (let index = 0; index < 100; index++) a.set(`key ${index}`, 'v');
    };
    expect(codeOf(fill)).toBe('too-many-records');
    const b = newRecords(bert, 1000, { limits: { owner: 10_000 } });
    mergeAll(b, a.takeDeltas());
    expect([...b.entries(anna.peer)].length).toBe([...a.entries(anna.peer)].length);
  });
});

test('20,000 records of 100 owners are taken in, and 200 changes a second then cost little', () => {
  const owners = Array.from({ length: 100 }, (_, index) =>
    newRecords(identityFromSeed(Buffer.alloc(32, index + 10))),
  );
  const b = newRecords(bert);
  for (const owner of owners) {
    for (let index = 0; index < 200; index++) owner.set(`container-${index}.weft.local`, '10.32.0.1');
    mergeAll(b, owner.takeDeltas());
  }
  expect(shown(b)).toHaveLength(20_000);
  const start = process.cpuUsage();
  for (const owner of [...owners, ...owners]) {
    owner.set('container-7.weft.local', '10.32.0.2');
    mergeAll(b, owner.takeDeltas());
    owner.set('container-7.weft.local', '10.32.0.1');
  }
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1e6).toBeLessThan(0.5);
}, 60_000);

describe('the test vectors of docs/protocol.md, section 6', () => {
  const vector = protocolVectors('6');

  test('a delta and a digest', () => {
    const identity = identityFromSeed(bytesOf(protocolVectors('1')('seed')));
    const records = new OwnedRecords({ name: 'names', identity, now: () => 1_700_000_000_000, value: c.raw });
    records.set('web', Buffer.from('10.32.0.1'));
    records.set('db', Buffer.from('10.32.0.2'));
    records.remove('db');
    expect(hexOf(records.takeDeltas()[0] ?? Buffer.of(0))).toBe(vector('delta'));
    const whole = records.digest();
    expect(hexOf(whole)).toBe(vector('whole'));
    const other = new OwnedRecords({ name: 'names', identity: carl, now: () => 1, value: c.raw });
    expect(hexOf(records.refine(other.refine(whole) ?? whole) ?? whole)).toBe(vector('part'));
  });
});
