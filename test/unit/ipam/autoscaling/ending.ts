import { LEAVING } from '../checker/host.js';
import { isWhole, Violation } from '../checker/invariants.js';
import type { World } from '../checker/world.js';
import { removeDead } from './controller.js';
import { advance } from './time.js';

/** How long it may take until all is in order once no fault happens any more, in milliseconds. */
const PATIENCE = 300_000;
const PAUSE = 5_000;
/** In a larger range, taking every address would take longer than all that was before. */
const MAX_FILLED = 256;

/** Without any faults the living own all addresses after a while, once those who leave have left and the dead are removed. */
export function settled(world: World): void {
  const { chance, hosts, range, network } = world;
  chance.calm = true;
  network.packets.push(...network.late.splice(0));
  for (const { ring, waiting } of hosts.up()) {
    for (const [id, owner] of waiting) if (owner !== LEAVING) ring?.cancel(id);
  }
  const end = world.time + PATIENCE;
  do {
    if (world.time > end) throw new Violation(`addresses are lost: ${hosts.describe()}`);
    removeDead(world);
    advance(world, PAUSE);
  } while (!isWhole(hosts, range));
}

/** Every address that is noted as given is a living container's, and one node can have all that are free. */
export function checkNothingLeaked(world: World): void {
  const { hosts, range } = world;
  for (const host of hosts.up()) {
    const noted = host.ring?.view().allocated;
    if (noted !== host.used.size) throw new Violation(`${host.name} notes ${noted} of ${host.used.size}`);
    const foreign = [...host.used.keys()].find(
      (address) => !host.owned.some(({ start, end }) => start <= address && address < end),
    );
    if (foreign !== undefined) throw new Violation(`${host.name} gave ${foreign}, which is not its own`);
  }
  if (range.end - range.start <= MAX_FILLED) fillUp(world);
}

function fillUp(world: World): void {
  const { hosts, range } = world;
  const host = world.anyUp();
  const span = { start: range.start + 1, end: range.end - 1 };
  const inUse = () => hosts.up().flatMap(({ used }) => [...used.keys()]);
  const wanted = span.end - span.start - inUse().filter((address) => contains(span, address)).length;
  for (let count = 0; host !== undefined && count < wanted; count++) world.allocate(host, span);
  const end = world.time + PATIENCE;
  const before = inUse().length;
  while (inUse().length < before + wanted) {
    if (world.time > end) throw new Violation(`${inUse().length - before} of ${wanted} can be had`);
    advance(world, PAUSE);
  }
  world.count('fill', wanted);
}

function contains({ start, end }: { start: number; end: number }, address: number): boolean {
  return start <= address && address < end;
}
