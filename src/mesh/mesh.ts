import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import sodium from 'sodium-native';
import { formatHostPort, type HostPort, parseHostPort } from '../address.js';
import { SystemClock } from '../clock.js';
import { WeftError } from '../errors.js';
import type { GossipChannel, OpenChannel } from '../gossip/index.js';
import { type NetworkSecret, type PeerId, proofKeyOf } from '../identity/index.js';
import { Core, type Removal } from './core.js';
import { Counters, needsPerson } from './counters.js';
import { DEFAULT_LIMITS, DEFAULT_TIMINGS } from './defaults.js';
import {
  Acceptor,
  Admission,
  BYE_TOO_MANY_LINKS,
  connectTcp,
  Dialer,
  INSTANCE_BYTES,
  type Link,
  type LinkMessage,
  LinkPolicy,
  LinkTable,
  type LinkView,
  linkView,
  OpenLinks,
  otherPeer,
  ownAddresses,
  removal,
  type TargetView,
} from './link/index.js';
import {
  type CipherSpeed,
  CloneWatch,
  type Contact,
  Contacts,
  cleanNickname,
  hostOf,
  type MemberRecord,
  type MemberView,
  memberView,
  OwnEndpoints,
} from './membership/index.js';
import type { MeshEvents, MeshLimits, MeshOptions, MeshTimings } from './types.js';

const SURPLUS = new WeftError(
  'surplus-link',
  'the link was closed: this router has more control links than it needs',
);

/** This router's place among the others: links to them, and who they are. */
export class Mesh extends EventEmitter<MeshEvents> {
  readonly #options: MeshOptions;
  readonly #timings: MeshTimings;
  readonly #limits: MeshLimits;
  readonly #instance = Buffer.alloc(INSTANCE_BYTES);
  readonly #counters = new Counters(() => performance.now());
  readonly #clock = new SystemClock();
  readonly #table: LinkTable;
  readonly #dialer: Dialer;
  readonly #acceptor: Acceptor;
  readonly #core: Core;
  readonly #contacts: Contacts;
  readonly #policy: LinkPolicy;
  readonly #clones: CloneWatch;
  readonly #open: OpenLinks;
  /** Of the live secrets, newest first. */
  #proofKeys: readonly Buffer[];
  #running: Running | undefined;
  #addressTimer: NodeJS.Timeout | undefined;

