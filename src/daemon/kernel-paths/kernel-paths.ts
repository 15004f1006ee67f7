import { EventEmitter } from 'node:events';
import type { KernelPathActivity } from '../../api/status/index.js';
import { SystemClock } from '../../clock.js';
import { messageOf } from '../../errors.js';
import type { ForwarderDump } from '../../forwarder/index.js';
import { type LinkStates, type Traffic, vxlanName } from '../../hostnet/index.js';
import type { PeerId } from '../../identity/index.js';
import { errorFields, type Log } from '../logging/index.js';
import type { Applier, Wanted } from './applier.js';
import { Fallback } from './fallback.js';
import { keyOf, type PathId } from './key.js';
import { addressesOf, type KernelPeer, kernelPeers } from './peers.js';
import type { KernelForwarder } from './plumbing.js';
import { problemsOf, unanswered } from './problems.js';
import { type WantedFacts, type WantedNetwork, wantedNetworks } from './wanted.js';

/** Time for which changes are gathered, ms: of a path, which containers wait for, and of everything else. */
const GATHERING = { path: 5, other: 150 };
/** Least time between two looks at everything, ms: what somebody changed unseen is put right within it. */
const LOOK_INTERVAL = 3_500;
/** A forwarder that was started anew has so long to prove the paths again which were in use, ms. */
const PROOF_TIME = 1_500;
/** After a failure nothing is tried for so long, ms. */
const REST = 5_000;

interface Plan {
  readonly peers: readonly KernelPeer[];
  /** Keys of the paths that frames are to take. */
  readonly proven: ReadonlySet<string>;
}

export interface KernelPathsOptions {
  readonly applier: Applier;
  readonly forwarder: Pick<KernelForwarder, 'connected' | 'dump'>;
  /** Tells when an entry of a device was removed (`disturbed`). */
  readonly monitor: { start(): void; stop(): void };
  /** UDP port of the VXLAN devices, for words. */
  readonly port: number;
  /** IP addresses of this host. */
  readonly ownAddresses: () => ReadonlySet<string>;
  /** Of containers, here and on the hosts of others. */
  readonly mtu: number;
  readonly mtuOf: (peer: PeerId) => number | undefined;
  /** The one that packets to others come from, by their addresses. */
  readonly sourcesTo: (addresses: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  readonly facts: () => Omit<WantedFacts, 'proven' | 'peers'>;
  /** One probe by the forwarder's way: microseconds; null when nothing came back within a second. */
  readonly ping: (peer: PeerId) => Promise<number | null>;
  /** What passed interfaces of this host, by name. */
  readonly traffic: () => Promise<ReadonlyMap<string, Traffic>>;
  readonly log: Log;
}

/** How frames for the containers of a peer go. */
export interface KernelPathView {
  /** Those for announced containers stay in the kernel, on all networks that both hosts have. */
  readonly used: boolean;
  /** Why they do not. */
  readonly reason: string | null;
}

export interface KernelPathsEvents {
  /** Frames for the containers of a peer on a network stay in the kernel from now on, or no longer. */
  moved: [move: PathId & { readonly used: boolean }];
}

/**
 * Leaves unicast frames to the kernel where both ends trust the wire: keeps a VXLAN device for each network, who is behind it, and who may send to it as
 * they should be. Whether a path works is proven by the forwarders; a peer's frames take it while it is.
 */
export class KernelPaths extends EventEmitter<KernelPathsEvents> {
  readonly #options: KernelPathsOptions;
  #timer: NodeJS.Timeout | undefined;
  #due = 0;
  #work: Promise<void> = Promise.resolve();
  #stopped = true;
  #wanted: Wanted = { networks: [], local: '' };
  #reasons: ReadonlyMap<PeerId, string> = new Map();
  /** Why probes could not leave, by the key of the path. */
  #problems: ReadonlyMap<string, string> = new Map();
  /** The paths that frames take, by key. */
  #used: ReadonlyMap<string, PathId> = new Map();
  /** Those to whom frames take them. */
  #peers: ReadonlyMap<PeerId, KernelPeer> = new Map();
  /** The address of this host that packets come from, by where they go. */
  #sources: ReadonlyMap<string, string> = new Map();
  readonly #fallback: Fallback;
  #proofDue = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #failure: { readonly text: string; readonly at: number } | undefined;
  #moves = 0;

  constructor(options: KernelPathsOptions) {
    super();
    this.#options = options;
    const { ping } = options;
    this.#fallback = new Fallback({ ping, clock: new SystemClock(), onWorking: () => this.pathChanged() });
  }

  /** Begins; what an earlier run left is taken over, or removed. */
  start(): void {
    this.#stopped = false;
    this.#settleWithin(0);
  }

  /** Takes the rules away that keep strangers from the devices: once those are gone. */
  async drop(): Promise<void> {
    await this.stop();
    await this.#options.applier.drop();
  }

  /** Resolves when nothing is changed any more. What there is stays. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#options.monitor.stop();
    this.#fallback.keep(new Set());
    await this.#work;
  }

  /** A path came up or went down. */
  pathChanged(): void {
    this.#settleWithin(GATHERING.path);
  }

  /** Something changed that decides who may be reached this way. */
  changed(): void {
    this.#settleWithin(GATHERING.other);
  }

  /** The forwarder is connected: what was proven to another one it does not know. */
  connected(): void {
    this.#fallback.keep(new Set());
    this.#proofDue = performance.now() + PROOF_TIME;
    setTimeout(() => this.changed(), PROOF_TIME).unref();
    this.changed();
  }

  /** The forwarder lost the device of a network. */
  lost(network: number): void {
    this.#options.applier.remake(network);
    this.#settleWithin(GATHERING.path);
  }

