import { createHash } from 'node:crypto';
import type { PeerId } from '../identity/index.js';
import type { NetworkRecord } from './record.js';

/** Name of the network that every router has, with number 0. */
export const DEFAULT_NETWORK = 'default';
const NUMBERS = 65_535;

/** A record with the router that published it. */
export interface NetworkClaim {
  readonly owner: PeerId;
  readonly name: string;
  readonly record: NetworkRecord;
}

/** A network as all routers see it that have the same records. */
export interface KnownNetwork {
  readonly name: string;
  /** Carried in front of each of its frames: 1 to 65,535. */
  readonly number: number;
  readonly subnets: readonly string[];
  readonly createdAt: number;
  /** Routers that have containers on it. */
  readonly usedBy: readonly PeerId[];
}

export interface ResolvedNetworks {
  readonly networks: ReadonlyMap<string, KnownNetwork>;
  /** By name: whatever was made until then is gone. */
  readonly removedAt: ReadonlyMap<string, number>;
}

/**
 * Decides what networks there are, from the records of all routers. Whoever has the same records comes to the same
 * networks, in whichever order they came.
 *
 * A name is one network: where two routers made it apart, the older one counts. A number is one network: the older one
 * keeps it, the other takes the next that is free. So a network that is in use is never disturbed by a newer one.
 */
export function resolveNetworks(claims: Iterable<NetworkClaim>): ResolvedNetworks {
  const all = [...claims];
  const removedAt = new Map<string, number>();
  for (const { name, record } of all) {
    if (record.state !== 'removed') continue;
    removedAt.set(name, Math.max(record.createdAt, removedAt.get(name) ?? 0));
  }
  const living = all.filter(({ name, record }) => record.createdAt > (removedAt.get(name) ?? -1));
  const winners = new Map<string, NetworkRecord>();
  const users = new Map<string, PeerId[]>();
  for (const { name, record, owner } of living) {
    const rival = winners.get(name);
    if (rival === undefined || precedes(record, rival)) winners.set(name, record);
    if (record.state === 'used') users.set(name, [...(users.get(name) ?? []), owner]);
  }
  return { networks: numbered(winners, users), removedAt };
}

function numbered(
  winners: ReadonlyMap<string, NetworkRecord>,
  users: ReadonlyMap<string, readonly PeerId[]>,
): Map<string, KnownNetwork> {
  const oldestFirst = [...winners].sort(
    ([name, a], [other, b]) => a.createdAt - b.createdAt || (name < other ? -1 : 1),
  );
  const networks = new Map<string, KnownNetwork>();
  const taken = new Set<number>();
  for (const [name, { number: wanted, subnets, createdAt }] of oldestFirst) {
    const number = free(wanted, taken);
    if (number === undefined) break;
    taken.add(number);
    networks.set(name, { name, number, subnets, createdAt, usedBy: [...(users.get(name) ?? [])].sort() });
  }
  return networks;
}

/** The older one, and of two that were made in the same millisecond, one that all agree on. */
function precedes(a: NetworkRecord, b: NetworkRecord): boolean {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt;
  if (a.number !== b.number) return a.number < b.number;
  return a.subnets.join() < b.subnets.join();
}

/** The number of a network that is being made: follows from its name, so that all who make it at once agree. */
export function numberOf(name: string, taken: ReadonlySet<number>): number | undefined {
  const hash = createHash('sha256').update(name).digest().readUInt32BE(0);
  return free((hash % NUMBERS) + 1, taken);
}

/** The number, or the next one that is free; undefined when none is. */
function free(wanted: number, taken: ReadonlySet<number>): number | undefined {
  for (let step = 0; step < NUMBERS; step += 1) {
    const number = ((wanted - 1 + step) % NUMBERS) + 1;
    if (!taken.has(number)) return number;
  }
  return undefined;
}
