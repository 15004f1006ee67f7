import { EventEmitter } from 'node:events';
import sodium from 'sodium-native';
import { WeftError } from '../errors.js';
import { type PeerId, proofKeyOf } from '../identity/index.js';
import type { CipherSpeed, LinkView, MemberView } from '../mesh/index.js';
import { candidatesOf } from './candidates.js';
import { connectionView } from './connection-view.js';
import type {
  DataPlaneDump,
  DataPlaneInfo,
  DataPlaneKeyState,
  DataPlanePeerState,
  PeerSetting,
} from './data-plane.js';
import { type LocalOffer, Session, type SessionAction } from './session.js';
import { SESSION_CHANNEL } from './session-messages.js';
import type { ConnectionView, OverlayEvents, OverlayOptions, OverlayTimings } from './types.js';

const DEFAULT_TIMINGS: OverlayTimings = {
  rekeyInterval: 120_000,
  keyGrace: 15_000,
  retryInitial: 1_000,
  retryMax: 30_000,
  deadPeer: 60_000,
  keepalive: 1_000,
};

/** A peer that the data plane has or shall have. */
interface Peer {
  readonly id: PeerId;
  /** Undefined for one that was found in the data plane and of which nothing was heard since. */
  session: Session | undefined;
  /** Keys found in the data plane before the session was there, and when. */
  found: { readonly keys: readonly DataPlaneKeyState[]; readonly at: number } | undefined;
  /** Of the peer, as it said in the last key agreement. */
  networks: readonly number[];
  endpoints: readonly string[];
  udpUp: boolean;
  wasUp: boolean;
  /** Since when there is neither a link nor UDP. */
  deadSince: number | undefined;
  /** What the data plane was told last. */
  told: string | undefined;
  timer: NodeJS.Timeout | undefined;
  /** What the data plane is told about one peer goes out one after the other. */
  work: Promise<void>;
}

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
  readonly #proofKeys: readonly Buffer[];
  readonly #peers = new Map<PeerId, Peer>();
  readonly #counters: Record<string, number> = {};
  #networks: readonly number[] = [0];
  #ciphers: readonly CipherSpeed[] = [];
  /** The data plane is connected and its state is known. */
  #ready = false;
  /** Which `ready` we live in: answers to questions of an earlier one are void. */
  #generation = 0;

  constructor(options: OverlayOptions) {
    super();
    this.#options = options;
    this.#timings = { ...DEFAULT_TIMINGS, ...options.timings };
    this.#proofKeys = options.network.secrets.map(proofKeyOf);
  }

  /** Begins to drive the data plane: now if it is connected, else at its `ready`. */
  async start(): Promise<void> {
    const { mesh, dataPlane } = this.#options;
    mesh.on('link-up', this.#onLinkUp);
    mesh.on('link-down', this.#onLinkDown);
    mesh.on('member', this.#onMember);
    mesh.on('message', this.#onMessage);
    dataPlane.on('ready', this.#onReady);
    dataPlane.on('lost', this.#onLost);
    dataPlane.on('peer-up', this.#onPeerUp);
    dataPlane.on('peer-down', this.#onPeerDown);
    dataPlane.on('key-confirmed', this.#onKeyConfirmed);
    dataPlane.on('key-expiring', this.#onKeyExpiring);
    dataPlane.on('observed', this.#onObserved);
    for (const link of mesh.links()) this.#onLinkUp(link);
    if (dataPlane.connected) await this.#onReady();
  }

  /** Stops driving; what the data plane has stays as it is, so that traffic goes on. */
  stop(): void {
    const { mesh, dataPlane } = this.#options;
    mesh.off('link-up', this.#onLinkUp);
    mesh.off('link-down', this.#onLinkDown);
    mesh.off('member', this.#onMember);
    mesh.off('message', this.#onMessage);
    dataPlane.off('ready', this.#onReady);
    dataPlane.off('lost', this.#onLost);
    dataPlane.off('peer-up', this.#onPeerUp);
    dataPlane.off('peer-down', this.#onPeerDown);
    dataPlane.off('key-confirmed', this.#onKeyConfirmed);
    dataPlane.off('key-expiring', this.#onKeyExpiring);
    dataPlane.off('observed', this.#onObserved);
    this.#onLost();
    this.#peers.clear();
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
    return [...this.#peers.values()].map(({ id, wasUp }) =>
      connectionView({
        id,
        wasUp,
        nickname: this.#member(id)?.nickname ?? id,
        linked: this.#link(id) !== undefined,
        dataPlane: states !== undefined,
        state: states?.get(id),
      }),
    );
  }

  /** Everything that went wrong, by reason. */
  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters };
  }

  readonly #onLinkUp = ({ peer: id }: LinkView): void => {
    const peer = this.#peer(id);
    peer.deadSince = undefined;
    this.#ensureSession(peer);
    if (!this.#ready) return;
    this.#tellPeer(peer);
    this.#execute(peer, peer.session?.linkUp(performance.now()) ?? []);
  };

  readonly #onLinkDown = (id: PeerId): void => {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    peer.session?.linkDown();
    if (!peer.udpUp) peer.deadSince ??= performance.now();
    this.#schedule(peer);
  };

  readonly #onMember = ({ peer: id, left, self }: MemberView): void => {
    const peer = self ? undefined : this.#peers.get(id);
    if (peer === undefined) return;
    if (left) {
      this.#remove(peer);
      return;
    }
    this.#ensureSession(peer);
    if (this.#ready) this.#tellPeer(peer);
  };

  readonly #onMessage = (id: PeerId, channel: string, bytes: Buffer): void => {
    if (channel !== SESSION_CHANNEL) return;
    const peer = this.#peers.get(id);
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

  /** Without a data plane nothing is to be done, and no time passes. */
  readonly #onLost = (): void => {
    this.#generation += 1;
    this.#ready = false;
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
    this.emit('peer-up', id);
  };

  readonly #onPeerDown = ({ peer: id }: { peer: PeerId }): void => {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    peer.udpUp = false;
    if (this.#link(id) === undefined) peer.deadSince ??= performance.now();
    this.#schedule(peer);
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

  readonly #onObserved = ({ address }: { address: string }): void => {
    this.#options.mesh.addObservedEndpoint(address);
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
    for (const id of states.keys()) this.#peer(id);
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
  }

  #resume(peer: Peer, now: number): void {
    if (this.#member(peer.id)?.left) {
      this.#remove(peer);
      return;
    }
    const linked = this.#link(peer.id) !== undefined;
    if (!linked && !peer.udpUp) peer.deadSince ??= now;
    this.#tellPeer(peer);
    const actions = linked ? peer.session?.linkUp(now) : undefined;
    this.#execute(peer, actions ?? []);
    // What the initiator said before we were ready was not heard.
    if (linked && peer.session?.role === 'responder' && peer.session.current === undefined) this.#renew(peer);
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
    const peer: Peer = {
      id,
      session: undefined,
      found: undefined,
      networks: [],
      endpoints: [],
      udpUp: false,
      wasUp: false,
      deadSince: undefined,
      told: undefined,
      timer: undefined,
      work: Promise.resolve(),
    };
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
      proofKeys: this.#proofKeys,
      timings: this.#timings,
      offer: () => this.#offer(),
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
        peer.session?.installFailed(key.localIndex);
        if (error instanceof WeftError && error.code === 'index-in-use') this.#renew(peer);
        throw error;
      }
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
      via: null,
      keepalive: this.#timings.keepalive,
    };
  }

  #remove(peer: Peer): void {
    clearTimeout(peer.timer);
    this.#peers.delete(peer.id);
    if (this.#ready) this.#work(peer, () => this.#options.dataPlane.removePeer(peer.id));
    if (peer.udpUp) this.emit('peer-down', peer.id);
  }

  /** Queues what is to be told to the data plane about a peer. A failure means that it is gone or refused: it is counted. */
  #work(peer: Peer, task: () => Promise<void>): void {
    const generation = this.#generation;
    peer.work = peer.work.then(async () => {
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
    return this.#options.mesh.links().find((link) => link.peer === id);
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
