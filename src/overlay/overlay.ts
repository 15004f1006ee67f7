import { EventEmitter } from 'node:events';
import sodium from 'sodium-native';
import { parseHostPort } from '../address.js';
import { WeftError } from '../errors.js';
import { type NetworkSecret, type PeerId, proofKeyOf } from '../identity/index.js';
import type { CipherSpeed, LinkView, MemberView } from '../mesh/index.js';
import { SerialByKey } from '../order.js';
import { candidatesOf } from './candidates.js';
import { connectionView } from './connection-view.js';
import type { DataPlaneDump, DataPlaneInfo, DataPlanePeerState, PeerSetting } from './data-plane.js';
import { lostWays } from './lost-ways.js';
import { PATH_CHANNEL } from './path-messages.js';
import { Paths } from './paths.js';
import { newPeer, type Peer } from './peer.js';
import { Rendezvous } from './rendezvous.js';
import { type LocalOffer, Session, type SessionAction } from './session.js';
import { SESSION_CHANNEL } from './session-messages.js';
import { Streams } from './streams.js';
import { subscribe } from './subscribe.js';
import { type Hop, Tracer } from './tracer.js';
import type {
  ConnectionView,
  OverlayEvents,
  OverlayOptions,
  OverlayTimings,
  PathView,
  Way,
} from './types.js';

const DEFAULT_TIMINGS: OverlayTimings = {
  rekeyInterval: 120_000,
  keyGrace: 15_000,
  retryInitial: 1_000,
  retryMax: 30_000,
  deadPeer: 60_000,
  keepalive: 1_000,
};

/** In networks of so many members everybody has a session with everybody; in larger ones, with those that it has links to. */
const FULL_SESSIONS = 64;
/** So many addresses are looked for in the routes to say why peers are not reached. */
const MAX_ASKED = 256;
/** News of members is collected for so long, in milliseconds, before it is seen who can be reached now. */
const REACH_DELAY = 50;

type InstallAction = Extract<SessionAction, { do: 'install' }>;

/**
 * Drives the data plane: which peers it has, where they may be reached, and with which keys.
 *
 * It follows three sources: the mesh (links and member records), key agreements with each linked peer, and the data plane's own
 * events. The data plane's `ready` brings everything to the desired state; what fails in between is tried again then.
 */
export class Overlay extends EventEmitter<OverlayEvents> {
  readonly #options: OverlayOptions;
  readonly #timings: OverlayTimings;
  /** Of the live secrets, newest first. */
  #proofKeys: readonly Buffer[];
  readonly #peers = new Map<PeerId, Peer>();
  readonly #paths: Paths;
  readonly #streams: Streams;
  readonly #tracer: Tracer;
  readonly #rendezvous: Rendezvous;
  readonly #counters: Record<string, number> = {};
  #networks: readonly number[] = [0];
  #ciphers: readonly CipherSpeed[] = [];
  /** The data plane is connected and its state is known. */
  #ready = false;
  /** Which `ready` we live in: answers to questions of an earlier one are void. */
  #generation = 0;
  /** Initiations so far, of all sessions. */
  #initiations = 0;
  /** What the data plane is told about one peer goes out one after the other, also when it is forgotten and comes back meanwhile. */
  readonly #works = new SerialByKey();
  #reachTimer: NodeJS.Timeout | undefined;
  #subscriptions: (() => void)[] = [];

