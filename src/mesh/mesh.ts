import { EventEmitter } from 'node:events';
import { connect, type Socket } from 'node:net';
import sodium from 'sodium-native';
import { formatHostPort, type HostPort, ipHostPort, parseHostPort } from '../address.js';
import { WeftError } from '../errors.js';
import { type PeerId, proofKeyOf } from '../identity/index.js';
import { Acceptor } from './acceptor.js';
import { Admission } from './admission.js';
import { Counters } from './counters.js';
import { Dialer } from './dialer.js';
import { OwnEndpoints } from './endpoints.js';
import { Gossip } from './gossip.js';
import { Link, type LinkContext, type RemoteEnd } from './link.js';
import { LinkTable } from './link-table.js';
import { Membership } from './membership.js';
import { BYE_CLONED, BYE_STOPPING, INSTANCE_BYTES } from './messages.js';
import { cleanNickname, type MemberRecord } from './record.js';
import type {
  CipherSpeed,
  Contact,
  LinkView,
  MemberView,
  MeshEvents,
  MeshLimits,
  MeshOptions,
  MeshTimings,
  TargetView,
} from './types.js';

const DEFAULT_TIMINGS: MeshTimings = {
  handshakeTimeout: 10_000,
  pingInterval: 5_000,
  linkTimeout: 15_000,
  backoffInitial: 1_000,
  // With jitter up to 15 s: so long may a router that returns have to wait for the others.
  backoffMax: 10_000,
  backoffReset: 10_000,
  duplicateProbe: 2_000,
  addressRefresh: 10_000,
  gossipDelay: 100,
};

const DEFAULT_LIMITS: MeshLimits = {
  handshakes: 64,
  handshakesPerAddress: 16,
  acceptBurst: 32,
  acceptRate: 8,
  sendQueue: 4 * 1024 * 1024,
  fullMesh: 64,
  members: 16_384,
};

/** So often somebody may hold a newer record of ours before it must be a clone's. */
const MAX_TIMES_OUTDONE = 4;

/** How long `stop` waits for links to close by themselves. */
const STOP_PATIENCE = 500;

/** This router's place among the others: links to them, and who they are. */
export class Mesh extends EventEmitter<MeshEvents> {
  readonly #options: MeshOptions;
  readonly #timings: MeshTimings;
  readonly #limits: MeshLimits;
  readonly #instance = Buffer.alloc(INSTANCE_BYTES);
  readonly #counters = new Counters(() => performance.now());
  readonly #table: LinkTable;
  readonly #dialer: Dialer;
  readonly #acceptor: Acceptor;
  /** All connections, those in handshake too. */
  readonly #open = new Set<Link>();
  /** Members of an earlier run, until somebody tells of them. */
  readonly #remembered = new Map<PeerId, readonly HostPort[]>();
  #running: Running | undefined;
  #addressTimer: NodeJS.Timeout | undefined;
  #ciphers: readonly CipherSpeed[] = [];
  #timesOutdone = 0;

