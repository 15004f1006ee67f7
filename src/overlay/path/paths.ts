import { EventEmitter } from 'node:events';
import type { Clock } from '../../clock.js';
import { type OpenChannel, OwnedRecords } from '../../gossip/index.js';
import type { Identity, PeerId } from '../../identity/index.js';
import { localAddresses } from '../../net/index.js';
import type { DataPlane, DataPlanePeerState, OverlayMesh } from '../port/index.js';
import { isOtherCost, linkCost, shortest } from './link-cost.js';
import { LINKS_CHANNEL, LINKS_KEY, type LinkState, linkState } from './link-state.js';
import { PathChoice } from './path-choice.js';
import { type LinkStates, type RelayOption, relaysTo } from './relays.js';
import { type Nat, natOf } from './traversal/index.js';

/** How often the data plane is asked about its links when nothing happens, in milliseconds. */
const LOOK_INTERVAL = 2_000;
/**
 * Maximum share of the time that is spent on looking and deciding, however many routers there are and however often something changes.
 */
const MOST_WORK = 0.1;
/**
 * Minimum intervals between publications, in milliseconds for each link that this router has: of new links, and of changed costs.
 * Every router hears of the links of every other, so that one of many is worth less. A lost link is published at once.
 */
const NEW_LINK_INTERVAL = 100;
const COST_INTERVAL = 600;
/** Minimum interval between publications of changed costs however few the links, in milliseconds. */
const LEAST_COST_INTERVAL = 5_000;
/** Cost below which a direct path needs no comparison with relays, in microseconds. */
const GOOD_ENOUGH = 10_000;
/** Age beyond which a direct answer says nothing any more, in seconds. */
const FRESH = 15;

type Family = 'IPv4' | 'IPv6';

export interface PathsOptions {
  readonly identity: Identity;
  readonly mesh: OverlayMesh;
  readonly dataPlane: DataPlane;
  readonly clock: Clock;
  /** There is a TCP connection for data with this peer. */
  readonly hasStream: (peer: PeerId) => boolean;
}

export interface PathsEvents {
  /** Packets for this peer shall take another path: see `nextHop`. */
  'next-hop': [peer: PeerId];
  /** What the data plane said of its peers just now. */
  looked: [states: readonly DataPlanePeerState[]];
}

/**
 * Decides which peers are reached through which relays: watches the data plane's links, tells the other routers of them, and chooses by what
 * all routers tell.
 */
export class Paths extends EventEmitter<PathsEvents> {
  readonly #options: PathsOptions;
  readonly #records: OwnedRecords<LinkState>;
  readonly #choices = new Map<PeerId, PathChoice>();
  /** Our address as each peer that answers directly sees it, over IPv4 and over IPv6. */
  readonly #observed = new Map<PeerId, Map<Family, string>>();
  /** As of `#observed`; undefined when it is to be found out. */
  #nat: Nat | undefined;
  /** What direct links cost, as measured last. */
  #links = new Map<PeerId, number>();
  #published: LinkState | undefined;
  #publishedAt = -Infinity;
  #channel: OpenChannel | undefined;
  /** Every peer is reached so well that no relay can be worth it, whatever others tell of their links. */
  #content = false;
  #looking = false;
  #lookAgain = false;
  #cancelLook = () => {};

