import { faults } from './faults.js';
import { expelLiars, heal } from './healing.js';
import { Violation } from './invariants.js';
import { lies } from './lies.js';
import { requests } from './requests.js';
import { type Operation, World, type WorldOptions } from './world.js';

/*
 * A randomised checker: routers with the real state machine, over a network that loses, repeats, delays and
 * reorders messages, on hosts that crash and come back with older disks, in virtual time. Safety is checked
 * after every operation; at the end of every episode all faults end, and it is checked that nothing is lost.
 *
 * Where members lie, no protocol keeps an address from having two owners. Then it is checked what an honest
 * router keeps by itself, and that all is well again once the liars are expelled.
 */

export interface CheckOptions extends WorldOptions {
  /** Number of operations in one episode, which is a network from its beginning until it is healed. */
  readonly operations: number;
}

export interface CheckResult {
  readonly operations: number;
  /** Number of operations of each kind. */
  readonly counts: ReadonlyMap<string, number>;
}

const MAX_IN_FLIGHT = 400;

/** Runs one episode. Throws `Violation`, with the seed that reproduces it. */
export function check(options: CheckOptions): CheckResult {
  const world = new World(options);
  const operations = [...requests(world), ...faults(world), ...lies(world)];
  const weight = operations.reduce((sum, each) => sum + each.weight, 0);
  try {
    while (world.operations < options.operations) step(world, operations, weight);
    expelLiars(world);
    heal(world);
  } catch (error) {
    const why =
      error instanceof Violation ? error.message : String(error instanceof Error ? error.stack : error);
    throw new Violation(`seed ${options.seed}, operation ${world.operations}: ${why}`);
  }
  return { operations: world.operations, counts: world.counts };
}

/** A packet arrives, or one of these operations is carried out, whose weights add up to `sum`. */
function step(world: World, operations: readonly Operation[], sum: number): void {
  const { chance, network } = world;
  world.operations++;
  const { length } = network.packets;
  if (length > 0 && chance.random() < (length > MAX_IN_FLIGHT ? 0.95 : 0.7)) {
    world.deliver();
    return;
  }
  let choice = chance.random() * sum;
  for (const { weight, run } of operations) {
    choice -= weight;
    if (choice > 0) continue;
    run();
    break;
  }
}
