import { EventEmitter } from 'node:events';
import {
  addressBytes,
  checkRecord,
  ENDPOINT_LIMITS,
  type Endpoint,
  EndpointDirectory,
  type EndpointRecord,
  endpointKey,
  endpointRecord,
  groupsKey,
  weightOf,
} from '../../endpoints/index.js';
import type { Forwarder } from '../../forwarder/index.js';
import { type OpenChannel, OwnedRecords } from '../../gossip/index.js';
import type { Identity, PeerId } from '../../identity/index.js';
import { type Labels, mergedLabels } from '../../labels.js';
import type { Mesh } from '../../mesh/index.js';
import type { AttachedEndpoint, Attachments, Entry } from '../attachments/index.js';
import type { Custody } from './custody.js';

export interface EndpointsOptions {
  readonly identity: Identity;
  readonly mesh: Mesh;
  readonly forwarder: Forwarder;
  readonly custody: Custody;
  /** Of a router's bridges. */
  readonly bridgeMac: (peer: PeerId) => string;
}

/** The host itself as a station of the networks. */
export interface HostPresence {
  /** With prefix length, by number of the network. */
  addresses(): ReadonlyMap<number, readonly string[]>;
  on(event: 'changed', listener: () => void): unknown;
}

export interface EndpointsEvents {
  /** An address is at another MAC than it was. */
  moved: [move: { peer: PeerId; network: number; mac: string; address: string }];
  /** What is announced, or which interface of this host it is, has changed. */
  changed: [];
}

/** Announces this host's containers to all routers, and tells the forwarder what all routers announced. */
export class Endpoints extends EventEmitter<EndpointsEvents> {
  readonly #options: EndpointsOptions;
  readonly #records: OwnedRecords<EndpointRecord>;
  readonly #directory: EndpointDirectory;
  readonly #self: PeerId;
  #attachments: Attachments | undefined;
  /** Numbers of the networks that the host itself is on. */
  #hostOn: ReadonlySet<number> = new Set();
  #channel: OpenChannel | undefined;
  /** What the forwarder was told last. */
  #telling: Promise<unknown> = Promise.resolve();

