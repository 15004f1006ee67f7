import type { PeerId } from '../../../../src/identity/index.js';
import type { Host } from '../checker/host.js';
import type { World } from '../checker/world.js';

/** Removes dead nodes that somebody still believes to be there: on one node, or on two at the same time. */
export function removeDead(world: World): void {
  const { chance } = world;
  const first = world.anyUp();
  const second = chance.random() < 0.4 ? world.anyUp() : undefined;
  const removers = [...new Set([first, second])].filter((host) => host !== undefined);
  if (removers.length === 0 || !removers.every((host) => knowsAll(world, host))) return;
  const dead = new Set(removers.flatMap((host) => deadKnownTo(world, host)));
  for (const peer of dead) {
    world.count(removers.length === 1 ? 'remove' : 'remove by two');
    for (const host of removers) {
      world.trace(`${host.name} removes ${world.hosts.of(peer)?.name}`);
      host.ring?.remove(world.nextId(), peer);
    }
  }
  for (const host of removers) world.settle(host);
}

/**
 * Assumption A4 of docs/protocol.md, section 12, where nobody comes back: who removes knows of everybody who participates. In a network that fell apart, that is
 * not so for those who joined the other part; no protocol could help whoever removes nevertheless.
 */
function knowsAll({ hosts }: World, { ring }: Host): boolean {
  const known = ring?.ring?.participants;
  return hosts.up().every(({ peer, disk }) => disk.incarnation === 0 || known?.has(peer) === true);
}

function deadKnownTo({ hosts }: World, { ring }: Host): PeerId[] {
  const known = ring?.ring;
  const owners = known?.arcs.map(({ record }) => record.owner) ?? [];
  const all = new Set([...owners, ...(known?.participants ?? [])]);
  return [...all].filter((peer) => hosts.of(peer)?.state !== 'up');
}