  constructor(options: MeshOptions) {
    super();
    this.#options = options;
    this.#timings = { ...DEFAULT_TIMINGS, ...options.timings };
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    sodium.randombytes_buf(this.#instance);
    this.#table = new LinkTable(options.identity.publicKey, this.#timings.duplicateProbe, {
      up: (link) => this.#onUp(link),
      down: (peer, reason, link) => this.#onDown(peer, reason, link),
      cloned: (error, link) => this.#warn(error, link),
    });
    this.#dialer = new Dialer({
      timings: this.#timings,
      random: Math.random,
      dial: (address, signal) => this.#dial(address, signal),
      isLinked: (peer) => this.#table.get(peer) !== undefined,
      onFailure: (error, address, news) => {
        if (!news) this.#counters.add(error.code);
        else if (this.#counters.tell(error)) this.emit('warning', error, { address });
      },
    });
    this.#acceptor = new Acceptor(
      new Admission(this.#limits),
      (socket) => this.#begin(socket, false).then(ignore, ignore),
      (code) => this.#counters.add(code),
    );
  }

  /** The TCP port in use. Only between `start` and `stop`. */
  get port(): number {
    return this.#run.port;
  }

  /** Random for each process, 16 hexadecimal digits. */
  get instance(): string {
    return this.#instance.toString('hex');
  }

  /** Listens, and begins to dial. Rejects with `port-in-use` or `listen-failed`. */
  async start(): Promise<void> {
    const { host, endpoints = [], ignoreInterface = () => false } = this.#options;
    const port = await this.#acceptor.listen(this.#options.port, host);
    const own = new OwnEndpoints({
      configured: endpoints,
      dataPort: this.#options.dataPort ?? port,
      host,
      ignoreInterface,
    });
    const membership = this.#newMembership(port, own);
    const gossip = this.#newGossip(membership);
    this.#running = { port, endpoints: own, membership, gossip };
    this.#dialer.start();
    this.#addressTimer = setInterval(() => this.#refreshEndpoints(), this.#timings.addressRefresh);
  }

  /**
   * Closes everything. With `leave` (the default), tells the others that this router leaves the network, so that they forget it
   * at once; without, they expect it back.
   */
  async stop({ leave = true }: { leave?: boolean } = {}): Promise<void> {
    this.#dialer.stop();
    if (this.#running === undefined) return;
    const { membership, gossip } = this.#running;
    clearInterval(this.#addressTimer);
    this.#acceptor.close();
    const last = leave ? membership.update({ left: true }) : undefined;
    if (last !== undefined) gossip.announce(last);
    gossip.flush();
    await this.#closeLinks();
    gossip.stop();
    this.#running = undefined;
  }

  /** Adds targets (`host[:port]`) and keeps a link to each, once started; with `replace`, forgets all others. Throws `bad-address`. */
  connect(targets: readonly string[], { replace = false }: { replace?: boolean } = {}): void {
    this.#dialer.addTargets(targets);
    if (replace) this.#dialer.retainTargets(targets);
    this.emit('targets', this.#dialer.targetNames());
  }

  /** Removes targets and returns those that were not known. Links stay. Throws `bad-address`. */
  forget(targets: readonly string[]): readonly string[] {
    const unknown = this.#dialer.removeTargets(targets);
    this.emit('targets', this.#dialer.targetNames());
    return unknown;
  }

  /**
   * Dials these members of an earlier run, and gives up those that were to be remembered before, as long as nobody told of them.
   * Only between `start` and `stop`. Throws `bad-address`.
   */
  remember(contacts: readonly Contact[]): void {
    const { membership } = this.#run;
    const unheard = contacts.filter(({ peer }) => membership.get(peer) === undefined);
    const wanted = new Map(
      unheard.map(({ peer, addresses }) => [peer, addresses.map((address) => parseHostPort(address))]),
    );
    for (const peer of this.#remembered.keys()) if (!wanted.has(peer)) this.#dialer.removeMember(peer);
    this.#remembered.clear();
    // Targets, where there are any, go first: they may be the same peers, and a second link to them would be in vain.
    const eager = this.#dialer.targetNames().length === 0;
    for (const [peer, addresses] of wanted) {
      this.#remembered.set(peer, addresses);
      this.#dialer.addMember(peer, eager, () => this.#controlAddresses(peer));
    }
  }

  /** The members that are linked now, to be remembered. */
  contacts(): readonly Contact[] {
    return this.#table.all().map(({ remote: { peer }, outbound, remoteAddress }) => {
      const announced = this.#controlAddresses(peer).map(formatHostPort);
      return { peer, addresses: [...new Set(outbound ? [remoteAddress, ...announced] : announced)] };
    });
  }

  targets(): readonly TargetView[] {
    return this.#dialer.targets();
  }

  links(): readonly LinkView[] {
    return this.#table.all().map((link) => this.#linkView(link));
  }

  members(): readonly MemberView[] {
    return this.#running?.membership.all().map((record) => this.#memberView(record)) ?? [];
  }

  /** What is known of one member (or of ourselves). */
  member(peer: PeerId): MemberView | undefined {
    const record = this.#running?.membership.get(peer);
    return record === undefined ? undefined : this.#memberView(record);
  }

  /** Sends over the direct link; false when there is none or its queue is full. */
  send(peer: PeerId, channel: string, bytes: Uint8Array): boolean {
    return this.#table.get(peer)?.sendUnicast(channel, bytes) ?? false;
  }

  /** Puts the data plane's ciphers into our record. */
  announceCiphers(ciphers: readonly CipherSpeed[]): void {
    this.#ciphers = ciphers.map(({ name, hardware, nanosecondsPer1400 }) => ({
      name,
      hardware,
      nanosecondsPer1400: Math.round(nanosecondsPer1400),
    }));
    this.#updateSelf({ ciphers: this.#ciphers });
  }

  /** An address of ours, `address:port`, as somebody sees our data plane: others may try it. Throws `bad-address`. */
  addObservedEndpoint(endpoint: string): void {
    const { host, port } = parseHostPort(endpoint);
    this.#running?.endpoints.observe(host, port);
    this.#refreshEndpoints();
  }

  /** There is reason to believe that this peer can be reached again: dial now instead of waiting. */
  retry(peer: PeerId): void {
    this.#dialer.retry(peer);
  }

  /** Everything that was refused or failed, by reason. */
  counters(): Readonly<Record<string, number>> {
    return this.#counters.all();
  }

  get #run(): Running {
    if (this.#running === undefined) throw new WeftError('not-running', 'the mesh is not started');
    return this.#running;
  }

  #newMembership(port: number, own: OwnEndpoints): Membership {
    return new Membership({
      identity: this.#options.identity,
      now: Date.now(),
      limit: this.#limits.members,
      self: {
        nickname: cleanNickname(this.#options.nickname),
        port,
        mtu: this.#options.mtu,
        endpoints: own.list(),
        features: this.#options.features ?? [],
        ciphers: this.#ciphers,
        left: false,
      },
    });
  }

  #newGossip(membership: Membership): Gossip {
    return new Gossip({
      membership,
      links: () => this.#table.all(),
      delay: this.#timings.gossipDelay,
      onNews: (record) => this.#onMember(record),
      onRefused: (error, from) => this.#warn(error, from),
      onOutdone: (from) => this.#onOutdone(from),
    });
  }

  /** Connects over TCP and makes a link of it. */
  async #dial(address: HostPort, signal: AbortSignal): Promise<PeerId> {
    const link = await this.#begin(await connectTcp(address, this.#timings.handshakeTimeout, signal), true);
    return link.remote.peer;
  }

  /** Makes a link of a connection; resolves once it is in the table, rejects when it is not to be. */
  #begin(socket: Socket, outbound: boolean): Promise<Link> {
    const link = new Link(socket, outbound, this.#linkContext());
    this.#open.add(link);
    link.on('members', (records) => this.#running?.gossip.receive(link, records));
    link.on('unicast', (channel, bytes) => this.#onUnicast(link, channel, bytes));
    link.on('refused', (error) => this.#warn(error, link));
    return new Promise((resolve, reject) => {
      link.once('established', (remote) => {
        const refused = this.#refusal(link, remote);
        if (refused === undefined) {
          this.#onEstablished(link, remote);
          resolve(link);
        } else {
          reject(refused);
        }
      });
      link.once('closed', (reason) => {
        this.#open.delete(link);
        if (!outbound && !link.established) this.#warn(reason, link);
        reject(reason);
      });
    });
  }

  #linkContext(): LinkContext {
    const { identity, network } = this.#options;
    return {
      identity,
      proofKeys: network.secrets.map(proofKeyOf),
      instance: this.#instance,
      selfRecord: () => this.#run.membership.self,
      timings: this.#timings,
      sendQueue: this.#limits.sendQueue,
    };
  }

  /** Why an established link is not wanted. It is closed then. */
  #refusal(link: Link, remote: RemoteEnd): WeftError | undefined {
    if (this.#running === undefined) {
      const stopped = new WeftError('not-running', 'the router is stopping');
      link.destroy(stopped);
      return stopped;
    }
    if (remote.peer !== this.#options.identity.peer) return undefined;
    if (remote.instance.equals(this.#instance)) {
      const self = new WeftError('self', 'the address leads back to this router');
      link.close(BYE_STOPPING, self);
      return self;
    }
    const cloned = new WeftError(
      'identity-cloned',
      `the router at ${link.remoteAddress} has our identity: one host was copied from the other; give one its own identity with weft reset`,
    );
    this.#warn(cloned, link);
    link.close(BYE_CLONED, cloned);
    return cloned;
  }

  #onEstablished(link: Link, remote: RemoteEnd): void {
    const { gossip, endpoints } = this.#run;
    gossip.receive(link, [remote.record]);
    if (endpoints.observe(hostOf(remote.observed))) this.#refreshEndpoints();
    this.#table.add(link);
  }

  #onUp(link: Link): void {
    this.#running?.gossip.linkUp(link);
    this.#dialer.linkUp(link.remote.peer);
    this.emit('link-up', this.#linkView(link));
  }

  #onDown(peer: PeerId, reason: WeftError, link: Link): void {
    this.#counters.add(reason.code);
    this.#dialer.linkDown(peer, reason, Date.now() - link.since);
    this.emit('link-down', peer, reason);
  }

  #onUnicast(link: Link, channel: string, bytes: Buffer): void {
    if (this.#table.has(link)) this.emit('message', link.remote.peer, channel, bytes);
    else this.#counters.add('message-dropped');
  }

  #onMember(record: MemberRecord): void {
    this.emit('member', this.#memberView(record));
    const { peer, content } = record;
    this.#remembered.delete(peer);
    if (content.left) {
      this.#dialer.removeMember(peer);
    } else if (this.#dialer.memberCount - this.#remembered.size < this.#limits.fullMesh) {
      const eager = Buffer.compare(this.#options.identity.publicKey, content.publicKey) < 0;
      this.#dialer.addMember(peer, eager, () => this.#controlAddresses(peer));
    }
  }

  /** Once or twice is left over from an earlier run with a faster clock. */
  #onOutdone(from: Link): void {
    this.#timesOutdone += 1;
    if (this.#timesOutdone <= MAX_TIMES_OUTDONE) return;
    const error = new WeftError(
      'identity-cloned',
      'another router gossips as if it were this one: one host was copied from the other; give one its own identity with weft reset',
    );
    this.#warn(error, from);
  }

  /** Where a member's control port may be reached: at the addresses of its data plane, or where it was in an earlier run. */
  #controlAddresses(peer: PeerId): readonly HostPort[] {
    const record = this.#running?.membership.get(peer);
    if (record === undefined) return this.#remembered.get(peer) ?? [];
    const { endpoints, port } = record.content;
    const hosts = new Set(endpoints.map(hostOf));
    return [...hosts].map((host) => ipHostPort(host, port));
  }

  #refreshEndpoints(): void {
    if (this.#running !== undefined) this.#updateSelf({ endpoints: this.#running.endpoints.list() });
  }

  #updateSelf(change: Parameters<Membership['update']>[0]): void {
    const record = this.#running?.membership.update(change);
    if (record !== undefined) this.#running?.gossip.announce(record);
  }

  async #closeLinks(): Promise<void> {
    const stopping = new WeftError('not-running', 'the router stopped');
    const closed = [...this.#open].map((link) => new Promise((resolve) => link.once('closed', resolve)));
    for (const link of this.#open) link.close(BYE_STOPPING, stopping);
    const patience = setTimeout(() => {
      for (const link of this.#open) link.destroy(stopping);
    }, STOP_PATIENCE);
    await Promise.all(closed);
    clearTimeout(patience);
  }

  #warn(error: WeftError, link: Link): void {
    if (!this.#counters.tell(error)) return;
    const origin = { address: link.remoteAddress, ...(link.established ? { peer: link.remote.peer } : {}) };
    this.emit('warning', error, origin);
  }

  #linkView(link: Link): LinkView {
    const { peer } = link.remote;
    return {
      peer,
      nickname: (this.#running?.membership.get(peer) ?? link.remote.record).content.nickname,
      direction: link.outbound ? 'outbound' : 'inbound',
      remoteAddress: link.remoteAddress,
      since: link.since,
      ...(link.rtt === undefined ? {} : { rtt: link.rtt }),
    };
  }

  #memberView({ peer, content }: MemberRecord): MemberView {
    return {
      peer,
      ...content,
      self: peer === this.#options.identity.peer,
      linked: this.#table.get(peer) !== undefined,
    };
  }
}

/** What exists between `start` and `stop`. */
interface Running {
  readonly port: number;
  readonly endpoints: OwnEndpoints;
  readonly membership: Membership;
  readonly gossip: Gossip;
}

function connectTcp({ host, port }: HostPort, timeout: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    const fail = (code: string, why: string) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      reject(new WeftError(code, `no connection to ${host} port ${port}: ${why}`));
    };
    const onAbort = () => fail('connect-aborted', 'not wanted any more');
    const onError = (error: Error) => fail('connect-failed', error.message);
    const timer = setTimeout(() => fail('connect-timeout', 'no answer'), timeout);
    signal.addEventListener('abort', onAbort);
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

function hostOf(endpoint: string): string {
  try {
    return parseHostPort(endpoint).host;
  } catch {
    return '';
  }
}

function ignore(): void {}