  constructor(options: OverlayOptions) {
    super();
    this.#options = options;
    this.#timings = { ...DEFAULT_TIMINGS, ...options.timings };
    this.#proofKeys = options.network.secrets.map(proofKeyOf);
    this.#streams = new Streams({
      ...options,
      self: options.identity.peer,
      onFailure: (error, peer) => this.#warn(error, peer),
    });
    this.#paths = new Paths({ ...options, hasStream: (peer) => this.#streams.has(peer) });
    this.#paths.on('via', this.#onVia);
    this.#tracer = new Tracer({ ...options, via: (peer) => this.#paths.via(peer) });
    this.#rendezvous = new Rendezvous({
      self: options.identity.peer,
      mesh: options.mesh,
      paths: this.#paths,
      streams: this.#streams,
      tracer: this.#tracer,
      isReady: () => this.#ready,
      isReachable: (peer) => this.#peers.get(peer)?.reachable ?? false,
      punch: (peer, endpoints) => this.#punch(peer, endpoints),
    });
    this.#paths.on('looked', (states) => this.#rendezvous.consider(states));
  }

  /** Begins to drive the data plane: now if it is connected, else at its `ready`. */
  async start(): Promise<void> {
    const { mesh, dataPlane } = this.#options;
    this.#subscriptions = [
      subscribe(mesh, {
        'link-up': this.#onLinkUp,
        'link-down': this.#onLinkDown,
        member: this.#onMember,
        forgotten: this.#onForgotten,
        message: this.#onMessage,
      }),
      subscribe(dataPlane, {
        ready: this.#onReady,
        lost: this.#onLost,
        'peer-up': this.#onPeerUp,
        'peer-down': this.#onPeerDown,
        'key-confirmed': this.#onKeyConfirmed,
        'key-expiring': this.#onKeyExpiring,
        observed: this.#onObserved,
        direct: this.#onPathNews,
        transport: this.#onPathNews,
        'stream-lost': this.#onStreamLost,
      }),
    ];
    this.#paths.start();
    this.#reach();
    if (dataPlane.connected) await this.#onReady();
  }

  /** Stops driving; what the data plane has stays as it is, so that traffic goes on. */
  stop(): void {
    for (const unsubscribe of this.#subscriptions.splice(0)) unsubscribe();
    clearTimeout(this.#reachTimer);
    this.#paths.stop();
    this.#onLost();
    this.#peers.clear();
  }

  /** From now on keys are agreed with these secrets, newest first. */
  setSecrets(secrets: readonly NetworkSecret[]): void {
    this.#proofKeys = secrets.map(proofKeyOf);
  }

  /** The numbers of the segments that this host has; peers learn them with a new key agreement. */
  setNetworks(networks: readonly number[]): void {
    if (this.#networks.join() === networks.join()) return;
    this.#networks = [...networks];
    for (const peer of this.#peers.values()) this.#renew(peer);
  }

  /** One line for each peer, with what the data plane says about it now. */
  async connections(): Promise<readonly ConnectionView[]> {
    const states = await this.#dataPlaneStates();
    const ways = await this.#waysToLost(states);
    return [...this.#peers.values()].map((peer) => this.#connectionView(peer, states, ways));
  }

  /** For each peer: what was tried to reach it, and what there is besides. */
  async paths(): Promise<readonly PathView[]> {
    const states = await this.#dataPlaneStates();
    const ways = await this.#waysToLost(states);
    return [...this.#peers.values()].map((peer) => ({
      ...this.#connectionView(peer, states, ways),
      candidates: states?.get(peer.id)?.candidates ?? [],
      relays: this.#paths.relays(peer.id),
      nats: this.#nats(peer.id),
    }));
  }

  /** One probe to a peer and back, in microseconds; null when it was not answered within a second. */
  ping(peer: PeerId): Promise<number | null> {
    return this.#tracer.ping(peer);
  }

  /** The routers on the way to a peer, the peer itself last. */
  trace(peer: PeerId): Promise<readonly Hop[]> {
    return this.#tracer.trace(peer);
  }

  /** Everything that went wrong, by reason. */
  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters };
  }

  readonly #onLinkUp = ({ peer: id }: LinkView): void => {
    this.#reached(this.#peer(id));
    this.#reach();
  };

  readonly #onLinkDown = (): void => this.#reach();

  readonly #onMember = ({ peer: id, left, self }: MemberView): void => {
    const peer = self ? undefined : this.#peers.get(id);
    if (left && !self) this.#paths.drop(id);
    if (peer !== undefined && left) this.#remove(peer);
    else if (peer !== undefined) {
      this.#ensureSession(peer);
      if (this.#ready) this.#tellPeer(peer);
    }
    // Members tell of their links, too, over which messages are routed: all of them when one joins.
    this.#reachTimer ??= setTimeout(() => this.#reach(), REACH_DELAY);
  };

  /** Sees who can be reached by control messages now. */
  #reach(): void {
    clearTimeout(this.#reachTimer);
    this.#reachTimer = undefined;
    const { mesh } = this.#options;
    const members = mesh.members().filter(({ self, left }) => !self && !left);
    const wanted = members.length < FULL_SESSIONS ? members : members.filter(({ linked }) => linked);
    for (const { peer: id } of wanted) {
      if (mesh.reachable(id) && !this.#peers.get(id)?.reachable) this.#reached(this.#peer(id));
    }
    for (const peer of this.#peers.values()) {
      if (peer.reachable && !mesh.reachable(peer.id)) this.#unreached(peer);
    }
  }

  #reached(peer: Peer): void {
    peer.reachable = true;
    peer.deadSince = undefined;
    this.#ensureSession(peer);
    if (!this.#ready) return;
    this.#tellPeer(peer);
    this.#execute(peer, peer.session?.linkUp(performance.now()) ?? []);
  }

  #unreached(peer: Peer): void {
    peer.reachable = false;
    peer.session?.linkDown();
    if (!peer.udpUp) peer.deadSince ??= performance.now();
    this.#schedule(peer);
  }

  readonly #onForgotten = (id: PeerId): void => {
    this.#paths.drop(id);
    const peer = this.#peers.get(id);
    if (peer !== undefined) this.#remove(peer);
  };

  readonly #onMessage = (id: PeerId, channel: string, bytes: Buffer): void => {
    const peer = this.#peers.get(id);
    if (channel === PATH_CHANNEL && peer !== undefined) this.#onPathMessage(id, bytes);
    if (channel !== SESSION_CHANNEL) return;
    // Before we know the data plane no key could be installed; the peer repeats what it said.
    if (peer?.session === undefined || !this.#ready) return;
    this.#execute(peer, peer.session.receive(bytes, performance.now()));
  };

  readonly #onReady = async (): Promise<void> => {
    const generation = ++this.#generation;
    const { dataPlane } = this.#options;
    try {
      const [info, dump] = [await dataPlane.hello(), await dataPlane.dump()];
      if (generation === this.#generation) this.#bringUp(info, dump);
    } catch (error) {
      if (generation === this.#generation) this.#warn(asError(error));
    }
  };

  #onPathMessage(peer: PeerId, bytes: Buffer): void {
    try {
      this.#rendezvous.receive(peer, bytes);
    } catch (error) {
      this.#warn(asError(error), peer);
    }
  }

  #punch(id: PeerId, endpoints?: readonly string[]): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    if (endpoints !== undefined) peer.endpoints = endpoints;
    if (!this.#ready) return;
    this.#tellPeer(peer);
    this.#work(peer, () => this.#options.dataPlane.punch(id));
  }

  readonly #onStreamLost = ({ peer }: { peer: PeerId }): void => {
    this.#streams.found(peer, false);
    this.#paths.look();
  };

  /** Without a data plane nothing is to be done, and no time passes. */
  readonly #onLost = (): void => {
    this.#generation += 1;
    this.#ready = false;
    this.#rendezvous.pause();
    for (const peer of this.#peers.values()) clearTimeout(peer.timer);
  };

  readonly #onPeerUp = ({ peer: id }: { peer: PeerId }): void => {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    peer.udpUp = true;
    peer.wasUp = true;
    peer.deadSince = undefined;
    this.#schedule(peer);
    if (this.#link(id) === undefined) this.#options.mesh.retry(id);
    this.#paths.look();
    this.emit('peer-up', id);
  };

  readonly #onPeerDown = ({ peer: id }: { peer: PeerId }): void => {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    peer.udpUp = false;
    if (!peer.reachable) peer.deadSince ??= performance.now();
    this.#schedule(peer);
    this.#paths.look();
    this.emit('peer-down', id);
  };

  readonly #onKeyConfirmed = ({ peer: id, localIndex }: { peer: PeerId; localIndex: number }): void => {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    peer.session?.confirm(localIndex, performance.now());
    this.#schedule(peer);
  };

  readonly #onKeyExpiring = ({ peer: id }: { peer: PeerId }): void => {
    const peer = this.#peers.get(id);
    if (peer !== undefined) this.#renew(peer);
  };

  readonly #onObserved = ({ peer, address }: { peer: PeerId; address: string }): void => {
    if (!this.#paths.observed(peer, address)) return;
    // Where a NAT makes up a port for each peer, none of them is of use to others.
    if (this.#paths.nat() !== 'changing') this.#options.mesh.addObservedEndpoint(address);
  };

  readonly #onPathNews = (): void => this.#paths.look();

  readonly #onVia = (id: PeerId): void => {
    const peer = this.#peers.get(id);
    if (peer !== undefined && this.#ready) this.#tellPeer(peer);
  };

  /** Compares what the data plane has with what it should have: it may be ours, of an earlier process of ours, or empty. */
  #bringUp(info: DataPlaneInfo, dump: DataPlaneDump): void {
    const now = performance.now();
    this.#ciphers = info.ciphers.map(({ name, hardware, nanosecondsPer1400 }) => ({
      name,
      hardware,
      nanosecondsPer1400: Math.round(nanosecondsPer1400),
    }));
    this.#options.mesh.announceCiphers(this.#ciphers);
    const states = new Map(dump.peers.map((state) => [state.peer, state]));
    for (const { peer, via } of dump.peers) {
      this.#peer(peer);
      this.#paths.adopt(peer, via);
    }
    this.#ready = true;
    for (const peer of [...this.#peers.values()]) {
      const state = states.get(peer.id);
      peer.told = undefined;
      peer.udpUp = state?.up ?? false;
      peer.wasUp ||= peer.udpUp;
      if (peer.networks.length === 0) peer.networks = state?.networks ?? [];
      peer.found = { keys: state?.keys ?? [], at: now };
      this.#ensureSession(peer);
      this.#adopt(peer);
      this.#resume(peer, now);
    }
    this.#paths.look();
  }

  #resume(peer: Peer, now: number): void {
    const { mesh } = this.#options;
    if (this.#member(peer.id)?.left || !mesh.admits(peer.id)) {
      this.#remove(peer);
      return;
    }
    if (!peer.reachable && !peer.udpUp) peer.deadSince ??= now;
    this.#tellPeer(peer);
    const actions = peer.reachable ? peer.session?.linkUp(now) : undefined;
    this.#execute(peer, actions ?? []);
    // What the initiator said before we were ready was not heard.
    if (peer.reachable && peer.session?.role === 'responder' && peer.session.current === undefined)
      this.#renew(peer);
  }

  #connectionView(
    peer: Peer,
    states: Map<PeerId, DataPlanePeerState> | undefined,
    ways: ReadonlyMap<string, Way>,
  ): ConnectionView {
    const { id, wasUp, reachable } = peer;
    const nameOf = (named: PeerId) => this.#member(named)?.nickname ?? named;
    return connectionView({
      id,
      wasUp,
      reachable,
      nickname: nameOf(id),
      linked: this.#link(id) !== undefined,
      dataPlane: states !== undefined,
      state: states?.get(id),
      nats: this.#nats(id),
      tcp: this.#streams.failure(id),
      lostWays: lostWays(this.#hostsOf(peer), ways),
      nameOf,
    });
  }

  /** Where the routes of this host lead for peers that are not reached directly. */
  async #waysToLost(states: Map<PeerId, DataPlanePeerState> | undefined): Promise<ReadonlyMap<string, Way>> {
    const lost = [...this.#peers.values()].filter(({ id }) => {
      const state = states?.get(id);
      return !state?.up || state.via !== null || state.transport === 'tcp';
    });
    const addresses = [...new Set(lost.flatMap((peer) => this.#hostsOf(peer)))].slice(0, MAX_ASKED);
    if (addresses.length === 0) return new Map();
    return (await this.#options.waysTo?.(addresses).catch(() => undefined)) ?? new Map();
  }

  /** IP addresses at which the data plane seeks the peer. */
  #hostsOf(peer: Peer): string[] {
    const endpoints = this.#settingOf(peer)?.endpoints ?? [];
    return [...new Set(endpoints.map((endpoint) => parseHostPort(endpoint).host))];
  }

  #nats(peer: PeerId): PathView['nats'] {
    return { ours: this.#paths.nat(), theirs: this.#paths.nat(peer) };
  }

  /** Undefined when the data plane is not there to be asked. */
  async #dataPlaneStates(): Promise<Map<PeerId, DataPlanePeerState> | undefined> {
    if (!this.#ready) return undefined;
    const dump = await this.#options.dataPlane.dump().catch(() => undefined);
    return dump && new Map(dump.peers.map((state) => [state.peer, state]));
  }

  #peer(id: PeerId): Peer {
    const known = this.#peers.get(id);
    if (known !== undefined) return known;
    const peer = newPeer(id);
    this.#peers.set(id, peer);
    return peer;
  }

  /** A session needs the public key, which is in the member record. */
  #ensureSession(peer: Peer): void {
    const member = this.#member(peer.id);
    if (peer.session !== undefined || member === undefined) return;
    peer.session = new Session({
      identity: this.#options.identity,
      remote: member.publicKey,
      proofKeys: () => this.#proofKeys,
      timings: this.#timings,
      offer: () => this.#offer(),
      nextSequence: () => this.#initiations++,
      random: randomBytes,
    });
    this.#adopt(peer);
  }

  /** The session takes over what was found in the data plane. */
  #adopt(peer: Peer): void {
    if (peer.session === undefined || peer.found === undefined) return;
    const { keys, at } = peer.found;
    if (keys.length === 0) peer.session.reset();
    else peer.session.adopt(keys, peer.udpUp, at);
    peer.found = undefined;
  }

  #offer(): LocalOffer {
    const self = this.#member(this.#options.identity.peer);
    return {
      incarnation: self?.incarnation ?? 0,
      ciphers: this.#ciphers,
      pinned: this.#options.cipher,
      networks: this.#networks,
      endpoints: self?.endpoints ?? [],
      trusted: this.#options.trustedSubnets ?? [],
    };
  }

  #renew(peer: Peer): void {
    if (this.#ready) this.#execute(peer, peer.session?.renew(performance.now()) ?? []);
  }

  #execute(peer: Peer, actions: readonly SessionAction[]): void {
    for (const action of actions) {
      switch (action.do) {
        case 'send':
          this.#send(peer, action.bytes);
          break;
        case 'install':
          this.#install(peer, action);
          break;
        case 'remove':
          this.#work(peer, () => this.#options.dataPlane.removeKey(action.localIndex));
          break;
        case 'warn':
          this.#warn(action.error, peer.id);
          break;
      }
    }
    this.#schedule(peer);
  }

  /** A message that is lost here is repeated by the session. */
  #send(peer: Peer, bytes: Buffer): void {
    if (!this.#options.mesh.send(peer.id, SESSION_CHANNEL, bytes)) this.#count('session-not-sent');
  }

  #install(peer: Peer, { key, offer, answer }: InstallAction): void {
    peer.networks = offer.networks;
    peer.endpoints = offer.endpoints;
    this.#tellPeer(peer);
    this.#work(peer, async () => {
      try {
        await this.#options.dataPlane.setKey(key);
      } catch (error) {
        peer.session?.installFailed(key.localIndex, performance.now());
        if (error instanceof WeftError && error.code === 'index-in-use') this.#renew(peer);
        else this.#schedule(peer);
        throw error;
      }
      // It may never answer directly, and need a relay.
      if (!peer.wasUp) this.#paths.look();
      if (answer !== undefined) this.#send(peer, answer);
      this.emit('session', peer.id, { cipher: key.cipher, role: key.role });
    });
  }

  /** Tells the data plane about the peer, if that is news. One of which we know no address is left as it was found. */
  #tellPeer(peer: Peer): void {
    const setting = this.#settingOf(peer);
    const told = JSON.stringify(setting);
    if (setting === undefined || told === peer.told) return;
    peer.told = told;
    this.#work(peer, () => this.#options.dataPlane.setPeer(setting));
  }

  #settingOf(peer: Peer): PeerSetting | undefined {
    const member = this.#member(peer.id);
    if (member === undefined) return undefined;
    const endpoints = candidatesOf({
      linkAddress: this.#link(peer.id)?.remoteAddress,
      port: member.port,
      recordEndpoints: member.endpoints,
      sessionEndpoints: peer.endpoints,
    });
    return {
      peer: peer.id,
      endpoints,
      networks: peer.networks,
      mtu: member.mtu,
      via: this.#paths.via(peer.id),
      keepalive: this.#timings.keepalive,
    };
  }

  #remove(peer: Peer): void {
    clearTimeout(peer.timer);
    this.#peers.delete(peer.id);
    this.#paths.forget(peer.id);
    this.#rendezvous.forget(peer.id);
    if (this.#ready) this.#work(peer, () => this.#options.dataPlane.removePeer(peer.id));
    if (peer.udpUp) this.emit('peer-down', peer.id);
  }

  /** Queues what is to be told to the data plane about a peer. A failure means that it is gone or refused: it is counted. */
  #work(peer: Peer, task: () => Promise<void>): void {
    const generation = this.#generation;
    void this.#works.run(peer.id, async () => {
      if (generation !== this.#generation) return;
      try {
        await task();
      } catch (error) {
        if (generation === this.#generation) this.#warn(asError(error), peer.id);
      }
    });
  }

  #schedule(peer: Peer): void {
    clearTimeout(peer.timer);
    if (!this.#ready || !this.#peers.has(peer.id)) return;
    const dead = peer.deadSince === undefined ? Infinity : peer.deadSince + this.#timings.deadPeer;
    const due = Math.min(dead, peer.session?.deadline ?? Infinity);
    if (due === Infinity) return;
    peer.timer = setTimeout(() => this.#onTimer(peer), Math.max(0, due - performance.now()));
  }

  #onTimer(peer: Peer): void {
    const now = performance.now();
    if (peer.deadSince !== undefined && now >= peer.deadSince + this.#timings.deadPeer) this.#remove(peer);
    else this.#execute(peer, peer.session?.tick(now) ?? []);
  }

  #member(id: PeerId): MemberView | undefined {
    return this.#options.mesh.member(id);
  }

  #link(id: PeerId): LinkView | undefined {
    return this.#options.mesh.link(id);
  }

  #warn(error: WeftError, peer?: PeerId): void {
    this.#count(error.code);
    this.emit('warning', error, peer === undefined ? {} : { peer });
  }

  #count(code: string): void {
    this.#counters[code] = (this.#counters[code] ?? 0) + 1;
  }
}

function randomBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  sodium.randombytes_buf(bytes);
  return bytes;
}

function asError(error: unknown): WeftError {
  if (error instanceof WeftError) return error;
  return new WeftError('data-plane-failed', `the data plane failed: ${String(error)}`, { cause: error });
}
