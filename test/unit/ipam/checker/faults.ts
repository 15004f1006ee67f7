import { WeftError } from '../../../../src/errors.js';
import { LEAVING, reaches } from './host.js';
import { isEverybodyKnown } from './invariants.js';
import { releasesOf } from './requests.js';
import type { Operation, World } from './world.js';

const MAX_HOSTS = 7;

/** What fails, and what people do about it: partitions, crashes, older disks, removals, hosts that join and leave. */
export function faults(world: World): readonly Operation[] {
  const { faultRate } = world;
  return [
    { weight: faultRate, run: () => partition(world) },
    { weight: faultRate, run: () => restartRouter(world) },
    { weight: 0.6 * faultRate, run: () => killHost(world) },
    { weight: 0.8 * faultRate, run: () => bringBack(world) },
    { weight: 0.4 * faultRate, run: () => remove(world) },
    { weight: 0.3 * faultRate, run: () => killAndRemove(world) },
    { weight: 0.2 * faultRate, run: () => leave(world) },
    { weight: 0.4 * faultRate, run: () => join(world) },
    { weight: 0.3 * faultRate, run: () => fullDisk(world) },
  ];
}

function partition(world: World): void {
  world.count('partition');
  const groups = world.chance.pick([1, 1, 2, 2, 3]);
  for (const host of world.hosts.all) host.group = world.chance.below(groups);
  greet(world);
}

function greet(world: World): void {
  for (const host of world.hosts.all) {
    for (const other of world.hosts.all) {
      if (host.ring === undefined || !reaches(host, other) || world.chance.random() < 0.5) continue;
      host.ring.reached(other.peer, world.now(host));
      world.settle(host);
    }
  }
}

/**
 * Kills the router, perhaps between a write and its outputs, and starts it again from its disk: it goes on
 * in its incarnation.
 */
function restartRouter(world: World): void {
  const host = world.anyUp();
  if (host?.ring === undefined) return;
  world.count('restart');
  world.stop(host, 'stopped');
  if (world.chance.random() < 0.8) world.start(host);
}

function killHost(world: World): void {
  const host = world.anyUp();
  if (host === undefined || world.hosts.up().length < 2) return;
  world.count('kill');
  world.stop(host, 'dead');
  host.used.clear();
}

function bringBack(world: World): void {
  const { chance, hosts } = world;
  const down = hosts.all.filter(({ state }) => state === 'stopped' || state === 'dead');
  if (down.length === 0) return;
  const host = chance.pick(down);
  if (host.state === 'stopped') {
    world.start(host);
    return;
  }
  const backup = chance.random() < 0.5 ? chance.pick([host.disk, ...host.backups]) : host.disk;
  const { disk, successor } = host;
  const isOlder = backup !== disk;
  host.disk = backup;
  host.successor = undefined;
  if ((isOlder || successor !== undefined) && !isEverybodyKnown(hosts)) {
    host.disk = disk;
    host.successor = successor;
    world.count(isOlder ? 'backup too old' : 'back among strangers');
    return;
  }
  world.count(isOlder ? 'restore' : 'boot');
  if (isOlder) host.backups.length = 0;
  world.start(host);
}

function remove(world: World): void {
  const { hosts } = world;
  const dead = hosts.all.filter(({ state, successor }) => state === 'dead' && successor === undefined);
  const host = world.anyUp();
  if (host?.ring?.ring === undefined || dead.length === 0) return;
  const victim = world.chance.pick(dead);
  victim.successor = host;
  if (!isEverybodyKnown(hosts)) {
    victim.successor = undefined;
    world.count('removal that cuts off');
    return;
  }
  world.count('remove');
  world.trace(`${host.name} removes ${victim.name}`);
  host.ring.remove(world.nextId(), victim.peer);
  world.settle(host);
}

/** Removes hosts as soon as they are dead, while their messages are still on the way. */
function killAndRemove(world: World): void {
  killHost(world);
  for (let count = 0; count < 3; count++) remove(world);
  greet(world);
}

function leave(world: World): void {
  const host = world.anyUp();
  if (host?.ring === undefined || world.hosts.up().length < 3) return;
  const { ring } = host;
  world.count('leave');
  for (const owner of host.used.values()) ring.release(world.nextId(), releasesOf(ring, owner));
  host.used.clear();
  world.request(host, LEAVING, (id) => ring.leave(id));
  world.settle(host);
}

function join(world: World): void {
  if (world.hosts.all.filter(({ state }) => state !== 'left').length >= MAX_HOSTS) return;
  world.count('join');
  const host = world.addHost();
  world.start(host);
}

/** Lets the next write of a router fail. */
function fullDisk(world: World): void {
  const host = world.anyUp();
  if (host?.ring === undefined) return;
  world.count('full disk');
  world.allocate(host);
  host.writing ??= host.ring.save();
  if (host.writing !== undefined) {
    host.writing = undefined;
    host.ring.failed(new WeftError('disk-full', 'the disk is full'));
  }
  world.settle(host);
}
