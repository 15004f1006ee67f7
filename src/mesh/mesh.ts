import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import sodium from 'sodium-native';
import { formatHostPort, type HostPort, ipHostPort, parseHostPort } from '../address.js';
import { SystemClock } from '../clock.js';
import { WeftError } from '../errors.js';
import { type NetworkSecret, type PeerId, proofKeyOf } from '../identity/index.js';
import { Acceptor } from './acceptor.js';
import { Admission } from './admission.js';
import type { GossipChannel, OpenChannel } from './channel.js';
import { CLONED_CHANNEL, clonedAt, clonedSomewhere, decodeSighting, encodeSighting } from './clones.js';
import { connectTcp } from './connect.js';
import { Core } from './core.js';
import { Counters, needsPerson } from './counters.js';
import { DEFAULT_LIMITS, DEFAULT_TIMINGS } from './defaults.js';
import { Dialer } from './dialer.js';
import { OwnEndpoints } from './endpoints.js';
import { Link, type LinkContext, OLD_SECRET, type RemoteEnd } from './link.js';
import { LinkTable } from './link-table.js';
import {
  BYE_CLONED,
  BYE_OLD_SECRET,
  BYE_REMOVED,
  BYE_REVOKED,
  BYE_STOPPING,
  BYE_SURPLUS,
  INSTANCE_BYTES,
  type LinkMessage,
} from './messages.js';
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
import { linkView, memberView } from './views.js';

/** So often somebody may hold a newer record of ours before it must be a clone's. */
const MAX_TIMES_OUTDONE = 2;

