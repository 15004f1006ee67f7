import type { AddressRing, Release } from '../../../../src/ipam/address-ring.js';
import { IPV4 } from '../../../../src/ipam/ownership/allocations.js';
import { reaches } from './host.js';
import type { Operation, World } from './world.js';

/** What happens where nothing fails: containers come and go, time passes, records spread. */
export function requests(world: World): readonly Operation[] {
  return [
    { weight: 40, run: () => allocateOrRelease(world) },
    { weight: 8, run: () => claim(world) },
    { weight: 30, run: () => tick(world) },
    { weight: 12, run: () => gossip(world) },
  ];
}

function allocateOrRelease(world: World): void {
  const { chance } = world;
  const host = world.anyUp();
  if (host?.ring === undefined) return;
  const used = [...host.used];
  const free = chance.below(3) === 0;
  if (free && used.length > 0) {
    const [address, owner] = chance.pick(used);
    host.used.delete(address);
    world.count('release');
    host.ring.release(world.nextId(), releasesOf(host.ring, owner));
  } else {
    world.count('allocate');
    world.allocate(host);
  }
  world.settle(host);
}

function claim(world: World): void {
  const host = world.anyUp();
  if (host?.ring === undefined) return;
  world.count('claim');
  const owner = host.nextOwner();
  const { start, end } = world.range;
  const address = start + 1 + world.chance.below(end - start - 2);
  world.request(host, owner, (id) => host.ring?.claim(id, owner, address, 24, IPV4));
  world.settle(host);
}

function tick(world: World): void {
  const { chance } = world;
  const host = world.anyUp();
  if (host?.ring === undefined) return;
  world.count('tick');
  world.time += 1 + chance.below(1_500);
  for (const id of host.waiting.keys()) {
    if (chance.random() < 0.05 || host.waiting.size > 8) host.ring.cancel(id);
  }
  host.ring.tick(world.now(host));
  world.settle(host);
}

/** A host sends all or some of the records that it knows to another one. */
function gossip(world: World): void {
  const { chance } = world;
  const host = world.anyUp();
  const peers = world.hosts.all.filter((other) => host !== undefined && reaches(host, other));
  if (host?.ring?.ring === undefined || peers.length === 0) return;
  world.count('gossip');
  const all = [...host.ring.ring.records()];
  const records = chance.random() < 0.2 ? all.filter(() => chance.random() < 0.5) : all;
  world.network.post(host, chance.pick(peers), { kind: 'records', records });
}

/** Everything that an owner has. */
export function releasesOf(ring: AddressRing, owner: string): Release[] {
  return ring.allocationsOf(owner).map((allocation) => ({ allocation, families: IPV4 }));
}