  constructor(options: MeshOptions) {
    super();
    this.#options = options;
    this.#timings = { ...DEFAULT_TIMINGS, ...options.timings };
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#proofKeys = options.network.secrets.map(proofKeyOf);
    sodium.randombytes_buf(this.#instance);
    this.#core = this.#newCore();
    this.#contacts = new Contacts(this.#core.membership, options.host !== undefined);
    this.#clones = new CloneWatch({
      send: (peer, channel, bytes) => this.send(peer, channel, bytes),
      onClone: (error, origin) => this.#warn(error, origin),
    });
    this.#policy = this.#newPolicy();
    this.#open = this.#newOpenLinks();
    this.#table = new LinkTable(options.identity.publicKey, this.#timings.duplicateProbe, {
      up: (link) => this.#onUp(link),
      down: (peer, reason, link) => this.#onDown(peer, reason, link),
      cloned: (error, { remote, remoteAddress }) =>
        this.#clones.onClonedPeer(error, remote.peer, remoteAddress),
    });
    this.#dialer = this.#newDialer();
    this.#acceptor = new Acceptor(
      new Admission(this.#limits),
      (socket) => this.#open.open(socket).then(ignore, ignore),
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
    const { host, dataPort, endpoints = [], localAddresses, isInside } = this.#options;
    const port = await this.#acceptor.listen(this.#options.port, host);
    const own = new OwnEndpoints({
      configured: endpoints,
      dataPort: dataPort ?? port,
      host,
      localAddresses: localAddresses ?? (async () => []),
      isInside: isInside ?? (() => false),
      onChange: () => this.#tellEndpoints(),
    });
    await own.start();
    this.#running = { port, endpoints: own };
    this.#core.membership.update({ port, endpoints: own.list() });
    this.#dialer.start();
    this.#core.start();
    this.#addressTimer = setInterval(() => void this.#refreshEndpoints(), this.#timings.addressRefresh);
  }

  /**
   * Closes everything. With `leave` (the default), tells the others that this router leaves the network, so that they forget it
   * at once; without, they expect it back.
   */
  async stop({ leave = true }: { leave?: boolean } = {}): Promise<void> {
    this.#dialer.stop();
    if (this.#running === undefined) return;
    clearInterval(this.#addressTimer);
    this.#running.endpoints.stop();
    this.#acceptor.close();
    if (leave) this.#core.membership.update({ left: true });
    this.#core.flush();
    await this.#open.closeAll(new WeftError('not-running', 'the router stopped'));
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
   * Dials these members of an earlier run until their records are known, in place of those that were remembered before.
   * Only between `start` and `stop`. Throws `bad-address`.
   */
  remember(contacts: readonly Contact[]): void {
    const { remembered, dropped } = this.#contacts.remember(contacts);
    for (const peer of dropped) this.#dialer.removeMember(peer);
    // Targets, where there are any, go first: they may be the same peers, and a second link to them would be in vain.
    const eager = this.#dialer.targetNames().length === 0;
    for (const peer of remembered) this.#dialMember(peer, eager);
  }

  /** The members that are linked now, to be remembered. */
  contacts(): readonly Contact[] {
    return this.#table.all().map(({ remote: { peer } }) => ({ peer, addresses: this.addressesOf(peer) }));
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

  /** What is known of one member (or of this router itself). */
  member(peer: PeerId): MemberView | undefined {
    const record = this.#running && this.#core.membership.get(peer);
    return record === undefined ? undefined : this.#memberView(record);
  }

  /**
   * Sends to any member, over the direct link or over other routers; the receiver knows for certain who sent it. False when the peer is not
   * known, this router has no link or a send queue is full; a message that was sent may be lost on the way.
   */
  send(peer: PeerId, channel: string, bytes: Uint8Array): boolean {
    return this.#core.send(peer, channel, bytes);
  }

  /** A path for control messages to this member is known. */
  reachable(peer: PeerId): boolean {
    return this.#core.isReachable(peer);
  }

  /** The peers that a member has links to, as it advertises; none in a large mesh, except for this router itself. */
  neighbours(peer: PeerId): readonly PeerId[] {
    return this.#core.neighboursOf(peer);
  }

  /** Has the mesh carry data of another room to all routers, from now on, started or not. Throws `channel-in-use`. */
  openChannel(channel: GossipChannel): OpenChannel {
    return this.#core.openChannel(channel);
  }

  /** Makes new links with these secrets from now on, newest first. Established links stay. */
  setSecrets(secrets: readonly NetworkSecret[]): void {
    this.#proofKeys = secrets.map(proofKeyOf);
  }

  /**
   * Forgets a peer that `by` removed as dead or expelled; the option `admits` must be false for it from now on. If this router itself was
   * removed in an incarnation, it begins a later one.
   */
  remove(peer: PeerId, by: PeerId, { expelled, incarnation }: Removal): void {
    if (this.#core.remove(peer, { expelled, incarnation })) {
      const { bye, error } = removal(expelled);
      this.#table.get(peer)?.close(bye, error);
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

  /** Where the control port of a member may be reached, `address:port`, best first; not what is an address of this host, too. */
  addressesOf(peer: PeerId): readonly string[] {
    const link = this.#table.get(peer);
    const isOwn = this.#ownAddresses();
    const announced = this.#contacts
      .addressesOf(peer)
      .filter((address) => !isOwn(address))
      .map(formatHostPort);
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
    if (this.#running?.endpoints.observe(host, port)) this.#tellEndpoints();
  }

  /** There is reason to believe that this peer can be reached again: dials it now instead of waiting. */
  retry(peer: PeerId): void {
    this.#dialer.retry(peer);
  }

  /** The number of refusals and failures, by reason. */
  counters(): Readonly<Record<string, number>> {
    return this.#counters.all();
  }

  get #run(): Running {
    if (this.#running === undefined) throw new WeftError('not-running', 'the mesh is not started');
    return this.#running;
  }

  #newCore(): Core {
    const { identity, nickname, port, mtu, features = [], discovery = true, admits } = this.#options;
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
      ...(admits === undefined ? {} : { admits }),
      links: {
        send: (to, message) => this.#table.get(to)?.send(message) ?? false,
        rtt: (peer) => this.#table.get(peer)?.rtt,
        dial: (peer, eager) => this.#dialMember(peer, eager),
        undial: (peer) => this.#dialer.removeMember(peer),
        drop: (peer) => this.#table.get(peer)?.close(BYE_TOO_MANY_LINKS, SURPLUS),
        isTarget: (peer) => this.#dialer.isTarget(peer),
      },
      events: {
        member: (record) => this.#onMember(record),
        message: (peer, channel, bytes) => this.#onUnicast(peer, channel, bytes),
        refused: (error, from) => this.#onRefused(error, from),
        superseded: (from) => this.#clones.onSuperseded(from),
      },
    });
  }

  #newPolicy(): LinkPolicy {
    return new LinkPolicy({
      self: this.#options.identity.peer,
      instance: this.#instance,
      isAdmitted: (peer) => this.#options.admits?.(peer, Infinity) ?? true,
      isMember: (peer) => this.#core.membership.get(peer) !== undefined,
      isLinked: (peer) => this.#table.get(peer) !== undefined,
    });
  }

  #newOpenLinks(): OpenLinks {
    return new OpenLinks({
      context: () => ({
        identity: this.#options.identity,
        proofKeys: this.#proofKeys,
        instance: this.#instance,
        selfRecord: () => this.#core.membership.self,
        timings: this.#timings,
        sendQueue: this.#limits.sendQueue,
      }),
      accept: (link, wanted) => this.#accept(link, wanted),
      onMessage: (link, message) => this.#onMessage(link, message),
      onDrained: (link) => this.#core.drained(link.remote.peer),
      onRefused: (error, link) => this.#warn(error, originOf(link)),
    });
  }

  #newDialer(): Dialer {
    return new Dialer({
      timings: this.#timings,
      random: Math.random,
      dial: (address, signal, wanted) => this.#dial(address, signal, wanted),
      ownAddresses: () => this.#ownAddresses(),
      isLinked: (peer) => this.#table.get(peer) !== undefined,
      onFailure: (error, address, news) => {
        if (news) this.#warn(error, { address });
        else this.#counters.add(error.code);
      },
    });
  }

  /** Connects over TCP and makes a link of the connection, to `wanted` if that is given. */
  async #dial(address: HostPort, signal: AbortSignal, wanted: PeerId | undefined): Promise<PeerId> {
    const socket = await connectTcp(address, this.#timings.handshakeTimeout, signal);
    const { peer } = (await this.#open.open(socket, { signal, wanted })).remote;
    if (wanted !== undefined && peer !== wanted) throw otherPeer(formatHostPort(address), peer);
    return peer;
  }

  #dialMember(peer: PeerId, eager: boolean): void {
    this.#dialer.addMember(peer, eager, () => this.#contacts.addressesOf(peer));
  }

  /** Puts an established link into the table, or closes it and says why. */
  #accept(link: Link, wanted: PeerId | undefined): WeftError | undefined {
    if (this.#running === undefined) {
      const stopped = new WeftError('not-running', 'the router is stopping');
      link.destroy(stopped);
      return stopped;
    }
    const refusal = this.#policy.refusal(link, wanted);
    if (refusal !== undefined) {
      if (refusal.error.code === 'identity-cloned') this.#warn(refusal.error, originOf(link));
      link.close(refusal.bye, refusal.error);
      return refusal.error;
    }
    if (this.#running.endpoints.observe(hostOf(link.remote.observed))) this.#tellEndpoints();
    this.#table.add(link);
    return undefined;
  }

  #onUp(link: Link): void {
    this.#core.linkUp(link.remote.peer, link.remote.record);
    this.#dialer.linkUp(link.remote.peer);
    this.emit('link-up', this.#linkView(link));
  }

  #onDown(peer: PeerId, reason: WeftError, link: Link): void {
    if (needsPerson(reason)) this.#warn(reason, originOf(link));
    else this.#counters.add(reason.code);
    this.#core.linkDown(peer, reason.code === SURPLUS.code);
    this.#dialer.linkDown(peer, reason, link.age);
    this.emit('link-down', peer, reason);
  }

  /** Handles a message, unless it is not certain yet who sent it. */
  #onMessage(link: Link, message: LinkMessage): void {
    if (this.#table.speaksForPeer(link)) this.#core.receive(link.remote.peer, message);
    else this.#counters.add('message-dropped');
  }

  #onMember(record: MemberRecord): void {
    const { peer } = record;
    if (this.#contacts.forget(peer) && !this.#core.isSelected(peer)) this.#dialer.removeMember(peer);
    if (this.#running !== undefined) this.emit('member', this.#memberView(record));
  }

  #onUnicast(peer: PeerId, channel: string, bytes: Buffer): void {
    if (!this.#clones.receive(peer, channel, bytes)) this.emit('message', peer, channel, bytes);
  }

  #onRefused(error: WeftError, peer: PeerId): void {
    // A room that opens its channel later than the links are up, or a newer router's: anti-entropy makes good for it.
    if (error.code === 'unknown-channel') this.#counters.add(error.code);
    else this.#warn(error, { peer });
  }

  /** What is true for the addresses at which this router itself listens now. */
  #ownAddresses(): (address: HostPort) => boolean {
    return ownAddresses(this.#running?.port ?? 0, this.#options.host);
  }

  async #refreshEndpoints(): Promise<void> {
    // What cannot be read now, because no descriptor is left for example, is read the next time.
    const changed = await this.#running?.endpoints.refresh().catch(() => false);
    this.#tellEndpoints();
    if (changed) this.#dialer.localAddressesChanged();
  }

  #tellEndpoints(): void {
    if (this.#running !== undefined)
      this.#core.membership.update({ endpoints: this.#running.endpoints.list() });
  }

  #warn(error: WeftError, origin: MeshEvents['warning'][1]): void {
    if (this.#counters.report(error)) this.emit('warning', error, origin);
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

function originOf(link: Link): MeshEvents['warning'][1] {
  return { address: link.remoteAddress, ...(link.established ? { peer: link.remote.peer } : {}) };
}

function ignore(): void {}