const EXPELLED = new WeftError('peer-revoked', 'the peer was expelled from the network');
const REMOVED = new WeftError('peer-removed', 'the peer was removed from the network');
const SURPLUS = new WeftError('surplus-link', 'there are links enough without this one');

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
  readonly #clock = new SystemClock();
  readonly #core: Core;
  /** All connections, those in handshake too. */
  readonly #open = new Set<Link>();
  /** Members of an earlier run, until somebody tells of them. */
  readonly #remembered = new Map<PeerId, readonly HostPort[]>();
  /** Of the live secrets, newest first. */
  #proofKeys: readonly Buffer[];
  #running: Running | undefined;
  #addressTimer: NodeJS.Timeout | undefined;
  #timesOutdone = 0;

  constructor(options: MeshOptions) {
    super();
    this.#options = options;
    this.#timings = { ...DEFAULT_TIMINGS, ...options.timings };
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#proofKeys = options.network.secrets.map(proofKeyOf);
    sodium.randombytes_buf(this.#instance);
    this.#table = new LinkTable(options.identity.publicKey, this.#timings.duplicateProbe, {
      up: (link) => this.#onUp(link),
      down: (peer, reason, link) => this.#onDown(peer, reason, link),
      cloned: (error, link) => this.#onCloned(error, link),
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
    this.#core = this.#newCore();
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
    this.#running = { port, endpoints: own };
    this.#core.membership.update({ port, endpoints: own.list() });
    this.#dialer.start();
    this.#core.start();
    this.#addressTimer = setInterval(() => this.#refreshEndpoints(), this.#timings.addressRefresh);
  }

  /**
   * Closes everything. With `leave` (the default), tells the others that this router leaves the network, so that they forget it
   * at once; without, they expect it back.
   */
  async stop({ leave = true }: { leave?: boolean } = {}): Promise<void> {
    this.#dialer.stop();
    if (this.#running === undefined) return;
    clearInterval(this.#addressTimer);
    this.#acceptor.close();
    if (leave) this.#core.membership.update({ left: true });
    this.#core.flush();
    await this.#closeLinks();
    this.#clock.stop();
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
    const unheard = contacts.filter(({ peer }) => this.#core.membership.get(peer) === undefined);
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

  /** The link to this peer, if there is one. */
  link(peer: PeerId): LinkView | undefined {
    const link = this.#table.get(peer);
    return link && this.#linkView(link);
  }

  members(): readonly MemberView[] {
    if (this.#running === undefined) return [];
    return this.#core.membership.all().map((record) => this.#memberView(record));
  }

  /** What is known of one member (or of ourselves). */
  member(peer: PeerId): MemberView | undefined {
    const record = this.#running && this.#core.membership.get(peer);
    return record === undefined ? undefined : this.#memberView(record);
  }

  /**
   * Sends to any member, over the direct link or over others. It proves to the receiver who sent it. False when the peer is not known,
   * nobody is linked or a queue is full; what is on its way may be lost.
   */
  send(peer: PeerId, channel: string, bytes: Uint8Array): boolean {
    return this.#core.send(peer, channel, bytes);
  }

  /** A way for control messages to this member is known. */
  reachable(peer: PeerId): boolean {
    return this.#core.isReachable(peer);
  }

  /** The peers that a member has links to, as it tells; none in a large mesh, but always our own. */
  neighbours(peer: PeerId): readonly PeerId[] {
    return this.#core.neighboursOf(peer);
  }

  /** Has the mesh carry data of another room to all routers, from now on, started or not. Throws `channel-in-use`. */
  openChannel(channel: GossipChannel): OpenChannel {
    return this.#core.openChannel(channel);
  }

  /** From now on links are made with these secrets, newest first. Those that there are stay. */
  setSecrets(secrets: readonly NetworkSecret[]): void {
    this.#proofKeys = secrets.map(proofKeyOf);
  }

  /**
   * Forgets a peer that `by` declared dead or, with `expelled`, unwelcome; `admits` must say so from now on. When this router itself was declared dead
   * in an incarnation, it begins a later one.
   */
  remove(
    peer: PeerId,
    by: PeerId,
    { expelled, incarnation }: { expelled: boolean; incarnation: number },
  ): void {
    const { membership } = this.#core;
    const returned = !expelled && (membership.get(peer)?.content.incarnation ?? 0) > incarnation;
    if (peer === this.#options.identity.peer) {
      if (!expelled && !returned) membership.beginAnew(incarnation);
    } else if (!returned) {
      this.#core.remove(peer);
      this.#table.get(peer)?.close(expelled ? BYE_REVOKED : BYE_REMOVED, expelled ? EXPELLED : REMOVED);
      this.emit('forgotten', peer);
    }
    this.emit('removed', peer, by);
  }

  /** False for a peer that was expelled, or was removed and is not back: what it owned is void. */
  admits(peer: PeerId): boolean {
    const incarnation = this.#core.membership.get(peer)?.content.incarnation ?? 0;
    return this.#options.admits?.(peer, incarnation) ?? true;
  }

  /**
   * Gives the next connection to our port that begins with these 24 bytes, without them, and paused. Rejects with `not-connected` after so
   * many milliseconds.
   */
  expectConnection(opening: Uint8Array, timeout: number): Promise<Socket> {
    return this.#acceptor.expect(opening, timeout);
  }

  /** Where the control port of a member may be reached, `address:port`, best first. */
  addressesOf(peer: PeerId): readonly string[] {
    const link = this.#table.get(peer);
    const announced = this.#controlAddresses(peer).map(formatHostPort);
    return [...new Set(link?.outbound ? [link.remoteAddress, ...announced] : announced)];
  }

  /** Puts the data plane's ciphers into our record. */
  announceCiphers(ciphers: readonly CipherSpeed[]): void {
    const rounded = ciphers.map(({ name, hardware, nanosecondsPer1400 }) => ({
      name,
      hardware,
      nanosecondsPer1400: Math.round(nanosecondsPer1400),
    }));
    this.#core.membership.update({ ciphers: rounded });
  }

  /** An address of ours, `address:port`, as somebody sees our data plane: others may try it. Throws `bad-address`. */
  addObservedEndpoint(endpoint: string): void {
    const { host, port } = parseHostPort(endpoint);
    if (this.#running?.endpoints.observe(host, port)) this.#refreshEndpoints();
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

  #newCore(): Core {
    const { identity, nickname, port, mtu, features = [], discovery = true } = this.#options;
    return new Core({
      identity,
      clock: this.#clock,
      random: Math.random,
      startedAt: Date.now(),
      self: {
        nickname: cleanNickname(nickname),
        port,
        mtu,
        endpoints: [],
        features,
        ciphers: [],
        links: [],
        left: false,
      },
      limits: this.#limits,
      timings: this.#timings,
      discovery,
      ...(this.#options.admits === undefined ? {} : { admits: this.#options.admits }),
      links: {
        send: (to, message) => this.#table.get(to)?.send(message) ?? false,
        rtt: (peer) => this.#table.get(peer)?.rtt,
        dial: (peer, eager) => this.#dialer.addMember(peer, eager, () => this.#controlAddresses(peer)),
        undial: (peer) => this.#dialer.removeMember(peer),
        drop: (peer) => this.#table.get(peer)?.close(BYE_SURPLUS, SURPLUS),
        isTarget: (peer) => this.#dialer.isTarget(peer),
      },
      events: {
        member: (record) => this.#onMember(record),
        message: (peer, channel, bytes) => this.#onLetter(peer, channel, bytes),
        refused: (error, from) => this.#warnOfPeer(error, from),
        outdone: (from) => this.#onOutdone(from),
      },
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
    link.on('message', (message) => this.#onMessage(link, message));
    link.on('drain', () => link.established && this.#core.drained(link.remote.peer));
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
    return {
      identity: this.#options.identity,
      proofKeys: this.#proofKeys,
      instance: this.#instance,
      selfRecord: () => this.#core.membership.self,
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
    if (remote.peer !== this.#options.identity.peer) return this.#unwelcome(link, remote);
    if (remote.instance.equals(this.#instance)) {
      const self = new WeftError('self', 'the address leads back to this router');
      link.close(BYE_STOPPING, self);
      return self;
    }
    const cloned = clonedAt(link.remoteAddress);
    this.#warn(cloned, link);
    link.close(BYE_CLONED, cloned);
    return cloned;
  }

  /** Whom the members expelled, and newcomers with a secret that is being replaced. */
  #unwelcome(link: Link, { peer }: RemoteEnd): WeftError | undefined {
    if (this.#options.admits?.(peer, Infinity) === false) {
      link.close(BYE_REVOKED, EXPELLED);
      return EXPELLED;
    }
    if (!link.oldSecret || this.#core.membership.get(peer) !== undefined) return undefined;
    const refused = new WeftError(OLD_SECRET.code, OLD_SECRET.message);
    link.close(BYE_OLD_SECRET, refused);
    return refused;
  }

  #onEstablished(link: Link, remote: RemoteEnd): void {
    const { endpoints } = this.#run;
    if (endpoints.observe(hostOf(remote.observed))) this.#refreshEndpoints();
    this.#table.add(link);
  }

  #onUp(link: Link): void {
    this.#core.linkUp(link.remote.peer, link.remote.record);
    this.#dialer.linkUp(link.remote.peer);
    this.emit('link-up', this.#linkView(link));
  }

  #onDown(peer: PeerId, reason: WeftError, link: Link): void {
    if (needsPerson(reason)) this.#warn(reason, link);
    else this.#counters.add(reason.code);
    this.#core.linkDown(peer, reason.code === SURPLUS.code);
    this.#dialer.linkDown(peer, reason, link.age);
    this.emit('link-down', peer, reason);
  }

  /** Takes in a message, unless it is not sure yet who sent it. */
  #onMessage(link: Link, message: LinkMessage): void {
    if (this.#table.speaksForPeer(link)) this.#core.receive(link.remote.peer, message);
    else this.#counters.add('message-dropped');
  }

  #onMember(record: MemberRecord): void {
    const { peer } = record;
    if (this.#remembered.delete(peer) && !this.#core.wants(peer)) this.#dialer.removeMember(peer);
    if (this.#running !== undefined) this.emit('member', this.#memberView(record));
  }

  /** The router that was there first must hear of it, too. */
  #onCloned(error: WeftError, link: Link): void {
    this.#warn(error, link);
    this.send(link.remote.peer, CLONED_CHANNEL, encodeSighting(link.remoteAddress));
  }

  #onLetter(peer: PeerId, channel: string, bytes: Buffer): void {
    if (channel === CLONED_CHANNEL) this.#warnOfPeer(clonedAt(decodeSighting(bytes)), peer);
    else this.emit('message', peer, channel, bytes);
  }

  /** Once or twice is left over from an earlier run with a faster clock. */
  #onOutdone(from: PeerId): void {
    this.#timesOutdone += 1;
    if (this.#timesOutdone > MAX_TIMES_OUTDONE) this.#warnOfPeer(clonedSomewhere(), from);
  }

  /** Where a member's control port may be reached: at the addresses of its data plane, or where it was in an earlier run. */
  #controlAddresses(peer: PeerId): readonly HostPort[] {
    const record = this.#core.membership.get(peer);
    if (record === undefined) return this.#remembered.get(peer) ?? [];
    const { endpoints, port } = record.content;
    const hosts = new Set(endpoints.map(hostOf));
    return [...hosts].map((host) => ipHostPort(host, port));
  }

  #refreshEndpoints(): void {
    if (this.#running !== undefined)
      this.#core.membership.update({ endpoints: this.#running.endpoints.list() });
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

  #warnOfPeer(error: WeftError, peer: PeerId): void {
    // A room that begins later than the links, or a newer router's: digests make good for it.
    if (error.code === 'unknown-channel') this.#counters.add(error.code);
    else if (this.#counters.tell(error)) this.emit('warning', error, { peer });
  }

  #linkView(link: Link): LinkView {
    return linkView(link, this.#core.membership.get(link.remote.peer));
  }

  #memberView(record: MemberRecord): MemberView {
    const { peer } = record;
    return memberView(record, {
      self: peer === this.#options.identity.peer,
      linked: this.#table.get(peer) !== undefined,
      down: this.#core.membership.isDown(peer),
      neighbours: this.#core.neighboursOf(peer),
    });
  }
}

/** What exists between `start` and `stop`. */
interface Running {
  readonly port: number;
  readonly endpoints: OwnEndpoints;
}

function hostOf(endpoint: string): string {
  try {
    return parseHostPort(endpoint).host;
  } catch {
    return '';
  }
}

function ignore(): void {}
