import { ownArcsOf } from '../../../../src/ipam/ownership/state.js';
import type { Block } from '../../../../src/ipam/ring/range.js';
import type { Arc } from '../../../../src/ipam/ring/ring.js';
import type { Host } from './host.js';
import type { Hosts } from './hosts.js';

/** An invariant is violated. */
export class Violation extends Error {}

/**
 * No address has two owners. A router that goes on when it is started owns its addresses even while it is
 * stopped. Called when what a host owns by its disk may have changed.
 */
export function checkOwners(hosts: Hosts, host: Host): void {
  host.owned = host.isFresh ? ownArcsOf(host.disk, host.peer).owned : [];
  for (const other of hosts.all) {
    if (other === host) continue;
    const twice = shared(host.owned, other.owned);
    if (twice !== undefined) {
      throw new Violation(`${twice} is owned by ${host.name} and by ${other.name}\n${hosts.describe()}`);
    }
  }
}

/** No address is given to two containers. */
export function checkGivenOnce(hosts: Hosts, host: Host, address: number): void {
  for (const other of hosts.all) {
    if (other !== host && other.used.has(address)) {
      throw new Violation(`${address} is given out by ${host.name} and by ${other.name}`);
    }
  }
}

/**
 * Assumption A4 of docs/protocol.md, section 12: a host that asks all participants that it knows, and all
 * that these know, and so on, finds every host that owns addresses or is to take some over. When an older
 * disk or a removal breaks this, no protocol can help.
 */
export function isEverybodyKnown(hosts: Hosts): boolean {
  if (hosts.founders().length === 0) return false;
  const owners = new Set<Host>();
  for (const host of hosts.all) {
    if (host.successor === undefined && ownArcsOf(host.disk, host.peer).pending.length > 0) owners.add(host);
    for (const { record } of host.disk.ring?.arcs ?? []) {
      const owner = hosts.of(record.owner);
      if (owner !== undefined && owner.successor === undefined && record.version > 0) owners.add(owner);
    }
  }
  return hosts.all.every((host) => {
    if (host.disk.ring === undefined || host.successor !== undefined) return true;
    const found = knownFrom(hosts, host);
    return [...owners].every((owner) => found.has(owner));
  });
}

/**
 * The hosts that a host asks in the end, as it learns from all that it asks. In place of a removed host it
 * asks the successor.
 */
function knownFrom(hosts: Hosts, host: Host): Set<Host> {
  const found = new Set<Host>([host]);
  let known = host.disk.ring;
  for (const each of found) {
    if (each.successor !== undefined) found.add(each.successor);
    else for (const record of each.disk.ring?.records() ?? []) known = known?.put(record);
    for (const peer of known?.participants ?? []) {
      const other = hosts.of(peer);
      if (other !== undefined) found.add(other);
    }
  }
  const asked = [...found].filter(({ peer }) => peer === host.peer || known?.participants.has(peer));
  return new Set(asked);
}

/** All hosts know the same ring, and each address is owned by one of them. */
export function isWhole(hosts: Hosts, range: Block): boolean {
  const up = hosts.up();
  const [first] = up.flatMap(({ ring }) => (ring?.ring === undefined ? [] : [ring.ring]));
  if (first === undefined) return false;
  const isSame = up.every(
    ({ ring }) =>
      ring?.ring?.participantsHash === first.participantsHash &&
      ring.ring.arcs.length === first.arcs.length &&
      ring.ring.arcs.every(({ start, record }, index) => {
        const other = first.arcs[index];
        return (
          other?.start === start &&
          other.record.version === record.version &&
          other.record.owner === record.owner
        );
      }),
  );
  const owned = up.flatMap((host) => host.owned).reduce((sum, { start, end }) => sum + end - start, 0);
  return isSame && owned === range.end - range.start;
}

/** An address that is in both lists. */
function shared(first: readonly Arc[], second: readonly Arc[]): number | undefined {
  let at = 0;
  for (const { start, end } of first) {
    while (at < second.length && (second[at]?.end ?? 0) <= start) at++;
    const other = second[at];
    if (other !== undefined && other.start < end) return Math.max(start, other.start);
  }
  return undefined;
}
