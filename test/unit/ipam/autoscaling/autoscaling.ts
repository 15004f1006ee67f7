import { type Host, LEAVING } from '../checker/host.js';
import { Violation } from '../checker/invariants.js';
import { releasesOf } from '../checker/requests.js';
import { World, type WorldOptions } from '../checker/world.js';
import { removeDead } from './controller.js';
import { checkNothingLeaked, settled } from './ending.js';
import { advance, heal, partition } from './time.js';

/*
 * Fifty nodes that come and go for ten minutes, as under a cluster's autoscaler: each is new and has an identity of its own, gives addresses to containers, and
 * is taken away after a while, mostly without a word. Somebody, or two at once, removes the dead ones with `weft rmpeer`. Meanwhile packets are lost, repeated
 * and late, and the network falls apart now and then. Routers are the real state machines in the world of the checker, which looks for a second owner and a
 * second holder of an address after every input.
 */

const MOST = 50;
const FEWEST = 12;
const SECOND = 1_000;
const DURATION = 600 * SECOND;
/** How many hear of news from each at once; the others get it from these, or by the exchanges that follow. */
const FANOUT = 4;
/** From one wave of load to the next. */
const WAVE = 150 * SECOND;
/** After so long without a successor, a node that leaves is taken away all the same. */
const LEAVE_PATIENCE = 45 * SECOND;

export interface AutoscalingResult {
  /** How often each thing happened. */
  readonly counts: ReadonlyMap<string, number>;
  /** Nodes that there have ever been. */
  readonly nodes: number;
}

/** Runs all of it. Throws `Violation`, with the seed that reproduces it. */
export function autoscale(options: Omit<WorldOptions, 'liars' | 'fanout'>): AutoscalingResult {
  const world = new World({ ...options, fanout: FANOUT });
  try {
    new Autoscaler(world).run();
    heal(world);
    settled(world);
    checkNothingLeaked(world);
  } catch (error) {
    const why = error instanceof Violation ? error.message : String((error as Error).stack);
    throw new Violation(`seed ${options.seed}, after ${world.time / SECOND} s: ${why}`);
  }
  return { counts: world.counts, nodes: world.hosts.all.length };
}

class Autoscaler {
  readonly #world: World;
  /** When each node that leaves began to. */
  readonly #leaving = new Map<Host, number>();

  constructor(world: World) {
    this.#world = world;
  }

  run(): void {
    const world = this.#world;
    const end = world.time + DURATION;
    while (world.time < end) {
      this.#scale();
      for (const host of world.hosts.up()) this.#containers(host);
      if (world.chance.fault(1 / 5)) removeDead(world);
      if (world.chance.fault(1 / 60)) partition(world);
      if (world.chance.fault(1 / 12)) heal(world);
      advance(world, SECOND);
    }
  }

  /** Follows the load: nodes come and go in numbers while it changes, and single ones are replaced at any time. */
  #scale(): void {
    const { chance, hosts, time } = this.#world;
    const wave = (1 + Math.sin((2 * Math.PI * time) / WAVE)) / 2;
    const wanted = Math.round(FEWEST + wave * (MOST - FEWEST));
    const size = hosts.up().length - this.#leaving.size;
    for (let missing = Math.min(wanted - size, chance.below(3)); missing > 0; missing--) this.#join();
    if (size > wanted || chance.fault(1 / 6)) this.#takeAway();
    for (const [host, since] of this.#leaving) {
      if (host.state === 'up' && time - since < LEAVE_PATIENCE) continue;
      this.#leaving.delete(host);
      if (host.state === 'up') this.#kill(host);
    }
  }

  #join(): void {
    const world = this.#world;
    world.count('join');
    const host = world.addHost();
    host.group = world.anyUp()?.group ?? 0;
    world.start(host);
  }

  #takeAway(): void {
    const world = this.#world;
    const host = world.anyUp();
    if (host === undefined || world.hosts.up().length <= FEWEST / 2 || this.#leaving.has(host)) return;
    if (world.chance.random() < 0.6) this.#kill(host);
    else this.#leave(host);
  }

  #kill(host: Host): void {
    this.#world.count('kill');
    this.#world.stop(host, 'dead');
    host.used.clear();
  }

  #leave(host: Host): void {
    const world = this.#world;
    const { ring } = host;
    if (ring === undefined) return;
    world.count('leave');
    this.#leaving.set(host, world.time);
    for (const owner of host.used.values()) ring.release(world.nextId(), releasesOf(ring, owner));
    host.used.clear();
    world.request(host, LEAVING, (id) => ring.leave(id));
    world.settle(host);
  }

  /** Some come, some go, and some do not wait for an address any longer. */
  #containers(host: Host): void {
    const world = this.#world;
    const { chance } = world;
    const { ring } = host;
    if (ring === undefined || this.#leaving.has(host)) return;
    if (host.used.size < 4 && chance.random() < 0.2) {
      world.count('allocate');
      world.allocate(host);
    }
    if (host.used.size > 0 && chance.random() < 0.05) {
      const [address, owner] = chance.pick([...host.used]);
      world.count('release');
      host.used.delete(address);
      ring.release(world.nextId(), releasesOf(ring, owner));
    }
    for (const id of host.waiting.keys())
      if (host.waiting.size > 4 || chance.random() < 0.02) ring.cancel(id);
    world.settle(host);
  }
}
