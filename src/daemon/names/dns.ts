import { EventEmitter } from 'node:events';
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { DnsStatus, DnsWaiting, Name, NameControl, NameFound, NameRequest } from '../../api/index.js';
import {
  Answers,
  addressBytes,
  addressText,
  addressTexts,
  checkNameRecord,
  DnsServer,
  decodeKey,
  encodeKey,
  type NameEntry,
  NameForwarder,
  type NameKey,
  type NameRecord,
  NameTable,
  nameAddresses,
  OwnNames,
  parseName,
  type Undo,
  Upstreams,
  wireKey,
} from '../../dns/index.js';
import { WeftError } from '../../errors.js';
import { type OpenChannel, OwnedRecords } from '../../gossip/index.js';
import type { LinkStates } from '../../hostnet/index.js';
import type { Identity, PeerId } from '../../identity/index.js';
import type { Labels } from '../../labels.js';
import type { Mesh } from '../../mesh/index.js';
import type { AttachedEndpoint, Attachments } from '../attachments/index.js';
import { parseTarget } from '../attachments/index.js';
import { errorFields, type Log } from '../logging/index.js';
import type { Fault } from '../repairs/index.js';
import type { Networks } from '../segments/index.js';
import type { Settings, StateFiles, StoredName } from '../state/index.js';
import { ContainerNames, hosts, type Interface } from './container-names.js';
import { DnsListeners, parseListenAddress } from './dns-listeners.js';
import { ServedBridges } from './served-bridges.js';

/** Whose names they are that users give to addresses of no container. */
const EXTERNAL = 'weft:extern';
/** Number of the network that every host has: of what is no container's, and of who asks from outside. */
const DEFAULT_NETWORK = 0;
/** All who ask from addresses that were given to nobody: they can have as many of those as they like. */
const UNKNOWN_SOURCE = 'unknown';
/** Maximum time for which an attachment waits for names, in milliseconds. */
const PATIENCE = 3_000;
/** Enough for 20,000 names of one host, of which a quarter counts (see OwnedRecordsLimits). */
const MAX_OWNER_BYTES = 64 * 1024 * 1024;

export interface DnsOptions {
  readonly identity: Identity;
  readonly mesh: Mesh;
  /** Of the containers. */
  readonly mtu: number;
  readonly settings: Settings;
  /** This launch says at which addresses of the host names are to be served; else it was an earlier one. */
  readonly listenChosen: boolean;
  readonly file: StateFiles['names'];
  readonly attachments: Attachments;
  readonly networks: Networks;
  /** Whether an address was given to somebody, so that nobody else asks from it. */
  readonly isGiven: (network: number, address: string) => boolean;
  /** Of the container that has one of these addresses on a router. */
  readonly labelsOf: (network: number, addresses: readonly string[], peer: PeerId) => Labels;
  readonly log: Log;
}

export interface DnsEvents {
  /** What a router says of a name of its containers is other than it was. */
  name: [change: NameChange];
}

export interface NameChange extends NameKey {
  readonly peer: PeerId;
  readonly change: 'added' | 'changed' | 'removed';
  readonly addresses: string[];
}

/** Names of containers: published by their hosts, gathered from all, and answered on each bridge. */
export class Dns extends EventEmitter<DnsEvents> implements NameControl {
  readonly #options: DnsOptions;
  readonly #table = new NameTable();
  readonly #records: OwnedRecords<readonly Uint8Array[]>;
  readonly #own: OwnNames;
  readonly #names: ContainerNames;
  readonly #upstreams: Upstreams;
  readonly #forwarder: NameForwarder;
  readonly #server: DnsServer;
  readonly #listeners: DnsListeners;
  readonly #bridges: ServedBridges;
  readonly #storedNames = new WeakMap<NameRecord, StoredName>();
  #channel: OpenChannel | undefined;

