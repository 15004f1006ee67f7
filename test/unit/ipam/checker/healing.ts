import type { AddressRing } from '../../../../src/ipam/address-ring.js';
import { IPV4 } from '../../../../src/ipam/ownership/allocations.js';
import type { Host } from './host.js';
import { isWhole, noteOwned, Violation } from './invariants.js';
import type { World } from './world.js';

/** Milliseconds between the clocks of two hosts. */
const MAX_SKEW = 3_600_000;

/** Nobody listens to the liars any more, as after `weft peer revoke`: what they said stays in the rings. */
export function expelLiars(world: World): void {
  for (const host of world.hosts.all) {
    if (!host.isLiar) continue;
    world.stop(host, 'expelled');
    host.used.clear();
  }
}

/** Ends all faults; then all addresses must be owned, by owners that all hosts know, and usable. */
export function heal(world: World): void {
  const { chance, hosts, network, range } = world;
  chance.calm = true;
  // What the fastest clock let pass is believed by all when the slowest gets there.
  if (world.hasLiars) world.time += 2 * MAX_SKEW;
  for (const host of hosts.all) {
    host.group = 0;
    if (host.state === 'stopped' || (host.state === 'dead' && !isReplaced(host))) world.start(host);
  }
  if (hosts.up().length === 0) return;
  for (let round = 0; round < 60 && !(network.late.length === 0 && isWhole(hosts, range)); round++) {
    if (round === 3) network.packets.push(...network.late.splice(0));
    settleAll(world);
    removeDead(world);
    if (world.hasLiars && round % 10 === 9) restartRivals(world);
  }
  if (!isWhole(hosts, range)) throw new Violation(`space is lost: ${hosts.describe()}`);
  fillUp(world);
}

/** A host that was removed does not come back, unless a liar removed it. */
function isReplaced({ successor }: Host): boolean {
  return successor !== undefined && !successor.isLiar;
}

/** Time passes on all hosts, each tells the others all that it knows, and everything arrives. */
function settleAll(world: World): void {
  const { hosts, network } = world;
  world.time += 2_500;
  for (const host of hosts.all) {
    host.ring?.tick(world.now(host));
    world.settle(host);
    const records = [...(host.ring?.ring?.records() ?? [])];
    if (records.length > 0) for (const to of hosts.all) network.post(host, to, { kind: 'records', records });
  }
  while (network.packets.length > 0) for (const packet of network.takeAll()) world.receive(packet);
}

/**
 * Where two honest hosts own the same addresses, one of them is started anew, as people should do: what it
 * owned is its own again only if the other one confirms that. So is one that is said to own what it knows
 * nothing of.
 */
function restartRivals(world: World): void {
  const { hosts } = world;
  const rival = hosts.up().find((host) => noteOwned(hosts, host) !== undefined || isMisnamed(host));
  if (rival === undefined) return;
  world.count('restart of a rival');
  world.stop(rival, 'stopped');
  rival.isFresh = false;
  world.start(rival);
}

/** Whether addresses are said to be of an incarnation that the router never began. */
function isMisnamed({ ring, peer, disk }: Host): boolean {
  return (ring?.ring?.latestIncarnation(peer).incarnation ?? 0) > disk.incarnation;
}

/**
 * Removes dead hosts again where they are believed to participate: a removal ends only the incarnations
 * that were known.
 */
function removeDead(world: World): void {
  const [host] = world.hosts.up();
  const ring = host?.ring?.ring;
  const owners = ring?.arcs.map(({ record }) => record.owner) ?? [];
  for (const peer of new Set([...owners, ...(ring?.participants ?? [])])) {
    const other = world.hosts.of(peer);
    if (host?.ring === undefined || other?.state === 'up' || other?.state === 'stopped') continue;
    host.ring.remove(world.nextId(), peer);
    world.settle(host);
  }
}

/** One host can get all the addresses that are left. */
function fillUp(world: World): void {
  const { hosts, range } = world;
  const host = world.anyUp();
  if (host === undefined) return;
  for (const { ring, waiting } of hosts.all) for (const id of waiting.keys()) ring?.cancel(id);
  for (const each of hosts.all) world.settle(each);
  const used = hosts.all.reduce((sum, each) => sum + each.used.size, 0);
  const left = hosts.all.reduce((sum, { ring }) => sum + held(ring), 0);
  if (used > left) throw new Violation(`${used} addresses are in use, but only ${left} are noted`);
  const { start, end } = range;
  if (end - start > 256) return;
  const fixed = [start, end - 1].filter((address) => hosts.all.some((each) => each.used.has(address)));
  const wanted = end - start - 2 - (left - fixed.length);
  for (let count = 0; count < wanted; count++) {
    if (isGranted(world, host)) continue;
    throw new Violation(`${host.name} got ${count} of ${wanted} free addresses\n${hosts.describe()}`);
  }
  world.count('fill', wanted);
}

/** Asks for an address; true when it is granted in the end. */
function isGranted(world: World, host: Host): boolean {
  const span = { start: world.range.start + 1, end: world.range.end - 1 };
  const owner = host.nextOwner();
  const before = host.used.size;
  world.request(host, owner, (id) => host.ring?.allocate(id, owner, span, 24, IPV4));
  world.settle(host);
  for (let round = 0; round < 60 && host.used.size === before; round++) settleAll(world);
  return host.used.size !== before;
}

function held(ring: AddressRing | undefined): number {
  return ring?.view().allocated ?? 0;
}