  constructor(options: EndpointsOptions) {
    super();
    const { identity, mesh, forwarder, custody } = options;
    this.#options = options;
    this.#self = identity.peer;
    this.#directory = new EndpointDirectory({
      endpoint: (endpoint) => {
        this.#tell((forwarder) => forwarder.setEndpoint(this.#asTold(endpoint)));
        this.#keep(endpoint);
      },
      endpointGone: (network, mac) => {
        this.#tell((forwarder) => forwarder.removeEndpoint(network, mac));
        custody.remove(network, mac);
      },
      moved: (network, mac, address) => {
        this.#tell((forwarder) => forwarder.announce(network, mac, [address]));
        const peer = this.#directory.find(network, mac)?.peer;
        if (peer !== undefined) this.emit('moved', { peer, network, mac, address });
      },
      groups: (peer, network, groups) => {
        if (peer !== this.#self) this.#tell((forwarder) => forwarder.setPeerGroups(peer, network, groups));
      },
    });
    this.#records = new OwnedRecords({
      name: 'endpoints',
      identity,
      now: Date.now,
      value: endpointRecord,
      check: checkRecord,
      weigh: weightOf,
      limits: ENDPOINT_LIMITS,
      admits: (owner) => mesh.admits(owner),
    });
    this.#records.on('change', (owner, key, record) => {
      this.#directory.put(owner, key, record);
      this.emit('changed');
    });
    this.#records.on('pending', () => this.#channel?.changed());
    mesh.on('member', ({ peer, left, down }) => {
      this.#directory.setAlive(peer, !left && !down);
      this.emit('changed');
    });
    mesh.on('forgotten', (peer) => this.#records.dropOwner(peer));
    forwarder.on('ready', () => this.#tellAll());
    forwarder.on('event', ({ name, fields }) => {
      if (name === 'groups') this.#announceGroups(fields.network, fields.groups);
    });
  }

  /** The containers of this host are these. */
  follow(attachments: Attachments): void {
    this.#attachments = attachments;
    attachments.on('attached', (endpoint) => this.#announce(endpoint));
    attachments.on('detached', (endpoint) => this.#withdraw(endpoint));
  }

  /** The host itself is on these networks: its bridges have addresses there, all with one MAC. */
  followHost(host: HostPresence): void {
    host.on('changed', () => this.#announceHost(host.addresses()));
  }

  /** From now on others hear of our containers, and we of theirs. */
  start(): void {
    this.#channel = this.#options.mesh.openChannel(this.#records);
  }

  stop(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }

  /** Resolves when the forwarder knows what it was told of our containers. */
  async told(): Promise<void> {
    await this.#telling;
  }

  isGiven(network: number, mac: string): boolean {
    return this.#directory.find(network, mac) !== undefined;
  }

  isGivenAddress(network: number, address: string): boolean {
    return this.#directory.holders(network, address).length > 0;
  }

  /** Whose a MAC or an address is, in words. */
  holder(claimed: string): string {
    const found = this.all().find(({ mac, addresses }) => mac === claimed || addresses.includes(claimed));
    return found === undefined ? 'a container that left' : this.#called(found);
  }

  /** Who has an address on a network, in words; undefined: nobody has. */
  addressHolder(network: number, address: string): string | undefined {
    const [found] = this.#directory.holders(network, address);
    return found && this.#called(found);
  }

  /** Of whoever has one of these addresses on a network at that router; none where nobody is known to. */
  labelsOf(network: number, addresses: readonly string[], peer: PeerId): Labels {
    for (const address of addresses) {
      const holder = this.#directory.holders(network, address).find((endpoint) => endpoint.peer === peer);
      if (holder !== undefined) return holder.labels;
    }
    return {};
  }

  /** Whether it is a host itself. */
  isHost({ mac, peer }: Pick<Endpoint, 'mac' | 'peer'>): boolean {
    return mac === this.#options.bridgeMac(peer);
  }

  #called({ network, mac, peer }: Endpoint): string {
    if (this.isHost({ mac, peer })) return this.#hostOf(peer);
    if (peer !== this.#self) return this.#elsewhere(peer);
    const ours = this.#here(network).find((endpoint) => endpoint.mac === mac);
    return ours === undefined ? 'a container of this host' : calledOf(ours);
  }

  /** Who else than this attachment has a MAC, in words. */
  macHolder(network: number, mac: string, { id, interface: inside }: Entry): string | undefined {
    const peer = this.#directory.find(network, mac)?.peer;
    if (peer === undefined) return undefined;
    if (peer !== this.#self) return this.#elsewhere(peer);
    const ours = this.#here(network).find((endpoint) => endpoint.mac === mac);
    if (ours === undefined || (ours.containers[0].id === id && ours.interface === inside)) return undefined;
    return calledOf(ours);
  }

  all(): readonly Endpoint[] {
    return this.#directory.endpoints();
  }

  #announce(attached: AttachedEndpoint): void {
    const { network, mac, fixed, containers } = attached;
    const key = endpointKey(network, mac);
    this.#records.set(key, {
      mobility: this.#directory.mobilityFor(this.#self, key),
      addresses: fixed.map(addressBytes),
      labels: mergedLabels(...containers.map(({ labels }) => labels)),
    });
    this.#keepAll(attached);
    this.emit('changed');
  }

  #announceHost(addresses: ReadonlyMap<number, readonly string[]>): void {
    const mac = this.#options.bridgeMac(this.#self);
    for (const network of this.#hostOn) {
      if (!addresses.has(network)) this.#records.remove(endpointKey(network, mac));
    }
    for (const [network, found] of addresses) {
      const key = endpointKey(network, mac);
      const mobility = this.#directory.mobilityFor(this.#self, key);
      this.#records.set(key, { mobility, addresses: found.map(addressBytes), labels: {} });
    }
    this.#hostOn = new Set(addresses.keys());
  }

  #withdraw(attached: AttachedEndpoint): void {
    this.#records.remove(endpointKey(attached.network, attached.mac));
    this.#keepAll(attached);
  }

  /** What a container has on a network all its interfaces there may claim. */
  #keepAll({ network, containers: [{ id }] }: AttachedEndpoint): void {
    for (const { containers, mac } of this.#here(network)) {
      const endpoint = containers[0].id === id ? this.#directory.find(network, mac) : undefined;
      if (endpoint !== undefined) this.#keep(endpoint);
    }
  }

  #keep({ network, mac, addresses, peer }: Endpoint): void {
    const here = peer === this.#self ? this.#here(network) : [];
    const holder = here.find((endpoint) => endpoint.mac === mac)?.containers[0].id;
    const ports = here.filter(({ containers }) => containers[0].id === holder).map(({ port }) => port);
    this.#options.custody.put({ network, mac, addresses, ports });
  }

  #here(network: number): AttachedEndpoint[] {
    return (this.#attachments?.endpoints() ?? []).filter((endpoint) => endpoint.network === network);
  }

  #hostOf(peer: PeerId): string {
    return peer === this.#self ? 'this host' : `the host ${this.#nicknameOf(peer)}`;
  }

  #elsewhere(peer: PeerId): string {
    return `a container on ${this.#nicknameOf(peer)}`;
  }

  #nicknameOf(peer: PeerId): string {
    return this.#options.mesh.member(peer)?.nickname ?? peer;
  }

  /** Null: a forwarder that just started does not know yet, so others must send us everything. */
  #announceGroups(network: number, groups: readonly string[] | null): void {
    const key = groupsKey(network);
    if (groups === null) this.#records.remove(key);
    else this.#records.set(key, { mobility: 0, addresses: groups.map(addressBytes), labels: {} });
  }

  #tellAll(): void {
    this.#tell((forwarder) => forwarder.clearEndpoints());
    this.#directory.replay();
    void this.#options.forwarder
      .groups()
      .then(({ networks }) => {
        for (const { network, groups } of networks) this.#announceGroups(network, groups);
      })
      .catch(() => {}); // it is lost again: the next one is asked, too
  }

  #asTold({ network, mac, addresses, peer }: Endpoint) {
    return { network, mac, addresses, peer: peer === this.#self ? null : peer };
  }

  /** What does not reach the forwarder is told when it is there again. */
  #tell(request: (forwarder: Forwarder) => Promise<void>): void {
    const { forwarder } = this.#options;
    if (forwarder.connected) this.#telling = request(forwarder).catch(() => {});
  }
}

/** What people call the container that an interface is of. */
function calledOf({ containers: [{ name, id }] }: AttachedEndpoint): string {
  return name ?? id;
}