  /** Somebody removed an entry of a device. */
  disturbed(device: string): void {
    const isOurs = this.#wanted.networks.some(({ bridge }) => vxlanName(bridge) === device);
    if (isOurs) this.#settleWithin(GATHERING.other);
  }

  /** Looks whether all is there, in step with everything else on this host. */
  check(links: LinkStates): void {
    const isFlawed = this.#options.applier.isFlawed(this.#wanted, links);
    if (isFlawed || performance.now() - this.#lookedAt >= LOOK_INTERVAL) this.changed();
  }

  view(peer: PeerId): KernelPathView {
    const on = this.#wanted.networks.filter(({ peers }) => peers.has(peer));
    const used = on.length > 0 && on.every(({ network }) => this.#used.has(keyOf(network, peer)));
    return { used, reason: used ? null : this.#reason(peer, on) };
  }

  async activity(): Promise<KernelPathActivity> {
    const found = await this.#options.traffic();
    const ours = this.#wanted.networks.map(({ bridge }) => found.get(vxlanName(bridge)));
    return {
      moves: this.#moves,
      sentBytes: ours.reduce((sum, traffic) => sum + (traffic?.sent ?? 0), 0),
      receivedBytes: ours.reduce((sum, traffic) => sum + (traffic?.received ?? 0), 0),
    };
  }

  #reason(peer: PeerId, on: readonly WantedNetwork[]): string {
    if (this.#failure !== undefined) return this.#failure.text;
    if (on.length === 0) return this.#reasons.get(peer) ?? 'it has no network of this host';
    const problems = on.flatMap(({ network }) => this.#problems.get(keyOf(network, peer)) ?? []);
    return problems[0] ?? unanswered(this.#options.port);
  }

  #settleWithin(time: number): void {
    const due = performance.now() + time;
    if (this.#stopped || (this.#timer !== undefined && this.#due <= due)) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#work = this.#work.then(() => this.#settle());
    }, time);
  }

  async #settle(): Promise<void> {
    const { forwarder, applier, monitor, log } = this.#options;
    const now = performance.now();
    if (this.#stopped || !forwarder.connected) return;
    if (this.#failure !== undefined && now - this.#failure.at < REST) return;
    const isLookDue = now - this.#lookedAt >= LOOK_INTERVAL;
    try {
      const dump = await forwarder.dump();
      const plan = await this.#plan(dump, isLookDue);
      if (this.#wanted.networks.length > 0) monitor.start();
      else monitor.stop();
      await applier.apply(this.#wanted, dump);
      this.#note(plan);
      if (isLookDue) await applier.look();
      if (isLookDue) this.#lookedAt = now;
      this.#failure = undefined;
    } catch (error) {
      const text = messageOf(error);
      const isNew = this.#failure?.text !== text;
      this.#failure = { text, at: now };
      if (isNew) log.warn(`frames do not stay in the kernel: ${text}`, errorFields(error));
    }
  }

  async #plan({ peers: states, kernelPaths }: ForwarderDump, isLookDue: boolean): Promise<Plan> {
    const { ownAddresses, mtu, mtuOf, facts } = this.#options;
    await this.#learnSources(addressesOf(states), isLookDue);
    const here = { own: ownAddresses(), sources: this.#sources, mtu, mtuOf };
    const isStarting = performance.now() < this.#proofDue;
    const chosen = kernelPeers(states, here, { local: this.#wanted.local, peers: this.#peers });
    const { local = this.#wanted.local, reasons } = chosen;
    const known = new Set<string>(states.map(({ peer }) => peer));
    const missing = isStarting ? [...this.#peers.values()].filter(({ peer }) => !known.has(peer)) : [];
    const peers = [...chosen.peers, ...missing];
    const proven = this.#proven(kernelPaths, isStarting);
    this.#reasons = reasons;
    this.#problems = problemsOf(kernelPaths);
    this.#wanted = { local, networks: wantedNetworks({ ...facts(), peers, proven }) };
    return { peers, proven };
  }

  /** Routes are asked for when there is somebody new, and looked at again as everything else. */
  async #learnSources(addresses: readonly string[], isLookDue: boolean): Promise<void> {
    if (!isLookDue && addresses.every((address) => this.#sources.has(address))) return;
    this.#sources = await this.#options.sourcesTo(addresses);
  }

  /** A path that is in use and fails counts as proven until the forwarder's way is known to be better. */
  #proven(kernelPaths: ForwarderDump['kernelPaths'], isStarting: boolean): ReadonlySet<string> {
    const proven = new Set(kernelPaths.flatMap(({ network, peer, up }) => (up ? keyOf(network, peer) : [])));
    const failing = [...this.#used].filter(([key]) => !proven.has(key));
    this.#fallback.keep(new Set(failing.map(([, { peer }]) => peer)));
    for (const [key, { peer }] of failing) {
      if (isStarting || !this.#fallback.isBetter(peer)) proven.add(key);
    }
    return proven;
  }

  /** What was planned is so. */
  #note({ peers, proven }: Plan): void {
    const former = this.#used;
    const paths = this.#wanted.networks.flatMap(({ network, peers }) =>
      [...peers.keys()].map((peer) => [keyOf(network, peer), { network, peer }] as const),
    );
    this.#used = new Map(paths.filter(([key]) => proven.has(key)));
    for (const [key, path] of this.#used) if (!former.has(key)) this.#move(path, true);
    for (const [key, path] of former) if (!this.#used.has(key)) this.#move(path, false);
    const used = new Set([...this.#used.values()].map(({ peer }) => peer));
    this.#peers = new Map(peers.flatMap((each) => (used.has(each.peer) ? [[each.peer, each]] : [])));
  }

  #move(path: PathId, used: boolean): void {
    this.#moves += 1;
    this.emit('moved', { ...path, used });
  }
}
