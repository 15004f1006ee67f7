import { reaches } from '../checker/host.js';
import type { World } from '../checker/world.js';

/** So long a packet is on its way, in milliseconds. */
const LATENCY = 100;
const TICK = 1_000;
/** Each exchanges all that it knows with somebody about once in so many ticks. */
const TICKS_BETWEEN_EXCHANGES = 10;

/** Lets time pass: what was sent arrives a moment later, in any order, and every second the routers look what there is to do. */
export function advance(world: World, milliseconds: number): void {
  for (let left = milliseconds; left > 0; left -= LATENCY) {
    world.time += LATENCY;
    for (let packets = world.network.packets.length; packets > 0; packets--) world.deliver();
    if (world.time % TICK === 0) tick(world);
  }
}

function tick(world: World): void {
  for (const host of world.hosts.up()) {
    host.ring?.tick(world.now(host));
    world.settle(host);
    if (world.chance.below(TICKS_BETWEEN_EXCHANGES) === 0) exchange(world);
  }
}

/** Two tell each other all that they know. */
function exchange(world: World): void {
  const [one, other] = [world.anyUp(), world.anyUp()];
  if (one === undefined || other === undefined) return;
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    const records = [...(from.ring?.ring?.records() ?? [])];
    world.network.post(from, to, { kind: 'records', records });
  }
}

/** The network falls apart. */
export function partition(world: World): void {
  world.count('partition');
  const groups = world.chance.pick([2, 2, 3]);
  for (const host of world.hosts.up()) host.group = world.chance.below(groups);
}

/** It is one again. */
export function heal(world: World): void {
  const up = world.hosts.up();
  const isWhole = up.every(({ group }) => group === up[0]?.group);
  for (const host of world.hosts.all) host.group = 0;
  if (isWhole) return;
  for (const host of up) {
    for (const other of up) if (reaches(host, other)) host.ring?.reached(other.peer, world.now(host));
    world.settle(host);
  }
}
