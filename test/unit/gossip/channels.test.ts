import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../bench/sim/virtual-clock.js';
import { Channels } from '../../../src/gossip/channels.js';
import type { OpenChannel } from '../../../src/gossip/index.js';
import { identityFromSeed, type PeerId } from '../../../src/identity/index.js';
import { Words } from './words.js';

/** Routers with one channel each on a network that loses what the test wants lost. */
class World {
  readonly clock = new VirtualClock();
  readonly routers = new Map<PeerId, { words: Words; channels: Channels; open: OpenChannel }>();
  readonly edges = new Set<string>();
  readonly refused: string[] = [];
  sent = 0;
  deaf = false;

  constructor(size: number) {
    for (let seed = 1; seed <= size; seed++) this.#add(identityFromSeed(Buffer.alloc(32, seed)).peer);
  }

  get ids(): PeerId[] {
    return [...this.routers.keys()];
  }

  link(a: number, b: number): void {
    const [one, two] = [this.#at(a), this.#at(b)];
    this.edges.add(`${one} ${two}`).add(`${two} ${one}`);
    this.routers.get(one)?.channels.linkUp(two);
    this.routers.get(two)?.channels.linkUp(one);
  }

  say(at: number, word: string): void {
    const router = this.routers.get(this.#at(at));
    router?.words.add(word, router.open);
  }

  heard(): string[] {
    return [...this.routers.values()].map(({ words }) => [...words.all].sort().join(' '));
  }

  #add(self: PeerId): void {
    const words = new Words();
    const deliver = (to: PeerId, take: (channels: Channels) => void) => {
      this.sent += 1;
      this.clock.after(1, () => {
        const receiver = this.deaf ? undefined : this.routers.get(to);
        if (receiver !== undefined) take(receiver.channels);
      });
      return true;
    };
    const channels = new Channels({
      self,
      clock: this.clock,
      random: () => 0.5,
      delay: 100,
      antiEntropy: 10_000,
      neighbours: () => this.ids.filter((id) => this.edges.has(`${self} ${id}`)),
      linksOf: () => [],
      send: (to, message) =>
        deliver(to, (there) => {
          if (message.type === 'digest') there.receiveDigest(self, message);
          else there.receiveDeltas(self, message.channel, message.deltas);
        }),
      onRefused: (error) => this.refused.push(error.code),
    });
    channels.start();
    this.routers.set(self, { words, channels, open: channels.open(words) });
  }

  #at(index: number): PeerId {
    const id = this.ids[index];
    if (id === undefined) throw new Error(`there is no router ${index}`);
    return id;
  }
}

describe('a gossip channel', () => {
  test('carries a change over a chain of routers, each within the time in which changes are collected', () => {
    const world = new World(4);
    for (const at of [0, 1, 2]) world.link(at, at + 1);
    world.clock.run(50);
    world.say(0, 'hello');
    world.clock.run(350);
    expect(world.heard()).toEqual(['hello', 'hello', 'hello', 'hello']);
  });

  test('gives everything to a router that is linked later, in both directions', () => {
    const world = new World(4);
    world.link(0, 1);
    world.link(2, 3);
    world.say(0, 'east');
    world.say(3, 'west');
    world.clock.run(1000);
    world.link(1, 2);
    world.clock.run(1000);
    expect(new Set(world.heard())).toEqual(new Set(['east west']));
  });

  test('repairs by itself what was lost', () => {
    const world = new World(2);
    world.link(0, 1);
    world.clock.run(1000);
    world.deaf = true;
    world.say(1, 'lost');
    world.clock.run(200);
    world.deaf = false;
    world.clock.run(30_000);
    expect(world.heard()).toEqual(['lost', 'lost']);
  });

  test('is quiet when there is nothing to tell', () => {
    const world = new World(3);
    for (const at of [0, 1]) world.link(at, at + 1);
    world.say(0, 'hello');
    world.clock.run(60_000);
    world.sent = 0;
    world.clock.run(60_000);
    // One digest each ten seconds, and no answer to it.
    expect(world.sent).toBeLessThanOrEqual(3 * 6);
  });

  test('offers a whole state, instead of pushing it to those who have it', () => {
    const world = new World(5);
    for (const at of [0, 1, 2, 3]) for (let other = at + 1; other < 5; other++) world.link(at, other);
    world.clock.run(20_000);
    const before = world.sent;
    const long = 'x'.repeat(20_000);
    world.say(0, long);
    world.clock.run(3_000);
    for (const heard of world.heard()) expect(heard).toContain(long);
    // Four times the word itself, and then digests only: no router sends it to another that has it.
    expect(world.sent - before).toBeLessThan(60);
  });

  test('drops and counts what it cannot use, and goes on', () => {
    const world = new World(2);
    world.link(0, 1);
    const [id] = world.ids;
    const [, other] = world.routers.values();
    if (id === undefined) throw new Error('no router');
    other?.channels.receiveDeltas(
      id,
      'words',
      ['bad', 'worse', 'good'].map((word) => Buffer.from(word)),
    );
    other?.channels.receiveDeltas(id, 'nobody', [Buffer.from('x')]);
    other?.channels.receiveDigest(id, { channel: 'nobody', answer: false, digest: Buffer.alloc(0) });
    world.clock.run(1000);
    expect(world.refused).toEqual(['bad-message', 'gossip-failed', 'unknown-channel', 'unknown-channel']);
    expect(world.heard()).toEqual(['good', 'good']);
  });

  test('gives all routers the same, whatever is said where and lost when', () => {
    const step = fc.record({ at: fc.nat(4), word: fc.constantFrom('a', 'b', 'c', 'd'), deaf: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const world = new World(5);
        for (const at of [0, 1, 2, 3]) world.link(at, at + 1);
        for (const { at, word, deaf } of steps) {
          world.deaf = deaf;
          world.say(at, word);
          world.clock.run(70);
        }
        world.deaf = false;
        world.clock.run(100_000);
        expect(new Set(world.heard()).size).toBe(1);
      }),
      { numRuns: 50 },
    );
  });
});
