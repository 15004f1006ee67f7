import { EventEmitter } from 'node:events';
import c, { type Encoder } from 'compact-encoding';
import { type SimRouter, World } from '../../bench/sim/world.js';
import { checkNameRecord, decodeKey, NameTable, nameAddresses } from '../../src/dns/index.js';
import { EndpointDirectory } from '../../src/endpoints/index.js';
import { checkRecord, endpointRecord } from '../../src/endpoints/record.js';
import { WeftError } from '../../src/errors.js';
import { type GossipChannel, OwnedRecords } from '../../src/gossip/index.js';
import {
  type Identity,
  type Network,
  newNetwork,
  type PeerId,
  parseSecret,
} from '../../src/identity/index.js';
import { AddressService, Election, emptyState, parseBlock, signerOf } from '../../src/ipam/index.js';
import { hashOfConfig } from '../../src/ipam/ring/index.js';
import type { MeshEvents } from '../../src/mesh/index.js';
import type { LinkMessage } from '../../src/mesh/link/index.js';
import { memberView } from '../../src/mesh/membership/index.js';
import { checkNetworkRecord, networkRecord, resolveNetworks } from '../../src/networks/index.js';
import { Overlay, type OverlayMesh } from '../../src/overlay/index.js';
import { checkPolicyRecord, cleanPolicy, PolicyBook, policyRecord } from '../../src/policy/index.js';
import { Statements } from '../../src/trust/index.js';
import { MemoryDataPlane } from '../unit/overlay/memory-data-plane.js';

export const RANGE = parseBlock('10.32.0.0/24');
/** Unix time in milliseconds when virtual time begins. */
const EPOCH = 1_700_000_000_000;
/** Of what one router publishes in a channel, and of what all others do: small, so that input reaches it. */
const LIMITS = { owner: 64 * 1024, total: 128 * 1024 };
/** Bytes that a record takes beside its own. */
const RECORD_OVERHEAD = 512;
const NETWORK: Network = { ...newNetwork(), secrets: [parseSecret(Buffer.alloc(32, 2))] };

type Records = OwnedRecords<unknown>;

/** Routers of one network, with all that reads bytes of other members, in virtual time. */
export class Routers {
  readonly all: Router[] = [];
  readonly world: World;
  /** Is told of each message that crosses a link, and of each that a router gets for one of its channels. */
  onMessage: (message: LinkMessage) => void = () => {};
  onUnicast: (channel: string, bytes: Buffer) => void = () => {};

  constructor(seed: number) {
    this.world = new World({
      seed,
      onMessage: (at, from, channel, bytes) => {
        this.onUnicast(channel, bytes);
        this.of(at)?.receive(from, channel, bytes);
      },
      onMember: (at, { peer }) => this.of(at)?.onMember(peer),
    });
    const { send } = this.world;
    this.world.send = (from, to, message) => {
      this.onMessage(message);
      return send.call(this.world, from, to, message);
    };
  }

  /** Routers that all know each other. */
  static async network(size: number, seed = 1): Promise<Routers> {
    const routers = new Routers(seed);
    for (let count = 0; count < size; count++) await routers.add();
    await routers.run(5_000);
    return routers;
  }

  /** Those of the routers of `network`. */
  static identities(size: number, seed: number): Identity[] {
    const world = new World({ seed });
    return Array.from({ length: size }, () => world.newIdentity());
  }

  /** What is in front of each message about addresses where this router made the network. */
  static configHash(founder: PeerId): Buffer {
    return hashOfConfig({ start: RANGE.start, length: RANGE.length, founders: [founder] });
  }

  of(peer: PeerId): Router | undefined {
    return this.all.find((router) => router.peer === peer);
  }

  async add(): Promise<Router> {
    const [first] = this.all;
    const router = new Router(this, this.world.add(first === undefined ? {} : { targets: [first.peer] }));
    this.all.push(router);
    await router.start(first?.peer ?? router.peer);
    return router;
  }

