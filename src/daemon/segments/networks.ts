import { EventEmitter } from 'node:events';
import type { NetworkCreateRequest, NetworkInfo } from '../../api/index.js';
import { WeftError } from '../../errors.js';
import { type LinkStates, networkBridge, tapName } from '../../hostnet/index.js';
import type { PeerId } from '../../identity/index.js';
import {
  checkNetworkName,
  DEFAULT_NETWORK,
  type KnownNetwork,
  type NetworkClaim,
  type NetworkRecord,
  type NetworkState,
  numberOf,
  parseSubnets,
  resolveNetworks,
} from '../../networks/index.js';
import { Serial } from '../../order.js';
import type { Fault } from '../repairs/index.js';
import type { SegmentForwarder, SegmentPlumbing } from './plumbing.js';
import { Segment } from './segment.js';

/** Maximum number of segments of one host: what peers take in a key agreement. */
const MAX_SEGMENTS = 256;

/** What all routers say about networks; this one may change only what it says itself. */
export interface NetworkRecords {
  claims(): Iterable<NetworkClaim>;
  /** Publishes what this router says about a network, and notes it as soon as that is possible. */
  publish(name: string, record: NetworkRecord): void;
  /** The same, but not before it is on the disk. Rejects with `disk-full`. */
  publishStored(name: string, record: NetworkRecord): Promise<void>;

  on(event: 'changed', listener: () => void): unknown;
}

export interface NetworksOptions {
  /** Of the default network. */
  readonly bridge: string;
  /** Peer id of this router. */
  readonly owner: PeerId;
  readonly mtu: number;
  readonly forwarder: SegmentForwarder;
  readonly host: SegmentPlumbing;
  readonly records: NetworkRecords;
  /** Told which segments this host has, whenever that changes. */
  readonly onSegments: (numbers: readonly number[]) => void;
  /** Whether this router is one of the few that speak of what would be forgotten otherwise. */
  readonly isKeeper: () => boolean;
  readonly onFailure: (error: unknown) => void;
}

/** Somebody of this host who may be on networks: its containers, or the host itself. */
export interface NetworkUser {
  uses(name: string): boolean;
}

export interface NetworksEvents {
  /** What is on the bridge of this network must be looked at: it was made anew, or put right. */
  moved: [name: string];
  /** The bridges of this host are others than before. */
  bridges: [];
}

/**
 * The networks that containers of this host may be on. What networks there are all routers know; a segment of one is made on a
 * host when the first container there joins it, and stays until the router ends or the network is removed.
 */
export class Networks extends EventEmitter<NetworksEvents> {
  readonly #options: NetworksOptions;
  readonly #default: Segment;
  /** The other networks that this host has a segment of, by name. */
  readonly #joined = new Map<string, Segment>();
  #known: ReadonlyMap<string, KnownNetwork> = new Map();
  #names: ReadonlyMap<number, string> = new Map();
  readonly #users: NetworkUser[] = [];
  readonly #work = new Serial();

  constructor(options: NetworksOptions) {
    super();
    this.#options = options;
    this.#default = this.#newSegment(0, options.bridge);
  }

  /** From now on no network goes that this user is on. */
  addUser(user: NetworkUser): void {
    this.#users.push(user);
  }

  /** Makes the bridge of the default network; afterwards containers may be attached to it. */
  async makeBridge(): Promise<void> {
    await this.#default.makeBridge();
  }

  /** Begins to serve. The forwarder must be connected. */
  async start(): Promise<void> {
    await this.#default.open(this.#options.forwarder);
    this.#options.records.on('changed', this.#onRecords);
    this.#tellSegments();
    this.#onRecords();
  }

