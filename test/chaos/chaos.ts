import type { Lab } from '../lab/index.js';
import { lasting } from '../lab/index.js';
import { Chance } from './chance.js';
import { hold } from './invariants.js';
import { OPERATIONS } from './operations.js';
import { World } from './world.js';

/** Operations of a round, at most. */
const MOST_AT_ONCE = 3;
/** Between two of them, seconds at most. */
const LONGEST_PAUSE = 2;

export interface ChaosOptions {
  /** The same seed gives the same operations, at about the same times. */
  readonly seed: number;
  /** Whether there is to be another round. */
  readonly goesOn: (rounds: number) => boolean;
  readonly say: (what: string) => void;
}

/**
 * Lets things happen to hosts at random, several at the same time, and looks after each round whether everything is as it must be. Rejects with
 * what is not; gives the number of rounds.
 */
export async function chaos(lab: Lab, { seed, goesOn, say }: ChaosOptions): Promise<number> {
  const chance = new Chance(seed);
  const world = await World.create(lab, say);
  await hold(world);
  let rounds = 0;
  for (; goesOn(rounds); rounds += 1) {
    await round(world, chance);
    await hold(world);
    say('everybody reaches everybody, and nothing is left behind');
  }
  return rounds;
}

/** One host is always spared: a network of which nobody is left has nobody to ask. */
async function round(world: World, chance: Chance): Promise<void> {
  const undoing: { readonly name: string; readonly undo: () => Promise<unknown> }[] = [];
  const count = 1 + chance.number(MOST_AT_ONCE);
  for (let i = 0; i < count && world.sound.length > 1; i += 1) {
    const [host, operation] = [chance.pick(world.sound), chance.pick(OPERATIONS)];
    const { name } = host;
    world.tell(`${name} ${operation.what}`);
    world.troubled.add(name);
    const undo = await operation.act(host, world, chance);
    if (undo === undefined) world.troubled.delete(name);
    else undoing.push({ name, undo });
    await lasting((chance.number(100) / 100) * LONGEST_PAUSE);
  }
  for (const { name, undo } of chance.shuffled(undoing)) {
    await undo();
    world.troubled.delete(name);
    world.tell(`${name} is put right`);
  }
  await world.forgetDead();
  await world.attachForgotten();
}
