import ipaddr from 'ipaddr.js';
import Type, { type Static } from 'typebox';
import { Serial } from '../../order.js';
import { validator } from '../../validate.js';
import { CommandFailed, run } from '../kernel/index.js';

/** A container's interface: the MAC and the addresses that only its own ports may claim. */
export interface Holding {
  /** Number of the Ethernet segment. */
  readonly network: number;
  readonly mac: string;
  readonly addresses: readonly string[];
  /** The host's ends of the container's interfaces; none while it is on another host. */
  readonly ports: readonly string[];
}

/** Somebody who claimed what is another's. */
export interface Refusal {
  readonly port: string;
  /** A MAC or an IP address. */
  readonly claimed: string;
}

export interface GuardNews {
  /** Somebody had changed or removed the table. */
  readonly repaired: boolean;
  /** Who claimed what is not theirs, in the last minutes; undefined while nobody does. */
  readonly refusals: readonly Refusal[] | undefined;
}

/** What is the host's own on all its segments, so that no container's port may claim it. */
export interface Reserved {
  readonly macs: readonly string[];
  readonly addresses: readonly string[];
}

/** Maximum number of refusals that are remembered of each kind, and for how long after the last one. */
const REMEMBERED = 256;
const REMEMBERED_FOR = '10m';
const KINDS = ['mac', 'ipv4', 'ipv6'] as const;
const REFUSED = KINDS.map((kind) => `refused_${kind}`);

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

  constructor(bridge: string, reserved: Reserved = { macs: [], addresses: [] }) {
    this.#table = `weft-${bridge}-ports`;
    this.#reserved = reserved;
  }

  /** Frames refused, by what they claimed. */
  get counters(): Readonly<Record<string, number>> {
    const names = REFUSED.map((name) => [name, (this.#past[name] ?? 0) + (this.#counters[name] ?? 0)]);
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
      await nft([`table bridge ${this.#table}`, `delete table bridge ${this.#table}`]);
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
      tableOf(this.#table, [...this.#networks]),
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

/** `SET ELEMENT` of everything that a holding has in the sets. */
function elements({ network, mac, addresses, ports }: Holding): string[] {
  const claims = [macClaim(mac), ...addresses.map(addressClaim)];
  const own = ports.flatMap((port) => [
    ...claims.map(([kind, value]) => `own_${kind} "${port}" . ${value}`),
    `ports "${port}" : jump network_${network}`,
  ]);
  return [...claims.map((claim) => given(network, claim)), ...own];
}

type Claim = readonly [kind: (typeof KINDS)[number], value: string];

function macClaim(mac: string): Claim {
  return ['mac', mac];
}

function addressClaim(address: string): Claim {
  return address.includes(':') ? ['ipv6', hexOf(address)] : ['ipv4', address];
}

/** It was given to somebody on a network. */
function given(network: number, [kind, value]: Claim): string {
  return `${kind}_${network} ${value}`;
}

/**
 * IPv6 addresses are compared as numbers, since what a neighbour advertisement is about has no name in older versions of nft. A port may claim what it was
 * given whatever else is so; else a claim is refused of what was given to anybody. Who is refused is remembered by a rule of its own: where there is no room
 * for more, the next one drops all the same.
 */
function tableOf(table: string, networks: readonly number[]): string {
  const keys = { mac: 'ether saddr', ipv4: 'arp saddr ip', ipv6: '@nh,64,128', target: '@th,64,128' };
  const sets = KINDS.flatMap((kind) => [
    `set own_${kind} { typeof iifname . ${keys[kind]}; }`,
    `set refused_${kind} { typeof iifname . ${keys[kind]}; size ${REMEMBERED}; flags dynamic,timeout; timeout ${REMEMBERED_FOR}; }`,
    `counter refused_${kind} {}`,
    ...networks.map((network) => `set ${kind}_${network} { typeof ${keys[kind]}; }`),
  ]);
  const refuse = (name: keyof typeof keys, kind: (typeof KINDS)[number]) => `
    chain refuse_${name} {
      update @refused_${kind} { iifname . ${keys[name]} }
      counter name refused_${kind} drop
    }`;
  const judge = (network: number) => `
    chain network_${network} {
      iifname . ${keys.mac} != @own_mac ${keys.mac} @mac_${network} goto refuse_mac
      ether type arp iifname . ${keys.ipv4} != @own_ipv4 ${keys.ipv4} @ipv4_${network} goto refuse_ipv4
      icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect } iifname . ${keys.ipv6} != @own_ipv6 ${keys.ipv6} @ipv6_${network} goto refuse_ipv6
      icmpv6 type nd-neighbor-advert iifname . ${keys.target} != @own_ipv6 ${keys.target} @ipv6_${network} goto refuse_target
    }`;
  return `table bridge ${table} {
    ${sets.join('\n    ')}
    ${refuse('mac', 'mac')} ${refuse('ipv4', 'ipv4')} ${refuse('ipv6', 'ipv6')} ${refuse('target', 'ipv6')}
    ${networks.map(judge).join('')}
    map ports { type ifname : verdict; }
    chain prerouting {
      type filter hook prerouting priority dstnat; policy accept;
      meta iifkind "tun" accept
      ether type ip iifname . ${keys.mac} @own_mac accept
      ether type ip6 meta l4proto != icmpv6 iifname . ${keys.mac} @own_mac accept
      iifname vmap @ports
    }
  }`;
}

function hexOf(address: string): string {
  return `0x${Buffer.from(ipaddr.parse(address).toByteArray()).toString('hex')}`;
}

/** As `hexOf` wrote it, or shorter: the kernel leaves zeros in front out. */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex.slice(2).padStart(32, '0'), 'hex');
  return ipaddr.fromByteArray([...bytes]).toString();
}

function keyOf({ network, mac }: Pick<Holding, 'network' | 'mac'>): string {
  return `${network}/${mac}`;
}

const Ruleset = Type.Object({
  nftables: Type.Array(
    Type.Object({
      counter: Type.Optional(Type.Object({ name: Type.String(), packets: Type.Number() })),
      set: Type.Optional(Type.Object({ elem: Type.Optional(Type.Array(Type.Unknown())) })),
    }),
  ),
});
type Ruleset = Static<typeof Ruleset>;
const parseRuleset = validator('nft-output', 'the output of nft', Ruleset);

const Element = Type.Object({
  elem: Type.Object({ val: Type.Object({ concat: Type.Array(Type.String()) }) }),
});
const parseElement = validator('nft-output', 'an element in the output of nft', Element);

function refusalOf(element: unknown): Refusal[] {
  const [port, claimed] = parseElement(element).elem.val.concat;
  if (port === undefined || claimed === undefined) return [];
  return [{ port, claimed: claimed.startsWith('0x') ? addressOf(claimed) : claimed }];
}

function countersOf({ nftables }: Ruleset): Record<string, number> {
  return Object.fromEntries(
    nftables.flatMap(({ counter }) => (counter === undefined ? [] : [[counter.name, counter.packets]])),
  );
}

/** Without handles, and without what counts. */
function shapeOf({ nftables }: Ruleset): string {
  return JSON.stringify(nftables, (key, value) =>
    key === 'handle' || key === 'packets' || key === 'bytes' ? undefined : value,
  );
}

async function nftJson(args: readonly string[]): Promise<Ruleset> {
  return parseRuleset(JSON.parse(await run('nft', ['--json', ...args])));
}

async function nft(lines: readonly string[]): Promise<void> {
  await run('nft', ['--file', '-'], `${lines.join('\n')}\n`);
}
