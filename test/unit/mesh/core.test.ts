import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { measure, type SimResult } from '../../../bench/sim/measure.js';
import { type RouterOptions, type SimRouter, World } from '../../../bench/sim/world.js';
import type { PeerId } from '../../../src/identity/index.js';
import type { LinkMessage } from '../../../src/mesh/link/messages.js';
import { encodeSuspicion } from '../../../src/mesh/membership/member-deltas.js';

interface Heard {
  readonly at: PeerId;
  readonly from: PeerId;
  readonly text: string;
}

/** A world that remembers the messages that arrived. */
function newWorld({ seed = 1, loss = 0 } = {}) {
  const heard: Heard[] = [];
  const world = new World({
    seed,
    loss,
    onMessage: (at, from, _, bytes) => heard.push({ at, from, text: bytes.toString() }),
  });
  return { world, heard };
}

/** Routers that only keep the links of these pairs. */
function linked(world: World, size: number, pairs: readonly (readonly [number, number])[]): SimRouter[] {
  const identities = Array.from({ length: size }, () => world.newIdentity());
  return identities.map((identity, at) => {
    const targets = pairs
      .filter(([from]) => from === at)
      .map(([, to]) => identities[to]?.peer ?? identity.peer);
    return world.add({ identity, targets, discovery: false });
  });
}

const chainOf = (size: number) => Array.from({ length: size - 1 }, (_, at) => [at, at + 1] as const);
const cliqueOf = (members: readonly number[]) =>
  members.flatMap((one) => members.filter((two) => two > one).map((two) => [one, two] as const));

function pick(routers: readonly SimRouter[], at: number): SimRouter {
  const router = routers.at(at);
  if (router === undefined) throw new Error(`there is no router ${at}`);
  return router;
}

function knowEachOther(routers: Iterable<SimRouter>): boolean {
  const all = [...routers];
  return all.every(({ core }) =>
    all.every(({ peer }) => core.membership.get(peer) !== undefined && !core.membership.isSuspected(peer)),
  );
}

function grown(world: World, size: number, options: RouterOptions = {}): SimRouter[] {
  const first = world.add(options);
  const others = Array.from({ length: size - 1 }, () => world.add({ ...options, targets: [first.peer] }));
  return [first, ...others];
}

/** Sends from each of the routers to each other one; returns how many messages arrived. */
function talk(world: World, heard: Heard[], routers: readonly SimRouter[]): number {
  heard.length = 0;
  for (const from of routers) {
    for (const to of routers) if (from !== to) from.core.send(to.peer, 'x', Buffer.from('hello'));
  }
  world.clock.run(2_000);
  return heard.length;
}

describe('messages to members that are not linked', () => {
  test('cross a chain of five, with their source proved', () => {
    const { world, heard } = newWorld();
    const chain = linked(world, 5, chainOf(5));
    world.clock.run(5_000);
    expect(talk(world, heard, chain)).toBe(20);
    expect(chain.map(({ wires }) => wires.size)).toEqual([1, 2, 2, 2, 1]);
  });

  test('are refused when somebody between changed them, repeats them or claims to be another', () => {
    const { world, heard } = newWorld();
    const chain = linked(world, 3, chainOf(3));
    const [a, b, c] = [pick(chain, 0), pick(chain, 1), pick(chain, 2)];
    world.clock.run(5_000);
    let seen: LinkMessage | undefined;
    const { receive } = b.core;
    b.core.receive = (from, message) => {
      if (message.type === 'routed') seen = message;
      receive.call(b.core, from, message);
    };
    a.core.send(c.peer, 'x', Buffer.from('pay 1'));
    world.clock.run(1_000);
    if (seen?.type !== 'routed') throw new Error('nothing was routed');
    const { content } = seen;
    const forgeries: LinkMessage[] = [
      seen,
      { ...seen, content: { ...content, count: content.count + 1 } },
      { ...seen, content: { ...content, count: content.count + 1, bytes: Buffer.from('pay 2') } },
      { ...seen, content: { ...content, source: b.peer, count: content.count + 2 } },
      { ...seen, content: { ...content, destinationIncarnation: 1 } },
    ];
    for (const forgery of forgeries) c.core.receive(b.peer, forgery);
    expect(heard).toEqual([{ at: c.peer, from: a.peer, text: 'pay 1' }]);
    expect(c.refused.map(({ code }) => code)).toEqual([
      'repeated-message',
      'bad-signature',
      'bad-signature',
      'bad-signature',
      'stale-message',
    ]);
  });

  test('take the other way round a ring as soon as a link of it is cut', () => {
    const { world, heard } = newWorld();
    const pairs = [...chainOf(6), [5, 0] as const];
    const ring = linked(world, 6, pairs);
    world.clock.run(5_000);
    world.partition(() => 0);
    pick(ring, 0).quests.clear();
    world.unlink(pick(ring, 0).peer, pick(ring, 1).peer, false);
    world.clock.run(1_000);
    expect(talk(world, heard, ring)).toBe(30);
  });

  test('cross the one link between two cliques, also when it moves', () => {
    const { world, heard } = newWorld();
    const [west, east] = [cliqueOf([0, 1, 2, 3]), cliqueOf([4, 5, 6, 7])];
    const routers = linked(world, 8, [...west, ...east, [0, 4]]);
    world.clock.run(5_000);
    expect(talk(world, heard, routers)).toBe(56);
    pick(routers, 0).quests.delete(pick(routers, 4).peer);
    world.unlink(pick(routers, 0).peer, pick(routers, 4).peer, false);
    world.link(pick(routers, 3).peer, pick(routers, 7).peer);
    world.clock.run(2_000);
    expect(talk(world, heard, routers)).toBe(56);
  });

  test('do not go in circles when their destination is gone', () => {
    const { world, heard } = newWorld();
    const chain = linked(world, 5, [...chainOf(5), [4, 1]]);
    world.clock.run(5_000);
    const gone = pick(chain, 0);
    world.kill(gone);
    world.resetCounters();
    for (const { core } of chain.slice(1)) core.send(gone.peer, 'x', Buffer.from('anybody there?'));
    world.clock.run(1_000);
    expect(heard).toEqual([]);
    expect(world.traffic().messages.reduce((sum, count) => sum + count)).toBeLessThan(100);
  });
});