  /** Forgets what earlier runs left of networks that have no container here any more. Once containers are restored. */
  async removeUnused(): Promise<void> {
    const { owner, forwarder, host } = this.#options;
    const wanted = new Set([...this.#all()].map(([, { bridge }]) => bridge));
    const numbers = new Set([...this.#all()].map(([, { number }]) => number));
    const { networks } = await forwarder.dump();
    for (const { network } of networks) if (!numbers.has(network)) await forwarder.closeNetwork(network);
    for (const bridge of await host.bridgesOf(owner)) {
      if (!wanted.has(bridge)) await host.removeBridge(bridge, owner);
    }
    for (const name of this.#known.keys()) this.settle(name);
  }

  #isUsed(name: string): boolean {
    return this.#users.some((user) => user.uses(name));
  }

  /** True for our bridges and TAPs. */
  owns(name: string): boolean {
    return [...this.#all()].some(([, { bridge }]) => name === bridge || name === tapName(bridge));
  }

  /** The segment of a network, made if it is not there. Rejects with `no-such-network` or `too-many-networks`. */
  segment(name: string): Promise<Segment> {
    if (name === DEFAULT_NETWORK) return Promise.resolve(this.#default);
    return this.#work.run(async () => {
      return this.#joined.get(name) ?? (await this.#join(this.#required(name)));
    });
  }

  /** Subnets of a network; those of the default network are not decided here. */
  subnets(name: string): readonly string[] {
    return name === DEFAULT_NETWORK ? [] : this.#required(name).subnets;
  }

  /** Name that the bridge of a network has, or would have; that of a network that nobody knows leads nowhere. */
  bridge(name: string): string {
    const number = this.number(name) ?? this.#known.get(name)?.number;
    return number === undefined ? '' : this.#bridgeOf(number);
  }

  /** Number of the segment that this host has of a network; undefined when it has none. */
  number(name: string): number | undefined {
    return name === DEFAULT_NETWORK ? 0 : this.#joined.get(name)?.number;
  }

  /** Number by which all routers know a network, whether it is on this host or not. Throws `no-such-network`. */
  numberOf(name: string): number {
    return name === DEFAULT_NETWORK ? 0 : this.#required(name).number;
  }

  /** Tells others whether anything here is on the network, when that changed. */
  settle(name: string): void {
    const network = this.#known.get(name);
    if (network === undefined) return;
    const told = network.usedBy.includes(this.#options.owner);
    const used = this.#isUsed(name);
    if (told !== used) this.#publish(network, used ? 'used' : 'idle');
  }

  /** What the network of a number is called; the number itself, where no name is known. */
  nameOf(number: number): string {
    return number === 0 ? DEFAULT_NETWORK : (this.#names.get(number) ?? String(number));
  }

  list(): NetworkInfo[] {
    const { bridge } = this.#options;
    const everywhere = { name: DEFAULT_NETWORK, number: 0, subnets: [], bridge, usedBy: [] };
    const others = [...this.#known.values()].map(({ name, number, subnets, usedBy }) => ({
      name,
      number,
      subnets: [...subnets],
      bridge: this.#joined.get(name)?.bridge ?? null,
      usedBy: [...usedBy],
    }));
    return [everywhere, ...others.sort((a, b) => (a.name < b.name ? -1 : 1))];
  }

  /**
   * Makes a network. Making one that is there already with the same subnets changes nothing. Rejects with `network-exists`, `bad-network-name`, `bad-subnet`
   * or `disk-full`.
   */
  async create({ name, subnets: texts }: NetworkCreateRequest): Promise<NetworkInfo> {
    checkNetworkName(name);
    const subnets = parseSubnets(texts);
    const existing = this.#known.get(name);
    if (existing !== undefined && existing.subnets.join() !== subnets.join()) {
      throw new WeftError(
        'network-exists',
        `there is a network ${name} already, with ${existing.subnets.join(' ') || 'no subnets'}: choose another name`,
      );
    }
    if (existing === undefined) await this.#make(name, subnets);
    return this.#info(name);
  }

  /** As `create`; the default network always is there, and has no subnets of its own. */
  async ensure(name: string, subnets: readonly string[]): Promise<void> {
    if (name !== DEFAULT_NETWORK) await this.create({ name, subnets: [...subnets] });
  }

  /** Removes a network everywhere, unless it is the default one or somebody is on it. Rejects with `disk-full`. */
  async release(name: string): Promise<void> {
    const isLeft = this.#known.get(name)?.usedBy.length === 0 && !this.#isUsed(name);
    if (isLeft) await this.remove(name);
  }

  /** Removes a network everywhere. Rejects with `disk-full`, and with `network-used` while some host has containers on it, unless forced. */
  async remove(name: string, force = false): Promise<void> {
    const network = this.#required(name);
    const users = this.#info(name).usedBy;
    const here = this.#isUsed(name);
    if (here || (users.length > 0 && !force)) {
      const where = here ? 'this host' : users.join(', ');
      throw new WeftError(
        'network-used',
        `containers on ${where} are on the network ${name}: detach them first${here ? '' : ', or use --force when that host is gone'}`,
      );
    }
    await this.#options.records.publishStored(name, recordOf(network, 'removed'));
  }

  /** Whether the forwarder has the TAP of a segment. */
  async isServed(number: number): Promise<boolean> {
    const { networks } = await this.#options.forwarder.dump();
    return networks.some(({ network, queues }) => network === number && queues > 0);
  }

  /** What somebody did to bridges and TAPs. `lostTap` is the number of a segment whose TAP the forwarder does not have. */
  faults(links: LinkStates, lostTap?: number): Fault[] {
    return [...this.#all()].flatMap(([name, segment]) => {
      const isTapLost = segment.number === lostTap;
      const onMade = () => void this.emit('moved', name);
      const faults = segment.faults(links, this.#options.forwarder, { isTapLost, onMade });
      return faults.map((fault) => ({ ...fault, repair: () => this.#work.run(fault.repair) }));
    });
  }

  /** The segments of this host, by number, with their bridges. */
  segments(): (readonly [number: number, bridge: string])[] {
    return [...this.#all()].map(([, { number, bridge }]) => [number, bridge] as const);
  }

  /** Every bridge that should be there. */
  bridges(): string[] {
    return [...this.#all()].map(([, { bridge }]) => bridge);
  }

  readonly #onRecords = (): void => {
    const before = this.#known;
    const { networks, removedAt } = resolveNetworks(this.#options.records.claims());
    this.#known = networks;
    this.#names = new Map([...networks.values()].map(({ number, name }) => [number, name]));
    this.#adopt(before, removedAt);
    this.#yield(removedAt);
    void this.#work.run(() => this.#follow()).catch(this.#options.onFailure);
  };

  /** A network that nobody removed outlives the routers that spoke of it: some of the others do from then on. */
  #adopt(before: ReadonlyMap<string, KnownNetwork>, removedAt: ReadonlyMap<string, number>): void {
    if (!this.#options.isKeeper()) return;
    for (const network of before.values()) {
      const removed = network.createdAt <= (removedAt.get(network.name) ?? -1);
      if (!removed && !this.#known.has(network.name)) this.#publish(network, 'idle');
    }
  }

  /** What somebody removed we remove, too; but a network that is used here goes on under a newer record. */
  #yield(removedAt: ReadonlyMap<string, number>): void {
    for (const { owner, name, record } of [...this.#options.records.claims()]) {
      const removal = removedAt.get(name) ?? -1;
      if (owner !== this.#options.owner || record.state === 'removed' || record.createdAt > removal) continue;
      if (this.#isUsed(name)) this.#publish({ name, ...record, createdAt: removal + 1 }, 'used');
      else this.#publish({ name, ...record, createdAt: removal }, 'removed');
    }
  }

  /** Segments of networks that are gone go; those whose number is another now are made anew. */
  async #follow(): Promise<void> {
    for (const [name, segment] of [...this.#joined]) {
      const network = this.#known.get(name);
      if (network?.number === segment.number) continue;
      if (network === undefined && this.#isUsed(name)) continue;
      this.#joined.delete(name);
      await segment.remove(this.#options.forwarder);
      if (network !== undefined && this.#isUsed(name)) {
        await this.#join(network);
        this.emit('moved', name);
      } else this.#tellSegments();
    }
  }

  async #join(network: KnownNetwork): Promise<Segment> {
    if (this.#joined.size + 1 >= MAX_SEGMENTS) {
      throw new WeftError('too-many-networks', `a host may be on ${MAX_SEGMENTS} networks at most`);
    }
    const segment = this.#newSegment(network.number, this.#bridgeOf(network.number));
    await segment.makeBridge();
    await segment.open(this.#options.forwarder);
    this.#joined.set(network.name, segment);
    this.#tellSegments();
    return segment;
  }

  async #make(name: string, subnets: readonly string[]): Promise<void> {
    const taken = new Set([...this.#known.values()].map(({ number }) => number));
    const number = numberOf(name, taken);
    if (number === undefined) throw new WeftError('too-many-networks', 'there are 65,535 networks already');
    const { removedAt } = resolveNetworks(this.#options.records.claims());
    const createdAt = Math.max(Date.now(), (removedAt.get(name) ?? 0) + 1);
    await this.#options.records.publishStored(name, { number, subnets, createdAt, state: 'idle' });
  }

  #publish(network: Omit<KnownNetwork, 'usedBy'>, state: NetworkState): void {
    this.#options.records.publish(network.name, recordOf(network, state));
  }

  #info(name: string): NetworkInfo {
    const found = this.list().find((network) => network.name === name);
    if (found === undefined) throw noSuchNetwork(name);
    return found;
  }

  #required(name: string): KnownNetwork {
    const network = this.#known.get(name);
    if (network === undefined) throw noSuchNetwork(name);
    return network;
  }

  #bridgeOf(number: number): string {
    return number === 0 ? this.#options.bridge : networkBridge(this.#options.bridge, number);
  }

  #newSegment(number: number, bridge: string): Segment {
    const { owner, mtu, host } = this.#options;
    return new Segment({ number, bridge, owner, mtu, host });
  }

  *#all(): Iterable<[name: string, segment: Segment]> {
    yield [DEFAULT_NETWORK, this.#default];
    yield* this.#joined;
  }

  #tellSegments(): void {
    this.#options.onSegments([...this.#all()].map(([, { number }]) => number).sort((a, b) => a - b));
    this.emit('bridges');
  }
}

function recordOf(
  { number, subnets, createdAt }: Omit<KnownNetwork, 'usedBy' | 'name'>,
  state: NetworkState,
): NetworkRecord {
  return { number, subnets, createdAt, state };
}

function noSuchNetwork(name: string): WeftError {
  return new WeftError(
    'no-such-network',
    `there is no network "${name}": \`weft network ls\` shows them, \`weft network create\` makes one`,
  );
}
