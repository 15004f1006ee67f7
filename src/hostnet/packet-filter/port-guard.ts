import { Serial } from '../../order.js';
import { CommandFailed } from '../kernel/index.js';
import { nft } from './nft.js';
import { countersOf, nftJson, type Refusal, type Ruleset, refusalOf, shapeOf } from './port-refusals.js';
import {
  addressClaim,
  COUNTERS,
  elements,
  given,
  type Holding,
  macClaim,
  portTable,
  REFUSED,
  type Reserved,
} from './port-rules.js';

export interface GuardNews {
  /** Somebody had changed or removed the table. */
  readonly repaired: boolean;
  /** Who claimed what is not theirs, in the last minutes; undefined while nobody does. */
  readonly refusals: readonly Refusal[] | undefined;
}

/**
 * The bridges' part in who has what: one nftables table of our own (bridge family, `weft-BRIDGE-ports`). What comes in at a container's port with the MAC of
 * another container, or as ARP or neighbour discovery that claims its address, is dropped, counted and remembered, before the bridge or any other
 * container has heard it. What comes out of the tunnel was judged by the router at whose port it came in.
 *
 * A flow pays one look-up, of its port with its MAC. Sets are changed by their differences only.
 */
export class PortGuard {
  readonly #table: string;
  readonly #reserved: Reserved;
  readonly #work = new Serial();
  readonly #holdings = new Map<string, Holding>();
  /** What the sets should have, each element as often as a holding wants it. */
  readonly #wanted = new Map<string, number>();
  /** What they have, as far as we know; undefined: there is no table. */
  #written: Set<string> | undefined;
  readonly #changed = new Set<string>();
  readonly #networks = new Set<number>();
  readonly #reservedOn = new Set<number>();
  /** The table without what changes by itself, as the kernel listed it when we looked first after we had written it. */
  #shape: string | undefined;
  #counters: Readonly<Record<string, number>> = {};
  /** Of tables that this one took the place of. */
  #past: Readonly<Record<string, number>> = {};

  constructor(bridge: string, reserved: Reserved) {
    this.#table = tableOf(bridge);
    this.#reserved = reserved;
  }

  /** Frames refused, by what they claimed. */
  get counters(): Readonly<Record<string, number>> {
    const names = COUNTERS.map((name) => [name, (this.#past[name] ?? 0) + (this.#counters[name] ?? 0)]);
    return Object.fromEntries(names);
  }

  put(holding: Holding): void {
    const key = keyOf(holding);
    const former = this.#holdings.get(key);
    this.#holdings.set(key, holding);
    this.#reserve(holding.network);
    for (const element of elements(holding)) this.#count(element, 1);
    for (const element of former === undefined ? [] : elements(former)) this.#count(element, -1);
  }

  remove(network: number, mac: string): void {
    const holding = this.#holdings.get(keyOf({ network, mac }));
    if (holding === undefined) return;
    this.#holdings.delete(keyOf(holding));
    for (const element of elements(holding)) this.#count(element, -1);
  }

  /** There is a table of ours. */
  get isWritten(): boolean {
    return this.#written !== undefined;
  }

  /** Brings everything that was put and removed into force. Rejects when the kernel or nft cannot do this. */
  apply(): Promise<void> {
    return this.#work.run(() => this.#apply());
  }

  /** Looks what has happened to the table, and makes it again when somebody changed or removed it. */
  look(): Promise<GuardNews> {
    return this.#work.run(async () => {
      if (this.#written === undefined) return { repaired: false, refusals: undefined };
      const found = await this.#list();
      if (found !== undefined) this.#shape ??= shapeOf(found);
      if (found === undefined || shapeOf(found) !== this.#shape) {
        await this.#writeAll();
        return { repaired: true, refusals: undefined };
      }
      const counters = countersOf(found);
      const isQuiet = Object.entries(counters).every(
        ([name, count]) => count === (this.#counters[name] ?? 0),
      );
      this.#counters = counters;
      return { repaired: false, refusals: isQuiet ? undefined : await this.#refusals() };
    });
  }

  /** Removes the table. */
  async drop(): Promise<void> {
    await this.#work.run(async () => {
      this.#written = undefined;
      await removeTable(this.#table);
    });
  }

  async #refusals(): Promise<Refusal[]> {
    const lists = await Promise.all(
      REFUSED.map((set) => nftJson(['list', 'set', 'bridge', this.#table, set])),
    );
    return lists.flatMap(({ nftables }) =>
      nftables.flatMap(({ set }) => (set?.elem ?? []).flatMap(refusalOf)),
    );
  }

  #reserve(network: number): void {
    if (this.#reservedOn.has(network)) return;
    this.#reservedOn.add(network);
    const { macs, addresses } = this.#reserved;
    for (const claim of [...macs.map(macClaim), ...addresses.map(addressClaim)]) {
      this.#count(given(network, claim), 1);
    }
  }

  #count(element: string, by: number): void {
    const count = (this.#wanted.get(element) ?? 0) + by;
    if (count === 0) this.#wanted.delete(element);
    else this.#wanted.set(element, count);
    this.#changed.add(element);
  }

  async #apply(): Promise<void> {
    const known = this.#written;
    const fresh = [...this.#holdings.values()].some(({ network }) => !this.#networks.has(network));
    if (known === undefined || fresh) return await this.#writeAll();
    const changed = [...this.#changed].filter((element) => this.#wanted.has(element) !== known.has(element));
    this.#changed.clear();
    const added = changed.filter((element) => this.#wanted.has(element));
    const removed = changed.filter((element) => known.has(element));
    const lines = [...this.#change('delete', removed), ...this.#change('add', added)];
    try {
      if (lines.length > 0) await nft(lines);
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      return await this.#writeAll(); // somebody removed something that we know of
    }
    for (const element of removed) known.delete(element);
    for (const element of added) known.add(element);
  }

  async #writeAll(): Promise<void> {
    this.#changed.clear();
    const wanted = new Set(this.#wanted.keys());
    for (const { network } of this.#holdings.values()) this.#networks.add(network);
    await nft([
      `table bridge ${this.#table}`,
      `delete table bridge ${this.#table}`,
      portTable(this.#table, [...this.#networks], this.#reserved.server),
      ...this.#change('add', [...wanted]),
    ]);
    this.#written = wanted;
    this.#shape = undefined;
    this.#past = this.counters;
    this.#counters = {};
  }

  #change(verb: 'add' | 'delete', changed: readonly string[]): string[] {
    const values = new Map<string, string[]>();
    for (const element of changed) {
      const space = element.indexOf(' ');
      const set = element.slice(0, space);
      const members = values.get(set) ?? [];
      members.push(element.slice(space + 1));
      values.set(set, members);
    }
    return [...values].map(
      ([set, members]) => `${verb} element bridge ${this.#table} ${set} { ${members.join(', ')} }`,
    );
  }

  async #list(): Promise<Ruleset | undefined> {
    return await nftJson(['--terse', 'list', 'table', 'bridge', this.#table]).catch((error: unknown) => {
      if (error instanceof CommandFailed) return undefined;
      throw error;
    });
  }
}

/** Removes what a guard that is no more left behind. */
export async function removePortGuard(bridge: string): Promise<void> {
  await removeTable(tableOf(bridge));
}

function tableOf(bridge: string): string {
  return `weft-${bridge}-ports`;
}

async function removeTable(table: string): Promise<void> {
  await nft([`table bridge ${table}`, `delete table bridge ${table}`]);
}

function keyOf({ network, mac }: Pick<Holding, 'network' | 'mac'>): string {
  return `${network}/${mac}`;
}