  constructor(options: PathsOptions) {
    super();
    this.#options = options;
    this.#records = new OwnedRecords({
      name: LINKS_CHANNEL,
      identity: options.identity,
      now: Date.now,
      value: linkState,
      admits: (owner) => options.mesh.admits(owner) && options.mesh.member(owner)?.left === false,
    });
    this.#records.on('pending', () => this.#channel?.changed());
    this.#records.on('change', () => {
      if (!this.#content) this.look();
    });
  }

  start(): void {
    this.#channel = this.#options.mesh.openChannel(this.#records);
  }

  stop(): void {
    this.#cancelLook();
    this.#channel?.close();
    this.#channel = undefined;
  }

  /** The relay for this peer's packets; null for none. */
  nextHop(peer: PeerId): PeerId | null {
    return this.#choices.get(peer)?.via ?? null;
  }

  /** Neighbours that could relay to this peer, cheapest first. */
  relays(peer: PeerId): readonly RelayOption[] {
    return relaysTo(this.linkStates(), this.#options.identity.peer, peer);
  }

  /** What TCP to this peer would cost, by the round trip of the control link. */
  streamCost(peer: PeerId): number {
    const rtt = this.#options.mesh.link(peer)?.rtt;
    return linkCost({ rtt: rtt === undefined ? null : rtt * 1000, loss: 0, transport: 'tcp' });
  }

  /** What is between this router (or another) and the world. */
  nat(peer: PeerId = this.#options.identity.peer): Nat {
    if (peer !== this.#options.identity.peer) return this.#records.get(peer, LINKS_KEY)?.nat ?? 'unknown';
    this.#nat ??= this.#findNat();
    return this.#nat;
  }

  #findNat(): Nat {
    const self = this.#options.mesh.member(this.#options.identity.peer);
    return natOf(
      [...this.#observed.values()].flatMap((addresses) => [...addresses.values()]),
      localAddresses(),
      self?.port ?? 0,
    );
  }

  /** The data plane had this peer (and relay) before us. */
  adopt(peer: PeerId, via: PeerId | null): void {
    if (!this.#choices.has(peer)) this.#choices.set(peer, new PathChoice(via));
  }

  forget(peer: PeerId): void {
    this.#choices.delete(peer);
    if (this.#observed.delete(peer)) this.#nat = undefined;
  }

  /** The peer is no member any more. */
  drop(peer: PeerId): void {
    this.forget(peer);
    this.#records.dropOwner(peer);
  }

  /** A peer that answers directly sees us at this address. False when that was known. */
  observed(peer: PeerId, address: string): boolean {
    const addresses = this.#observed.get(peer) ?? new Map<Family, string>();
    this.#observed.set(peer, addresses);
    const family = address.startsWith('[') ? 'IPv6' : 'IPv4';
    if (addresses.get(family) === address) return false;
    addresses.set(family, address);
    this.#nat = undefined;
    this.look();
    return true;
  }

  /** Something happened: asks the data plane how its links are, and decides. */
  look(): void {
    this.#lookAgain = true;
    if (!this.#looking) void this.#look();
  }

  async #look(): Promise<void> {
    const { clock, dataPlane } = this.#options;
    this.#looking = true;
    while (this.#lookAgain && dataPlane.connected) {
      this.#lookAgain = false;
      const began = clock.now();
      const dump = await dataPlane.dump().catch(() => undefined);
      if (this.#channel === undefined) break;
      const now = clock.now();
      // One that does not answer in time is asked again.
      const next = dump === undefined ? Infinity : this.#see(dump.peers, now);
      this.#cancelLook();
      this.#cancelLook = clock.after(Math.max(0, Math.min(LOOK_INTERVAL, next - now)), () => this.look());
      if (dump !== undefined) this.emit('looked', dump.peers);
      const pause = (clock.now() - began) / MOST_WORK;
      await new Promise<void>((resolve) => clock.after(pause, resolve));
    }
    this.#looking = false;
  }

  /** Decides and tells by what the data plane says. Returns when to look again. */
  #see(states: readonly DataPlanePeerState[], now: number): number {
    this.#links = new Map(states.flatMap((state) => this.#directLink(state)));
    return Math.min(this.#decide(states, now), this.#publish(now));
  }

  #directLink(state: DataPlanePeerState): [PeerId, number][] {
    const { peer, via, up, direct, rtt, loss, transport } = state;
    if (via === null) return up ? [[peer, linkCost({ rtt, loss, transport })]] : [];
    if (!direct) return this.#options.hasStream(peer) ? [[peer, this.streamCost(peer)]] : [];
    const answers = state.candidates.filter(({ lastAnswer }) => lastAnswer !== null && lastAnswer < FRESH);
    const rtts = [rtt, ...answers.map((candidate) => candidate.rtt)];
    return [[peer, linkCost({ rtt: shortest(rtts), loss: 0, transport: 'udp' })]];
  }

  /** Returns when to look again. */
  #decide(peers: readonly DataPlanePeerState[], now: number): number {
    const links = this.linkStates();
    this.#content = true;
    return peers.reduce((next, { peer }) => Math.min(next, this.#choose(peer, links, now)), Infinity);
  }

  /** Returns when to look at the peer again. */
  #choose(peer: PeerId, states: LinkStates, now: number): number {
    const choice = this.#choices.get(peer) ?? new PathChoice();
    this.#choices.set(peer, choice);
    const before = choice.via;
    const direct = this.#links.get(peer);
    const content = direct !== undefined && direct < GOOD_ENOUGH && before === null;
    this.#content &&= content;
    const relays = content ? [] : relaysTo(states, this.#options.identity.peer, peer);
    const again = choice.choose({ direct, relays }, now);
    if (choice.via !== before) this.emit('next-hop', peer);
    return again ?? Infinity;
  }

  /** The links of all routers as they tell them, and what each costs. */
  linkStates(): LinkStates {
    const states = new Map<PeerId, ReadonlyMap<PeerId, number>>();
    for (const { owner, value } of this.#records.entries()) states.set(owner, value.links);
    return states.set(this.#options.identity.peer, this.#links);
  }

  /** Returns when to look again. */
  #publish(now: number): number {
    const state: LinkState = { nat: this.nat(), links: this.#links };
    const due = this.#publishedAt + pauseBefore(this.#published, state);
    if (now < due) return due;
    this.#published = state;
    this.#publishedAt = now;
    this.#records.set(LINKS_KEY, state);
    return Infinity;
  }
}

/** How long after the last publication others are to hear of this, in milliseconds. */
function pauseBefore(before: LinkState | undefined, now: LinkState): number {
  if (before === undefined || before.nat !== now.nat) return 0;
  const isLost = [...before.links.keys()].some((peer) => !now.links.has(peer));
  if (isLost) return 0;
  if (now.links.size > before.links.size) return NEW_LINK_INTERVAL * now.links.size;
  const isOther = [...now.links].some(([peer, cost]) => isOtherCost(before.links.get(peer) ?? cost, cost));
  return isOther ? Math.max(LEAST_COST_INTERVAL, COST_INTERVAL * now.links.size) : Infinity;
}