  /** Lets time pass, and what waits for a disk be written. */
  async run(milliseconds: number): Promise<void> {
    for (let left = milliseconds; left > 0; left -= 100) {
      this.world.clock.run(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** A router without sockets, forwarder, disk and containers. */
export class Router {
  readonly sim: SimRouter;
  readonly channels = new Map<string, GossipChannel>();
  readonly owned = new Map<string, Records>();
  readonly statements: Statements;
  readonly election: Election;
  readonly addresses: AddressService;
  readonly names = new NameTable();
  readonly endpoints: EndpointDirectory;
  readonly overlay: Overlay;
  /** What was wrong inside, and no error of whoever sent something. */
  readonly warnings: WeftError[] = [];
  readonly #routers: Routers;
  readonly #mesh: RouterMesh;
  readonly #electionSave: () => void;

  constructor(routers: Routers, sim: SimRouter) {
    this.#routers = routers;
    this.sim = sim;
    this.#mesh = new RouterMesh(this);
    this.statements = new Statements({
      ...{ self: sim.peer, epoch: 0, stored: [], issuers: [] },
      isMember: (peer) => sim.core.membership.get(peer) !== undefined,
    });
    this.statements.on('pending', this.#open(this.statements));
    this.endpoints = new EndpointDirectory(new Sink());
    this.#openRecords();
    const elector = { electors: 3, incarnation: EPOCH };
    this.election = new Election({ signer: signerOf(sim.identity), elector });
    const electionChanged = this.#open(Object.assign(this.election, { name: 'election' }));
    this.#electionSave = () => {
      for (let state = this.election.unsaved; state !== null; state = this.election.unsaved) {
        this.election.saved(state);
        electionChanged();
      }
    };
    this.addresses = this.#newAddresses();
    this.overlay = new Overlay({
      identity: sim.identity,
      network: NETWORK,
      mesh: this.#mesh,
      dataPlane: new MemoryDataPlane(sim.peer),
      cipher: 'auto',
      clock: routers.world.clock,
    });
    this.overlay.on('warning', (error) => this.warnings.push(error));
  }

  get peer(): PeerId {
    return this.sim.peer;
  }

  async start(founder: PeerId): Promise<void> {
    this.addresses.found([founder]);
    this.#electionSave();
    await this.overlay.start();
  }

  /** A message to this router itself. */
  receive(from: PeerId, channel: string, bytes: Buffer): void {
    if (channel === 'addresses') this.addresses.receive(from, bytes);
    this.#mesh.emit('message', from, channel, bytes);
  }

  onMember(peer: PeerId): void {
    const member = this.#mesh.member(peer);
    if (member === undefined) return;
    this.endpoints.setAlive(peer, !member.left && !member.down);
    this.#mesh.emit('member', member);
  }

  /** Publishes something in each channel, as a router does that gets a container. */
  publish(what: number): void {
    const key = `0 web${what} web`;
    this.owned.get('names')?.set(key, [Buffer.of(10, 32, 0, what)]);
    const mac = `0/02:00:00:00:00:${what.toString(16).padStart(2, '0')}`;
    const labels = Object.fromEntries(
      ['app', 'tier', 'zone'].slice(0, what % 4).map((key) => [key, `of ${what}`]),
    );
    const endpoints = this.owned.get('endpoints');
    endpoints?.set(mac, { mobility: what, addresses: [Buffer.of(10, 32, 0, what)], labels });
    endpoints?.set('0/groups', { mobility: 0, addresses: [Buffer.of(239, 1, 1, what)], labels: {} });
    const network = { createdAt: EPOCH + what, number: what + 1, state: 'used', subnets: ['10.40.0.0/16'] };
    this.owned.get('networks')?.set(`net-${what}`, network);
    this.owned.get('policies')?.set(`default/p${what}`, {
      version: EPOCH + what,
      text: what % 3 === 0 ? undefined : policyText(what),
    });
    this.owned.get('secret')?.set('generation', what);
  }

  /** Calls for an election, and takes part in it. */
  vote(): void {
    this.election.propose();
    this.#electionSave();
  }

  /** What is held for others in a channel of records, and what may be. */
  recordsHeld(name: string): { held: number; cap: number } {
    const held = [...(this.owned.get(name)?.entries() ?? [])].filter(
      ({ owner }) => owner !== this.peer,
    ).length;
    return { held, cap: LIMITS.total / RECORD_OVERHEAD };
  }

  #openRecords(): void {
    const names = this.#openOwned('names', nameAddresses, checkNameRecord);
    names.on('change', (owner, key, addresses) => {
      const name = decodeKey(key);
      if (addresses === undefined) this.names.remove(owner, name);
      else this.names.set(owner, { ...name, addresses });
    });
    const endpoints = this.#openOwned('endpoints', endpointRecord, checkRecord);
    endpoints.on('change', (owner, key, record) => this.endpoints.put(owner, key, record));
    const networks = this.#openOwned('networks', networkRecord, checkNetworkRecord);
    networks.on('change', () => {
      const claims = [...networks.entries()].map(({ owner, key, value }) => ({
        owner,
        name: key,
        record: value,
      }));
      resolveNetworks(claims);
    });
    const book = new PolicyBook();
    const policies = this.#openOwned('policies', policyRecord, checkPolicyRecord);
    policies.on('change', (_owner, key, record) => {
      if (record !== undefined) book.put(key, record);
    });
    this.#openOwned('secret', c.uint);
  }

  #openOwned<T>(name: string, value: Encoder<T>, check?: (key: string, value: T) => void): OwnedRecords<T> {
    const records = new OwnedRecords<T>({
      name,
      identity: this.sim.identity,
      now: () => this.now(),
      value,
      ...(check === undefined ? {} : { check }),
      admits: (peer) => this.#mesh.member(peer)?.left === false,
      limits: LIMITS,
    });
    records.on('pending', this.#open(records));
    this.owned.set(name, records as unknown as Records);
    return records;
  }

  #open(channel: GossipChannel): () => void {
    this.channels.set(channel.name, channel);
    const opened = this.sim.core.openChannel(channel);
    return () => opened.changed();
  }

  #newAddresses(): AddressService {
    let changed = () => {};
    const addresses = new AddressService({
      identity: this.sim.identity,
      range: RANGE,
      defaultSubnet: RANGE,
      ula: undefined,
      state: emptyState(RANGE),
      continued: false,
      save: async () => {},
      transport: {
        send: (peer, bytes) => void this.sim.core.send(peer, 'addresses', bytes),
        reachable: (peer) => this.sim.core.isReachable(peer),
        neighbours: () => [...this.sim.wires.keys()],
        nameOf: (peer) => peer,
        changed: () => changed(),
      },
      now: () => this.now(),
      random: this.#routers.world.random,
      onLost: () => {},
      onMoved: () => {},
      onWarning: (error) => this.warnings.push(error),
    });
    changed = this.#open(addresses.channel);
    return addresses;
  }

  /** Unix time in milliseconds. */
  now(): number {
    return EPOCH + Math.floor(this.#routers.world.clock.now());
  }
}

/** The mesh as the overlay sees it. */
class RouterMesh extends EventEmitter<MeshEvents> implements OverlayMesh {
  readonly #router: Router;

  constructor(router: Router) {
    super();
    this.#router = router;
  }

  get #core() {
    return this.#router.sim.core;
  }

  send(peer: PeerId, channel: string, bytes: Uint8Array): boolean {
    return this.#core.send(peer, channel, bytes);
  }

  link(): undefined {
    return undefined;
  }

  members() {
    return this.#core.membership.all().flatMap(({ peer }) => this.member(peer) ?? []);
  }

  member(peer: PeerId) {
    const record = this.#core.membership.get(peer);
    if (record === undefined) return undefined;
    return memberView(record, {
      self: peer === this.#router.peer,
      linked: this.#router.sim.wires.has(peer),
      down: this.#core.membership.isDown(peer),
      neighbours: this.#core.neighboursOf(peer),
    });
  }

  reachable(peer: PeerId): boolean {
    return this.#core.isReachable(peer);
  }

  openChannel(channel: GossipChannel) {
    this.#router.channels.set(channel.name, channel);
    return this.#core.openChannel(channel);
  }

  admits(): boolean {
    return true;
  }

  expectConnection(): Promise<never> {
    return Promise.reject(new WeftError('not-connected', 'there are no connections here'));
  }

  addressesOf(): readonly string[] {
    return [];
  }

  announceCiphers(): void {}

  addObservedEndpoint(): void {}

  retry(): void {}
}

class Sink {
  endpoint(): void {}
  endpointGone(): void {}
  moved(): void {}
  groups(): void {}
}

/** Of a policy that allows something of every kind. */
function policyText(what: number): string {
  const from = [
    { podSelector: { matchLabels: { app: `app${what}` } } },
    { namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'Exists' }] } },
    { ipBlock: { cidr: '10.0.0.0/8', except: [`10.${what}.0.0/16`] } },
  ];
  const spec = { podSelector: {}, ingress: [{ from, ports: [{ port: 80, endPort: 90 }, { port: 'http' }] }] };
  const metadata = { name: `p${what}` };
  const object = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec };
  return JSON.stringify(cleanPolicy(object, 'a policy'));
}
