import { EventEmitter } from 'node:events';
import sodium from 'sodium-native';
import { type Clock, SystemClock } from '../clock.js';
import type { WeftError } from '../errors.js';
import {
  liveSecrets,
  type NetworkSecret,
  type PeerId,
  type PublicKey,
  proofKeyOf,
} from '../identity/index.js';
import type { CipherSpeed, LinkView, MemberView } from '../mesh/index.js';
import { connectionView } from './connection-view.js';
import {
  type Hop,
  type LinkStates,
  lostWays,
  PATH_CHANNEL,
  PathChannel,
  Paths,
  Rendezvous,
  Streams,
  Tracer,
  type Way,
} from './path/index.js';
import { Peer, type PeerContext } from './peer.js';
import type { DataPlaneDump, DataPlaneInfo, DataPlanePeerState } from './port/index.js';
import { reachable } from './reach.js';
import { Reconciler } from './reconciler.js';
import { type LocalOffer, SESSION_CHANNEL, Session } from './session/index.js';
import { subscribe } from './subscribe.js';
import type { ConnectionView, OverlayEvents, OverlayOptions, OverlayTimings, PathView } from './types.js';

const DEFAULT_TIMINGS: OverlayTimings = {
  rekeyInterval: 120_000,
  keyGrace: 15_000,
  retryInitial: 1_000,
  retryMax: 30_000,
  deadPeer: 60_000,
  keepalive: 1_000,
};

/** Maximum number of addresses that are looked up in the routes to say why peers are not reached. */
const MAX_ASKED = 256;
/** Delay between a change of a member record and a look at who is reachable now, in milliseconds: changes come in bursts. */
const REACH_DELAY = 50;

/**
 * Drives the data plane: which peers it has, where they may be reached, and with which keys.
 *
 * It follows three sources: the mesh (links and member records), key agreements with each linked peer, and the data plane's own
 * events. The data plane's `ready` brings everything to the desired state; what fails in between is tried again then.
 */
export class Overlay extends EventEmitter<OverlayEvents> {
  readonly #options: OverlayOptions;
  readonly #clock: Clock;
  readonly #timings: OverlayTimings;
  /** Of the live secrets, newest first. */
  #proofKeys: readonly Buffer[];
  readonly #peers = new Map<PeerId, Peer>();
  readonly #reconciler: Reconciler;
  readonly #context: PeerContext;
  readonly #paths: Paths;
  readonly #streams: Streams;
  readonly #tracer: Tracer;
  readonly #rendezvous: Rendezvous;
  readonly #pathChannel: PathChannel;
  readonly #counters: Record<string, number> = {};
  #networks: readonly number[] = [0];
  #ciphers: readonly CipherSpeed[] = [];
  /** Initiations so far, of all sessions. */
  #initiations = 0;
  #cancelReach: (() => void) | undefined;
  #subscriptions: (() => void)[] = [];