describe('the dead', () => {
  test('are down everywhere within a minute, and up when they are back', () => {
    const { world } = newWorld();
    const routers = grown(world, 20);
    world.clock.run(10_000);
    const victim = pick(routers, 7);
    world.kill(victim);
    world.clock.run(45_000);
    const rest = [...world.routers.values()];
    expect(rest.every(({ core }) => core.membership.isDown(victim.peer))).toBe(true);
    expect(rest.some((one) => rest.some(({ peer }) => one.core.membership.isDown(peer)))).toBe(false);
    world.add({ identity: victim.identity, targets: [pick(routers, 0).peer] });
    world.clock.run(5_000);
    expect(knowEachOther(world.routers.values())).toBe(true);
  });

  test('that were known through another router are out of reach, until they are back', () => {
    const { world } = newWorld();
    const [near, middle, far] = linked(world, 3, chainOf(3));
    if (near === undefined || middle === undefined || far === undefined) throw new Error('three were made');
    world.clock.run(5_000);
    expect(near.core.isReachable(far.peer)).toBe(true);
    world.kill(far);
    world.clock.run(45_000);
    expect(near.core.isReachable(far.peer)).toBe(false);
    world.add({ identity: far.identity, targets: [middle.peer], discovery: false });
    world.clock.run(5_000);
    expect(near.core.isReachable(far.peer)).toBe(true);
  });

  test('may be half of all at once: the others stay together', () => {
    const { world, heard } = newWorld();
    grown(world, 120);
    world.clock.run(60_000);
    for (const [at, router] of [...world.routers.values()].entries()) if (at % 2 === 0) world.kill(router);
    world.clock.run(60_000);
    const rest = [...world.routers.values()];
    expect(rest.every(({ core }) => core.membership.suspected().length === 60)).toBe(true);
    const some = rest.slice(0, 10);
    const heardOnce = new Set<string>();
    for (let attempt = 0; attempt < 4; attempt++) {
      talk(world, heard, some);
      for (const { at, from } of heard) heardOnce.add(`${from} to ${at}`);
    }
    expect(heardOnce.size).toBe(90);
  });
});

describe('a partition', () => {
  test.each([12, 120])('of %i routers, with changes on both sides, merges when it is healed', (size) => {
    const { world } = newWorld();
    grown(world, size);
    world.clock.run(60_000);
    const sides = new Map([...world.routers.keys()].map((peer, at) => [peer, at % 2]));
    world.partition(({ peer }) => sides.get(peer) ?? 0);
    for (const side of [0, 1]) {
      const anchor = [...sides].find(([, at]) => at === side)?.[0];
      const fresh = world.add(anchor === undefined ? {} : { targets: [anchor] });
      world.sides.set(fresh.peer, side);
    }
    world.clock.run(60_000);
    world.heal();
    world.clock.run(60_000);
    expect(world.routers.size).toBe(size + 2);
    expect(knowEachOther(world.routers.values())).toBe(true);
  });
});

