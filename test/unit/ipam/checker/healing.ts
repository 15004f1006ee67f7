import type { AddressRing } from '../../../../src/ipam/address-ring.js';
import { IPV4 } from '../../../../src/ipam/ownership/allocations.js';
import type { Host } from './host.js';
import { isWhole, Violation } from './invariants.js';
import type { World } from './world.js';

/** Ends all faults; then all addresses must be owned, by owners that all hosts know, and usable. */
export function heal(world: World): void {
  const { chance, hosts, network, range } = world;
  chance.calm = true;
  for (const host of hosts.all) {
    host.group = 0;
    if (host.state === 'stopped' || (host.state === 'dead' && host.successor === undefined)) {
      world.start(host);
    }
  }
  for (let round = 0; round < 60 && !(network.late.length === 0 && isWhole(hosts, range)); round++) {
    if (round === 3) network.packets.push(...network.late.splice(0));
    settleAll(world);
    removeDead(world);
  }
  if (!isWhole(hosts, range)) throw new Violation(`space is lost: ${hosts.describe()}`);
  fillUp(world);
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
 * Removes dead hosts again where they are believed to participate: a removal ends only the incarnations
 * that were known.
 */
function removeDead(world: World): void {
  const [host] = world.hosts.up();
  const ring = host?.ring?.ring;
  const owners = ring?.arcs.map(({ record }) => record.owner) ?? [];
  for (const peer of new Set([...owners, ...(ring?.participants ?? [])])) {
    const other = world.hosts.of(peer);
    if (host?.ring === undefined || (other?.state !== 'dead' && other?.state !== 'left')) continue;
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