  constructor(options: OverlayOptions) {
    super();
    const { identity, mesh, dataPlane, clock = new SystemClock() } = options;
    this.#options = options;
    this.#clock = clock;
    this.#timings = { ...DEFAULT_TIMINGS, ...options.timings };
    this.#proofKeys = liveSecrets(options.network).map(proofKeyOf);
    const onFailure = (error: WeftError, peer?: PeerId) => this.#warn(error, peer);
    this.#reconciler = new Reconciler({
      dataPlane,
      reconcile: (info, dump) => this.#reconcile(info, dump),
      onFailure,
    });
    this.#streams = new Streams({ mesh, dataPlane, clock, self: identity.peer, onFailure });
    this.#paths = new Paths({
      identity,
      mesh,
      dataPlane,
      clock,
      hasStream: (peer) => this.#streams.has(peer),
    });
    this.#paths.on('next-hop', (peer) => {
      this.#peers.get(peer)?.refresh();
      this.emit('next-hop', peer);
    });
    this.#tracer = new Tracer({ mesh, dataPlane, clock, nextHop: (peer) => this.#paths.nextHop(peer) });
    this.#rendezvous = new Rendezvous({
      self: identity.peer,
      mesh,
      clock,
      paths: this.#paths,
      streams: this.#streams,
      isReady: () => this.#reconciler.ready,
      isReachable: (peer) => this.#peers.get(peer)?.reachable ?? false,
      punch: (peer, endpoints) => this.#peers.get(peer)?.punch(endpoints),
    });
    this.#pathChannel = new PathChannel({
      rendezvous: this.#rendezvous,
      streams: this.#streams,
      tracer: this.#tracer,
      isReady: () => this.#reconciler.ready,
      onFailure,
    });
    this.#paths.on('looked', (states) => this.#rendezvous.consider(states));
    this.#context = this.#peerContext();
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
        'key-confirmed': ({ peer, localIndex }) => this.#peers.get(peer)?.keyConfirmed(localIndex),
        'key-expiring': ({ peer }) => this.#peers.get(peer)?.renewKey(),
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
    this.#cancelReach?.();
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
    for (const peer of this.#peers.values()) peer.renewKey();
  }

  /** One line for each peer, with what the data plane says about it now. */
  async connections(): Promise<readonly ConnectionView[]> {
    const states = await this.#reconciler.states();
    const ways = await this.#waysToLost(states);
    return [...this.#peers.values()].map((peer) => this.#connectionView(peer, states, ways));
  }

  /** For each peer: what was tried to reach it, and what there is besides. */
  async paths(): Promise<readonly PathView[]> {
    const states = await this.#reconciler.states();
    const ways = await this.#waysToLost(states);
    return [...this.#peers.values()].map((peer) => this.#pathView(peer, states, ways));
  }

  /** The same for one of them. */
  async path(id: PeerId): Promise<PathView | undefined> {
    const states = await this.#reconciler.states();
    const ways = await this.#waysToLost(states);
    const peer = this.#peers.get(id);
    return peer && this.#pathView(peer, states, ways);
  }

  /** The links of all routers as they tell them, and what each costs. */
  linkStates(): LinkStates {
    return this.#paths.linkStates();
  }

  /** One probe to a peer and back, in microseconds; null when it was not answered within a second. With `mtu` as large as a full packet of its containers. */
  ping(peer: PeerId, mtu?: number): Promise<number | null> {
    return this.#tracer.ping(peer, mtu);
  }

  /** The routers on the path to a peer, the peer itself last. */
  trace(peer: PeerId): Promise<readonly Hop[]> {
    return this.#tracer.trace(peer);
  }

  /** Everything that went wrong, by reason. */
  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters };
  }

  readonly #onLinkUp = ({ peer: id }: LinkView): void => {
    this.#peer(id).reached();
    this.#reach();
  };

  readonly #onLinkDown = (): void => this.#reach();

  readonly #onMember = ({ peer: id, left, self }: MemberView): void => {
    const peer = self ? undefined : this.#peers.get(id);
    if (left && !self) this.#paths.drop(id);
    if (left) this.#remove(peer);
    else peer?.refresh();
    // Members tell of their links, too, over which messages are routed: all of them when one joins.
    this.#cancelReach ??= this.#clock.after(REACH_DELAY, () => this.#reach());
  };

  readonly #onForgotten = (id: PeerId): void => {
    this.#paths.drop(id);
    this.#remove(this.#peers.get(id));
  };

  readonly #onMessage = (id: PeerId, channel: string, bytes: Buffer): void => {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    if (channel === SESSION_CHANNEL) peer.receive(bytes);
    if (channel === PATH_CHANNEL) this.#pathChannel.receive(id, bytes);
  };

  readonly #onReady = (): Promise<void> => this.#reconciler.connected();

  /** Without a data plane nothing is to be done, and no time passes. */
  readonly #onLost = (): void => {
    this.#reconciler.lost();
    this.#rendezvous.pause();
    for (const peer of this.#peers.values()) peer.pause();
  };

  readonly #onPeerUp = ({ peer: id }: { peer: PeerId }): void => {
    const { mesh } = this.#options;
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    peer.wentUp();
    if (mesh.link(id) === undefined) mesh.retry(id);
    this.#paths.look();
    this.emit('peer-up', id);
  };

  readonly #onPeerDown = ({ peer: id }: { peer: PeerId }): void => {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    peer.wentDown();
    this.#paths.look();
    this.emit('peer-down', id);
  };

  readonly #onObserved = ({ peer, address }: { peer: PeerId; address: string }): void => {
    if (!this.#paths.observed(peer, address)) return;
    // Where a NAT makes up a port for each peer, none of them is of use to others.
    if (this.#paths.nat() !== 'changing') this.#options.mesh.addObservedEndpoint(address);
  };

  readonly #onPathNews = (): void => this.#paths.look();

  readonly #onStreamLost = ({ peer }: { peer: PeerId }): void => {
    this.#streams.found(peer, false);
    this.#paths.look();
  };

  /** Compares what the data plane has with what it should have. */
  #reconcile({ ciphers }: DataPlaneInfo, { peers: states }: DataPlaneDump): void {
    this.#ciphers = ciphers.map(({ name, hardware, nanosecondsPer1400 }) => ({
      name,
      hardware,
      nanosecondsPer1400: Math.round(nanosecondsPer1400),
    }));
    this.#options.mesh.announceCiphers(this.#ciphers);
    const stateOf = new Map(states.map((state) => [state.peer, state]));
    for (const { peer, via } of states) {
      this.#peer(peer);
      this.#paths.adopt(peer, via);
    }
    for (const peer of [...this.#peers.values()]) {
      peer.adopt(stateOf.get(peer.id));
      if (this.#isMember(peer.id)) peer.resume();
      else this.#remove(peer);
    }
    this.#paths.look();
  }

  /** Neither gone nor expelled, as far as is known. */
  #isMember(id: PeerId): boolean {
    const { mesh } = this.#options;
    return !mesh.member(id)?.left && mesh.admits(id);
  }

  /** Sees who can be reached by control messages now. */
  #reach(): void {
    this.#cancelReach?.();
    this.#cancelReach = undefined;
    const { mesh } = this.#options;
    for (const id of reachable(mesh)) if (!this.#peers.get(id)?.reachable) this.#peer(id).reached();
    for (const peer of this.#peers.values()) {
      if (peer.reachable && !mesh.reachable(peer.id)) peer.unreached();
    }
  }

  #peer(id: PeerId): Peer {
    const known = this.#peers.get(id);
    if (known !== undefined) return known;
    const peer = new Peer(id, this.#context);
    this.#peers.set(id, peer);
    return peer;
  }

  #remove(peer: Peer | undefined): void {
    if (peer === undefined) return;
    this.#peers.delete(peer.id);
    this.#paths.forget(peer.id);
    this.#rendezvous.forget(peer.id);
    peer.remove();
    if (peer.up) this.emit('peer-down', peer.id);
  }

  #peerContext(): PeerContext {
    return {
      mesh: this.#options.mesh,
      clock: this.#clock,
      timings: this.#timings,
      reconciler: this.#reconciler,
      openSession: (remote) => this.#openSession(remote),
      nextHop: (peer) => this.#paths.nextHop(peer),
      onKey: (peer, { cipher, role }) => {
        // It may never answer directly, and need a relay.
        if (!peer.wasUp) this.#paths.look();
        this.emit('session', peer.id, { cipher, role });
      },
      onDead: (peer) => this.#remove(peer),
      onUnsent: () => this.#count('session-not-sent'),
      onWarning: (error, peer) => this.#warn(error, peer),
    };
  }

  #openSession(remote: PublicKey): Session {
    return new Session({
      identity: this.#options.identity,
      remote,
      proofKeys: () => this.#proofKeys,
      timings: this.#timings,
      offer: () => this.#offer(),
      nextSequence: () => this.#initiations++,
      random: randomBytes,
    });
  }

  #offer(): LocalOffer {
    const { identity, mesh, cipher, trustedSubnets = [] } = this.#options;
    const self = mesh.member(identity.peer);
    return {
      incarnation: self?.incarnation ?? 0,
      ciphers: this.#ciphers,
      pinned: cipher,
      networks: this.#networks,
      endpoints: self?.endpoints ?? [],
      trusted: trustedSubnets,
    };
  }

  #connectionView(
    peer: Peer,
    states: ReadonlyMap<PeerId, DataPlanePeerState> | undefined,
    ways: ReadonlyMap<string, Way>,
  ): ConnectionView {
    const { id, wasUp, reachable } = peer;
    const { mesh } = this.#options;
    const nameOf = (named: PeerId) => mesh.member(named)?.nickname ?? named;
    return connectionView({
      id,
      wasUp,
      reachable,
      nickname: nameOf(id),
      linked: mesh.link(id) !== undefined,
      dataPlane: states !== undefined,
      state: states?.get(id),
      nats: this.#nats(id),
      tcp: this.#streams.failure(id),
      lostWays: lostWays(peer.hosts(), ways),
      nameOf,
    });
  }

  #pathView(
    peer: Peer,
    states: ReadonlyMap<PeerId, DataPlanePeerState> | undefined,
    ways: ReadonlyMap<string, Way>,
  ): PathView {
    return {
      ...this.#connectionView(peer, states, ways),
      candidates: states?.get(peer.id)?.candidates ?? [],
      relays: this.#paths.relays(peer.id),
      nats: this.#nats(peer.id),
    };
  }

  /** Where the routes of this host lead for peers that are not reached directly. */
  async #waysToLost(
    states: ReadonlyMap<PeerId, DataPlanePeerState> | undefined,
  ): Promise<ReadonlyMap<string, Way>> {
    const lost = [...this.#peers.values()].filter(({ id }) => {
      const state = states?.get(id);
      return !state?.up || state.via !== null || state.transport === 'tcp';
    });
    const addresses = [...new Set(lost.flatMap((peer) => peer.hosts()))].slice(0, MAX_ASKED);
    if (addresses.length === 0) return new Map();
    return (await this.#options.waysTo?.(addresses).catch(() => undefined)) ?? new Map();
  }

  #nats(peer: PeerId): PathView['nats'] {
    return { ours: this.#paths.nat(), theirs: this.#paths.nat(peer) };
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
