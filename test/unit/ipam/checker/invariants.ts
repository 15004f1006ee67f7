import { ownArcsOf } from '../../../../src/ipam/ownership/state.js';
import type { Message } from '../../../../src/ipam/ring/messages.js';
import type { Block } from '../../../../src/ipam/ring/range.js';
import type { Arc, Ring } from '../../../../src/ipam/ring/ring.js';
import type { Host } from './host.js';
import type { Hosts } from './hosts.js';

/** As docs/protocol.md, section 12, says. */
const MAX_PARTICIPANTS = 16_384;

/** An invariant is violated. */
export class Violation extends Error {}

/**
 * No address has two owners. A router that goes on when it is started owns its addresses even while it is
 * stopped. Called when what a host owns by its disk may have changed.
 */
export function checkOwners(hosts: Hosts, host: Host): void {
  const twice = noteOwned(hosts, host);
  if (twice === undefined) return;
  const [address, other] = twice;
  throw new Violation(`${address} is owned by ${host.name} and by ${other.name}\n${hosts.describe()}`);
}

/** Notes what a host owns by its disk; gives an address that another honest one owns as well. */
export function noteOwned(hosts: Hosts, host: Host): [address: number, other: Host] | undefined {
  host.owned = host.isFresh ? ownArcsOf(host.disk, host.peer).owned : [];
  for (const other of hosts.honest()) {
    const twice = other === host || host.isLiar ? undefined : shared(host.owned, other.owned);
    if (twice !== undefined) return [twice, other];
  }
  return undefined;
}

/** No address is given to two containers. */
export function checkGivenOnce(hosts: Hosts, host: Host, address: number): void {
  const other = isGivenElsewhere(hosts, host, address);
  if (other === undefined) return;
  throw new Violation(`${address} is given out by ${host.name} and by ${other.name}`);
}

/** Another honest host whose containers have this address. */
export function isGivenElsewhere(hosts: Hosts, host: Host, address: number): Host | undefined {
  return hosts.honest().find((other) => other !== host && !host.isLiar && other.used.has(address));
}

/** A router gives an address to one container of its own, whatever others say. */
export function checkGivenToOne(host: Host, owner: string, address: number): void {
  const other = host.used.get(address);
  if (other === undefined || other === owner) return;
  throw new Violation(`${host.name} gives ${address} to ${owner}, and ${other} has it`);
}

/**
 * A router gives out what it owns by its own disk, or takes it back at once. When its incarnation was ended in
 * that moment, it is its own again once it is confirmed.
 */
export function checkGivenFromOwn(host: Host, address: number): void {
  if (!host.used.has(address)) return;
  const { owned, pending } = ownArcsOf(host.disk, host.peer);
  if ([...owned, ...pending].some(({ start, end }) => start <= address && address < end)) return;
  throw new Violation(`${host.name} gives out ${address}, which it does not own`);
}

/** What a router gives away is in use by none of its containers. */
export function checkGivesFree(host: Host, message: Message): void {
  const granted = message.type === 'grant' ? message.records.at(-1) : undefined;
  if (granted?.kind !== 'ownership') return;
  const used = [...host.used.keys()].find((address) => granted.start <= address && address < granted.end);
  if (used !== undefined) throw new Violation(`${host.name} gives ${used} away, which is in use there`);
}

/** The arcs of a ring follow each other from one end of the range to the other, and it holds no more than it may. */
export function checkForm(hosts: Hosts, range: Block): void {
  for (const { ring, name } of hosts.honest()) {
    const { arcs, participantRecords } = ring?.ring ?? { arcs: [], participantRecords: new Map() };
    let at = range.start;
    for (const { start, end } of arcs) {
      if (start !== at || end <= start) throw new Violation(`the ring of ${name} has a hole at ${at}`);
      at = end;
    }
    if (arcs.length > 0 && at !== range.end) throw new Violation(`the ring of ${name} ends at ${at}`);
    if (participantRecords.size > MAX_PARTICIPANTS) throw new Violation(`the ring of ${name} has no end`);
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
  const isSame = up.every(({ ring }) => ring?.ring !== undefined && agree(first, ring.ring));
  const owned = up.flatMap((host) => host.owned).reduce((sum, { start, end }) => sum + end - start, 0);
  return isSame && owned === range.end - range.start;
}

/** Whether two rings say the same about everybody and about each address, wherever their arcs begin. */
function agree(one: Ring, other: Ring): boolean {
  const isSame = ({ record }: Arc, arc: Arc) =>
    arc.record.version === record.version && arc.record.owner === record.owner;
  return (
    one.participantsHash === other.participantsHash &&
    one.arcs.every((arc) => other.within(arc).every((theirs) => isSame(arc, theirs)))
  );
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