  constructor(options: DnsOptions) {
    super();
    this.#options = options;
    const { identity, mesh, settings } = options;
    this.#records = new OwnedRecords({
      name: 'names',
      identity,
      now: Date.now,
      value: nameAddresses,
      check: checkNameRecord,
      admits: (peer) => mesh.member(peer)?.left !== true,
      limits: { owner: MAX_OWNER_BYTES },
    });
    this.#own = new OwnNames({
      publish: (key, addresses) => {
        if (addresses.length === 0) this.#records.remove(encodeKey(key));
        else this.#records.set(encodeKey(key), addresses);
      },
    });
    this.#names = new ContainerNames({
      domain: settings.dnsDomain,
      onBad: (container, error) =>
        options.log.warn(`no name for ${container}: ${String(error)}`, errorFields(error)),
    });
    this.#upstreams = new Upstreams({
      file: settings.resolvConf,
      own: settings.dnsListen.map((text) => parseListenAddress(text).host),
      now: () => performance.now(),
    });
    this.#forwarder = new NameForwarder(this.#upstreams);
    this.#server = new DnsServer({
      answers: new Answers({ table: this.#table, domain: settings.dnsDomain, ttl: settings.dnsTtl }),
      forwarder: this.#forwarder,
      sourceOf: (network, address) =>
        options.isGiven(network, address) ? `${network} ${address}` : UNKNOWN_SOURCE,
    });
    this.#bridges = new ServedBridges({ ...options, server: this.#server });
    this.#listeners = new DnsListeners({
      addresses: settings.dns ? settings.dnsListen : [],
      chosenNow: options.listenChosen,
      server: this.#server,
      network: DEFAULT_NETWORK,
      log: options.log,
    });
    this.#follow();
    this.#followContainers();
  }

  /** Publishes the names that users gave, and listens where the launch asked for it. Rejects with `dns-address`. */
  async start(): Promise<void> {
    const { file, mesh } = this.#options;
    for (const { addresses, ...key } of (await file.read()).names) {
      this.#own.add({ ...key, addresses: addresses.map(addressBytes) });
    }
    this.#channel = mesh.openChannel(this.#records);
    await this.#listeners.start();
  }

  async stop(): Promise<void> {
    this.#channel?.close();
    await this.#bridges.settled();
    this.#server.close();
    await this.#bridges.close();
  }

  /** Serves on the bridges of all networks that this host has, soon; `interfaces` are those of the host now, when it is to be looked at, too. */
  check(interfaces?: ReadonlySet<string>): void {
    if (!this.#options.settings.dns) return;
    this.#bridges.check(interfaces);
    if (interfaces !== undefined) void this.#bridges.soon(() => this.#listeners.check());
  }

  /** Resolves once the server stands on the bridges of all networks that this host has, or PATIENCE is over. */
  async ready(): Promise<void> {
    this.check();
    await Promise.race([this.settled(), delay(PATIENCE, undefined, { ref: false })]);
  }

  /** Resolves once everything that was begun is done. */
  settled(): Promise<void> {
    return this.#bridges.settled();
  }

  /** Ports of the server that are there, but not as they should be. */
  faults(links: LinkStates): Fault[] {
    return this.#bridges.faults(links);
  }

  /** Addresses at which names are to be served and are not, with the reason. */
  waiting(): DnsWaiting[] {
    return this.#listeners.waiting();
  }

  async status(): Promise<DnsStatus> {
    const { dns, dnsDomain, dnsTtl } = this.#options.settings;
    return {
      serving: dns,
      domain: dnsDomain,
      ttl: dnsTtl,
      listening: [...this.#bridges.listening(), ...this.#listeners.listening()],
      waiting: this.waiting(),
      upstreams: dns ? [...(await this.#upstreams.list())] : [],
      names: this.#table.size,
      counters: { ...this.#server.counters, ...this.#forwarder.counters },
    };
  }

  list(): Name[] {
    return [...this.#table.entries()].map((entry) => this.#view(entry)).sort(byName);
  }

  /** All names, or those of one host, one by one and in no order. */
  *each(owner?: PeerId): Iterable<Name> {
    for (const entry of this.#table.entries(owner)) yield this.#view(entry);
  }

  async add({ container, name, addresses = [] }: NameRequest): Promise<Name[]> {
    const attached = this.#endpoints(container);
    const owner = container === undefined ? EXTERNAL : (attached[0]?.id ?? parseTarget(container).name);
    const named = name ?? attached[0]?.name ?? (container && parseTarget(container).name);
    if (named === undefined) throw new WeftError('bad-name', 'give a container, a name, or both');
    const records =
      addresses.length > 0
        ? [this.#names.record(owner, named, addresses, attached[0]?.network ?? DEFAULT_NETWORK)]
        : attached.map((endpoint) => this.#names.record(owner, named, hosts(endpoint), endpoint.network));
    if (records.length === 0) {
      throw new WeftError(
        'not-attached',
        `${named} has no address: attach it first, or give the addresses that it is to have`,
      );
    }
    await this.#changeAll(records, (record) => this.#own.add(record));
    return this.#ownNames(records);
  }

  async remove({ container, name, addresses = [] }: NameRequest): Promise<Name[]> {
    const owner =
      container === undefined ? EXTERNAL : (this.#endpoints(container)[0]?.id ?? parseTarget(container).name);
    const wanted = name === undefined ? undefined : parseName(name, this.#options.settings.dnsDomain);
    const keys = this.#own.of(owner).filter((key) => wanted === undefined || key.name === wanted);
    const leaving = addresses.map(addressBytes);
    const changed = await this.#changeAll(keys, (key) => this.#own.remove(key, leaving));
    if (!changed) {
      throw new WeftError(
        'no-such-name',
        `this host gives ${container ?? name} no such name: \`weft status dns\` shows all; those of other hosts are removed there`,
      );
    }
    return this.#ownNames(keys);
  }

  lookup(name: string): NameFound {
    const { dnsDomain } = this.#options.settings;
    const names = this.#table.network(DEFAULT_NETWORK);
    if (isIP(name) !== 0) {
      const found = names.namesOf(addressBytes(name).toString('latin1'));
      return { name, answers: found.map((below) => `${below}.${dnsDomain}`) };
    }
    const below = parseName(name, dnsDomain);
    const node = names.find(wireKey(below));
    const answers = [...(node?.ipv4 ?? []), ...(node?.ipv6 ?? [])].map(addressText);
    return { name: `${below}.${dnsDomain}`, answers };
  }

  /** The record of some name of this host that others are to know; undefined while it gives none. */
  sample(): string | undefined {
    const [entry] = this.#table.entries(this.#options.identity.peer);
    return entry && encodeKey(entry);
  }

  /** Whether the name that a record of another host gives is answered here. Throws `bad-message` and `bad-name`. */
  answers(owner: PeerId, record: string): boolean {
    return this.#table.get(owner, decodeKey(record))?.hidden === false;
  }

  /** Keeps the table as the records and the members are. */
  #follow(): void {
    const { mesh, log } = this.#options;
    this.#records.on('pending', () => this.#channel?.changed());
    this.#records.on('refused', (error, peer) => log.warn(error.message, { code: error.code, peer }));
    this.#records.on('change', (owner, key, addresses) => {
      const decoded = decodeKey(key);
      this.#tellChange(owner, decoded, addresses);
      if (addresses === undefined) this.#table.remove(owner, decoded);
      else this.#table.set(owner, { ...decoded, addresses });
    });
    mesh.on('member', ({ peer, left, down }) => {
      if (left) this.#records.dropOwner(peer);
      this.#table.hide(peer, down && !left);
    });
    mesh.on('forgotten', (peer) => this.#records.dropOwner(peer));
  }

  /** Before the table knows. */
  #tellChange(peer: PeerId, key: NameKey, addresses: readonly Uint8Array[] | undefined): void {
    const isKnown = this.#table.get(peer, key) !== undefined;
    const change = addresses === undefined ? 'removed' : isKnown ? 'changed' : 'added';
    this.emit('name', { ...key, peer, change, addresses: (addresses ?? []).map(addressText) });
  }

  /** Registers what containers are called, as they come and go. */
  #followContainers(): void {
    const { attachments, networks } = this.#options;
    const settle = ({ containers }: AttachedEndpoint) => {
      for (const { id } of containers) this.#settle(id);
    };
    attachments.on('attached', settle);
    attachments.on('detached', settle);
    attachments.on('missing', (id) => this.#forget(id));
    // A bridge that was made anew has lost its ports.
    networks.on('moved', () => this.#bridges.plugAgain());
  }

  #settle(id: string): void {
    const present = this.#interfaces(id);
    if (present.length === 0) this.#forget(id);
    else
      this.#own.register(
        id,
        present.flatMap((each) => this.#names.of(each)),
      );
  }

  /** The interfaces of a container of this host. */
  #interfaces(id: string | undefined): Interface[] {
    return this.#options.attachments
      .endpoints()
      .flatMap(({ containers, ...rest }) => containers.map((container) => ({ ...rest, ...container })))
      .filter((each) => each.id === id);
  }

  #forget(container: string): void {
    if (!this.#own.unregister(container)) return;
    this.#save().catch((error: unknown) =>
      this.#options.log.error(`the names are not saved: ${String(error)}`, errorFields(error)),
    );
  }

  /** The interfaces of a container of this host, given as the user names it. */
  #endpoints(container: string | undefined): Interface[] {
    return container === undefined ? [] : this.#interfaces(this.#options.attachments.idOf(container));
  }

  /** Changes names and notes it on the disk: all of them, or none. False when there was nothing to change. */
  async #changeAll<Key extends NameKey>(
    keys: readonly Key[],
    change: (key: Key) => Undo | undefined,
  ): Promise<boolean> {
    const undos: Undo[] = [];
    try {
      for (const key of keys) {
        const undo = change(key);
        if (undo !== undefined) undos.push(undo);
      }
      if (undos.length > 0) await this.#save();
    } catch (error) {
      for (const undo of undos.reverse()) undo();
      throw error;
    }
    return undos.length > 0;
  }

  /** As far as this host gives them. */
  #ownNames(keys: readonly NameKey[]): Name[] {
    const { peer } = this.#options.identity;
    const distinct = new Map(keys.map((key) => [`${key.network} ${key.name}`, key]));
    return [...distinct.values()]
      .flatMap((key) => this.#table.get(peer, key) ?? [])
      .map((entry) => this.#view(entry));
  }

  #view(entry: NameEntry): Name {
    const { name, network, container, owner, hidden } = entry;
    const addresses = addressTexts(entry);
    return {
      name: `${name}.${this.#options.settings.dnsDomain}`,
      addresses,
      network,
      container,
      peer: owner,
      nickname: this.#options.mesh.member(owner)?.nickname ?? '',
      answered: !hidden,
      labels: this.#options.labelsOf(network, addresses, owner),
    };
  }

  #save(): Promise<void> {
    return this.#options.file.write(() => ({ names: this.#own.added.map((record) => this.#stored(record)) }));
  }

  /** What is written again and again is made once. */
  #stored(record: NameRecord): StoredName {
    const known = this.#storedNames.get(record);
    const stored = known ?? { ...record, addresses: addressTexts(record) };
    if (known === undefined) this.#storedNames.set(record, stored);
    return stored;
  }
}

/** Not by the rules of a language: 20,000 names are sorted while others wait for answers. */
function byName(a: Name, b: Name): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.peer < b.peer ? -1 : 1;
}