describe('links', () => {
  test('are between all while the mesh is small', () => {
    const { world } = newWorld();
    grown(world, 30);
    world.clock.run(15_000);
    for (const { wires } of world.routers.values()) expect(wires.size).toBe(29);
  });

  test('are few when it is large, and the first router is not drowned in them', () => {
    const { world } = newWorld();
    grown(world, 150);
    world.clock.run(120_000);
    // 2 log2 150 = 14.5
    for (const { wires } of world.routers.values()) {
      expect(wires.size).toBeGreaterThanOrEqual(12);
      expect(wires.size).toBeLessThanOrEqual(45);
    }
    expect(knowEachOther(world.routers.values())).toBe(true);
  });

  test('are no more than the limit', () => {
    const { world } = newWorld();
    grown(world, 30, { connections: 6 });
    world.clock.run(60_000);
    for (const { wires } of world.routers.values()) {
      expect(wires.size).toBeGreaterThanOrEqual(2);
      expect(wires.size).toBeLessThanOrEqual(7);
    }
    expect(knowEachOther(world.routers.values())).toBe(true);
  });

  test('make room for a newcomer where all have as many as they may', () => {
    const { world } = newWorld();
    const routers = grown(world, 4, { connections: 2 });
    world.clock.run(60_000);
    const [first] = routers;
    if (first === undefined) throw new Error('there are four');
    const late = world.add({ connections: 2, targets: [first.peer] });
    world.clock.run(60_000);
    expect(knowEachOther(world.routers.values())).toBe(true);
    expect(late.wires.size).toBeGreaterThanOrEqual(1);
    for (const { wires } of world.routers.values()) expect(wires.size).toBeLessThanOrEqual(3);
  });

  test('that lose one segment in twenty do not flap, and nobody is taken for dead', () => {
    const { world } = newWorld({ loss: 0.05 });
    grown(world, 12);
    world.clock.run(10_000);
    const before = [...world.routers.values()].map(({ wires }) => [...wires.values()]);
    const versions = [...world.routers.values()].map(({ core }) => core.membership.self.content.sequence);
    world.clock.run(300_000);
    expect([...world.routers.values()].map(({ wires }) => [...wires.values()])).toEqual(before);
    expect([...world.routers.values()].map(({ core }) => core.membership.self.content.sequence)).toEqual(
      versions,
    );
  });
});

describe('a neighbour', () => {
  test('cannot make a router throw, whatever it sends, nor silence it', () => {
    const bytes = fc.uint8Array({ maxLength: 64 });
    const channel = fc.constantFrom('members', 'other');
    const message: fc.Arbitrary<LinkMessage> = fc.oneof(
      fc.record({ type: fc.constant('deltas' as const), channel, deltas: fc.array(bytes, { maxLength: 3 }) }),
      fc.record({ type: fc.constant('digest' as const), channel, answer: fc.boolean(), digest: bytes }),
      fc.record({ type: fc.constant('unicast' as const), channel, bytes }),
    );
    const { world, heard } = newWorld();
    const pair = linked(world, 2, chainOf(2));
    world.clock.run(1_000);
    fc.assert(
      fc.property(message, (hostile) => pick(pair, 0).core.receive(pick(pair, 1).peer, hostile)),
      { numRuns: 1000 },
    );
    world.clock.run(1_000);
    expect(talk(world, heard, pair)).toBeGreaterThanOrEqual(2);
  });

  test('that keeps suspecting a router costs one message a second', () => {
    const { world } = newWorld();
    const pair = linked(world, 2, chainOf(2));
    const [victim, hostile] = [pick(pair, 0), pick(pair, 1)];
    world.clock.run(5_000);
    const before = victim.core.membership.self.content.sequence;
    for (let i = 0; i < 1_000; i++) {
      const { incarnation, sequence } = victim.core.membership.self.content;
      const delta = encodeSuspicion({ peer: victim.peer, incarnation, sequence });
      victim.core.receive(hostile.peer, { type: 'deltas', channel: 'members', deltas: [delta] });
      world.clock.run(10);
    }
    expect(victim.core.membership.self.content.sequence - before).toBeLessThanOrEqual(11);
  });
});

test('the simulation of 100 routers keeps the promises made for 1,000', () => {
  const result = measure({ size: 100, seed: 7, joins: 5, routedMessages: 50, window: 20_000, churn: 0.05 });
  expect(result.join.p99).toBeLessThan(3);
  expect(result.idle.worstBytesPerSecond).toBeLessThan(10_000);
  expect(result.routed.afterRetry).toBe(result.routed.tried);
}, 60_000);

test('a simulation comes out the same again', () => {
  const options = { size: 20, seed: 7, joins: 3, routedMessages: 10, window: 20_000, churn: 0.5 };
  const [one, two] = [measure(options), measure(options)];
  const outcome = ({ start, join, idle, churn, routed }: SimResult) => [
    start,
    join,
    idle.bytesPerSecond,
    churn.bytesPerSecond,
    routed,
  ];
  expect(outcome(two)).toEqual(outcome(one));
});
