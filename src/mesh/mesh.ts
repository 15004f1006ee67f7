import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import sodium from 'sodium-native';
import { SystemClock } from '../clock.js';
import { WeftError } from '../errors.js';
import type { GossipChannel, OpenChannel } from '../gossip/index.js';
import { liveSecrets, type NetworkSecret, type PeerId } from '../identity/index.js';
import { formatHostPort, parseHostPort } from '../net/index.js';
import { Core, type Removal } from './core.js';
import { Counters, needsPerson } from './counters.js';
import { DEFAULT_LIMITS, DEFAULT_TIMINGS } from './defaults.js';
import {
  BYE_TOO_MANY_LINKS,
  INSTANCE_BYTES,
  type Link,
  type LinkOrigin,
  Links,
  type LinkView,
  linkView,
  originOf,
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

const STARTED_OVER = new WeftError(
  'old-secret',
  'the link was closed: trust was reset here, with a new secret',
);

/** This router's place among the others: links to them, and who they are. */
export class Mesh extends EventEmitter<MeshEvents> {
  readonly #options: MeshOptions;
  readonly #timings: MeshTimings;
  readonly #limits: MeshLimits;
  readonly #instance = Buffer.alloc(INSTANCE_BYTES);
  readonly #counters = new Counters(() => performance.now());
  readonly #clock = new SystemClock();
  readonly #links: Links;
  readonly #core: Core;
  readonly #contacts: Contacts;
  readonly #clones: CloneWatch;
  #running: Running | undefined;

  constructor(options: MeshOptions) {
    super();
    this.#options = options;
    this.#timings = { ...DEFAULT_TIMINGS, ...options.timings };
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    sodium.randombytes_buf(this.#instance);
    this.#core = this.#newCore();
    this.#contacts = new Contacts(this.#core.membership, options.host !== undefined);
    this.#clones = new CloneWatch({
      send: (peer, channel, bytes) => this.send(peer, channel, bytes),
      onClone: (error, origin) => this.#warn(error, origin),
    });
    this.#links = this.#newLinks();
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
    const port = await this.#links.listen(this.#options.port);
    const own = new OwnEndpoints({
      configured: endpoints,
      dataPort: dataPort ?? port,
      host,
      localAddresses: localAddresses ?? (async () => []),
      isInside: isInside ?? (() => false),
      refreshInterval: this.#timings.addressRefresh,
      onChange: () => this.#tellEndpoints(),
      onLocalChange: () => this.#links.dialer.localAddressesChanged(),
    });
    await own.start();
    this.#running = { port, endpoints: own };
    this.#core.membership.update({ port, endpoints: own.list() });
    this.#links.dialer.start();
    this.#core.start();
  }

  /**
   * Closes everything. With `leave` (the default), tells the others that this router leaves the network, so that they forget it
   * at once; without, they expect it back.
   */
  async stop({ leave = true }: { leave?: boolean } = {}): Promise<void> {
    this.#links.dialer.stop();
    if (this.#running === undefined) return;
    this.#running.endpoints.stop();
    this.#links.stopListening();
    if (leave) this.#core.membership.update({ left: true });
    this.#core.flush();
    await this.#links.closeAll(new WeftError('not-running', 'the router stopped'));
    this.#clock.stop();
    this.#running = undefined;
  }

  /** Adds targets (`host[:port]`) and keeps a link to each, once started; with `replace`, forgets all others. Throws `bad-address`. */
  connect(targets: readonly string[], { replace = false }: { replace?: boolean } = {}): void {
    this.#links.dialer.addTargets(targets);
    if (replace) this.#links.dialer.retainTargets(targets);
    this.emit('targets', this.#links.dialer.targetNames());
  }

  /** Removes targets and returns those that were not known. Links stay. Throws `bad-address`. */
  forget(targets: readonly string[]): readonly string[] {
    const unknown = this.#links.dialer.removeTargets(targets);
    this.emit('targets', this.#links.dialer.targetNames());
    return unknown;
  }

  /** Makes these the targets that sources of targets know, beside the configured ones. Links stay. Throws `bad-address`. */
  discover(targets: readonly string[]): void {
    this.#links.dialer.discoverTargets(targets);
  }

  /**
   * Dials these members of an earlier run until their records are known, in place of those that were remembered before.
   * Only between `start` and `stop`. Throws `bad-address`.
   */
  remember(contacts: readonly Contact[]): void {
    const { remembered, dropped } = this.#contacts.remember(contacts);
    for (const peer of dropped) this.#links.dialer.removeMember(peer);
    // Targets, where there are any, go first: they may be the same peers, and a second link to them would be in vain.
    const eager = this.#links.dialer.targetNames().length === 0;
    for (const peer of remembered) this.#dialMember(peer, eager);
  }

  /** The members that are linked now, to be remembered. */
  contacts(): readonly Contact[] {
    return this.#links.all().map(({ remote: { peer } }) => ({ peer, addresses: this.addressesOf(peer) }));
  }

  targets(): readonly TargetView[] {
    return this.#links.dialer.targets();
  }

  links(): readonly LinkView[] {
    return this.#links.all().map((link) => this.#linkView(link));
  }

  /** The link to this peer, if there is one. */
  link(peer: PeerId): LinkView | undefined {
    const link = this.#links.get(peer);
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
    this.#links.setSecrets(secrets);
  }

  /** Forgets all other members and closes their links: whoever knows one of these secrets may come again. */
  startOver(secrets: readonly NetworkSecret[]): void {
    const others = this.members().filter(({ self }) => !self);
    for (const { peer } of others) this.#core.remove(peer, { expelled: true, incarnation: Infinity });
    this.#links.startOver(secrets, STARTED_OVER);
    for (const { peer } of others) this.emit('forgotten', peer);
  }

  /**
   * Forgets a peer that `by` removed as dead or expelled; the option `admits` must be false for it from now on. If this router itself was
   * removed in an incarnation, it begins a later one.
   */
  remove(peer: PeerId, by: PeerId, { expelled, incarnation }: Removal): void {
    if (this.#core.remove(peer, { expelled, incarnation })) {
      const { bye, error } = removal(expelled);
      this.#links.get(peer)?.close(bye, error);
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
    return this.#links.expect(opening, timeout);
  }

  /** Where the control port of a member may be reached, `address:port`, best first; not what is an address of this host, too. */
  addressesOf(peer: PeerId): readonly string[] {
    const link = this.#links.get(peer);
    const isOwn = this.#links.ownAddresses();
    const announced = this.#contacts
      .addressesOf(peer)
      .filter((address) => !isOwn(address))
      .map(formatHostPort);
    return [...new Set(link?.outbound ? [link.remoteAddress, ...announced] : announced)];
  }

  /** Puts the data plane's ciphers into our record. */
  announceCiphers(ciphers: readonly CipherSpeed[]): void {
    this.#core.membership.update({ ciphers });
  }

  /** An address of ours, `address:port`, as somebody sees our data plane: others may try it. Throws `bad-address`. */
  addObservedEndpoint(endpoint: string): void {
    const { host, port } = parseHostPort(endpoint);
    this.#onObserved(host, port);
  }

  /** There is reason to believe that this peer can be reached again: dials it now instead of waiting. */
  retry(peer: PeerId): void {
    this.#links.dialer.retry(peer);
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
    const { identity, nickname, version, port, mtu, features = [], discovery = true, admits } = this.#options;
    return new Core({
      identity,
      clock: this.#clock,
      random: Math.random,
      startedAt: Date.now(),
      self: {
        nickname: cleanNickname(nickname),
        version,
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
        send: (to, message) => this.#links.get(to)?.send(message) ?? false,
        rtt: (peer) => this.#links.get(peer)?.rtt,
        dial: (peer, eager) => this.#dialMember(peer, eager),
        undial: (peer) => this.#links.dialer.removeMember(peer),
        drop: (peer) => this.#links.get(peer)?.close(BYE_TOO_MANY_LINKS, SURPLUS),
        isTarget: (peer) => this.#links.dialer.isTarget(peer),
      },
      events: {
        member: (record) => this.#onMember(record),
        message: (peer, channel, bytes) => this.#onUnicast(peer, channel, bytes),
        refused: (error, from) => this.#onRefused(error, from),
        superseded: (from) => this.#clones.onSuperseded(from),
      },
    });
  }

  #newLinks(): Links {
    const { identity, network, host, admits } = this.#options;
    return new Links({
      identity,
      secrets: liveSecrets(network),
      instance: this.#instance,
      host,
      port: () => this.#running?.port,
      timings: this.#timings,
      limits: this.#limits,
      selfRecord: () => this.#core.membership.self,
      isAdmitted: (peer) => admits?.(peer, Infinity) ?? true,
      isMember: (peer) => this.#core.membership.get(peer) !== undefined,
      isReachable: (peer) => this.reachable(peer),
      knownHosts: () => this.#contacts.hosts(),
      events: {
        up: (link) => this.#onUp(link),
        down: (peer, reason, link) => this.#onDown(peer, reason, link),
        cloned: (error, { remote, remoteAddress }) =>
          this.#clones.onClonedPeer(error, remote.peer, remoteAddress),
        message: (link, message) => this.#core.receive(link.remote.peer, message),
        drained: (link) => this.#core.drained(link.remote.peer),
        observed: (address) => this.#onObserved(hostOf(address)),
        warning: (error, origin) => this.#warn(error, origin),
        failed: (code) => this.#counters.add(code),
      },
    });
  }

  #dialMember(peer: PeerId, eager: boolean): void {
    this.#links.dialer.addMember(peer, eager, () => this.#contacts.addressesOf(peer));
  }

  #onUp(link: Link): void {
    this.#core.linkUp(link.remote.peer, link.remote.record);
    this.#links.dialer.linkUp(link.remote.peer);
    this.emit('link-up', this.#linkView(link));
  }

  #onDown(peer: PeerId, reason: WeftError, link: Link): void {
    if (needsPerson(reason)) this.#warn(reason, originOf(link));
    else this.#counters.add(reason.code);
    this.#core.linkDown(peer, reason.code === SURPLUS.code);
    this.#links.dialer.linkDown(peer, reason, link.age);
    this.emit('link-down', peer, reason);
  }

  /** Somebody sees us at this address, or (without a port) at our port of this address. */
  #onObserved(address: string, port?: number): void {
    if (this.#running?.endpoints.observe(address, port)) this.#tellEndpoints();
  }

  #onMember(record: MemberRecord): void {
    const { peer } = record;
    if (this.#contacts.forget(peer) && !this.#core.isSelected(peer)) this.#links.dialer.removeMember(peer);
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

  #tellEndpoints(): void {
    if (this.#running !== undefined)
      this.#core.membership.update({ endpoints: this.#running.endpoints.list() });
  }

  #warn(error: WeftError, origin: LinkOrigin): void {
    if (this.#counters.report(error)) this.emit('warning', error, origin);
  }

  #linkView(link: Link): LinkView {
    return linkView(link, this.#core.membership.get(link.remote.peer));
  }

  #memberView(record: MemberRecord): MemberView {
    const { peer } = record;
    return memberView(record, {
      self: peer === this.#options.identity.peer,
      linked: this.#links.get(peer) !== undefined,
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
