import type { Clock } from '../../clock.js';
import type { PeerId } from '../../identity/index.js';

/** A full mesh becomes sparse only when it is larger than `fullMesh` by this factor, so that it does not oscillate. */
const HYSTERESIS = 1.25;
/** All in milliseconds. */
const TICK = 1_000;
/** A neighbour that was selected and cannot be linked within this time is replaced by another. */
const LINK_TIMEOUT = 10_000;
/** How long a peer that refused the link, or could not be linked, is not selected again. */
const HOLD_DOWN = 60_000;
/** How often a suspected member is dialled all the same: it may be behind a partition that has healed. */
const RECONNECT_INTERVAL = 30_000;
/** How often a random candidate is tried for its proximity; the interval doubles as long as none is nearer than the neighbours. */
const TRIAL_INTERVAL_MIN = 60_000;
const TRIAL_INTERVAL_MAX = 1_800_000;
/** A candidate replaces a neighbour only if its RTT is less than this fraction of the neighbour's. */
const RTT_IMPROVEMENT = 0.7;
/** A router prunes its links when it has more than this multiple of the degree it aims at. */
const EXCESS_FACTOR = 3;
/** Maximum number of links that are pruned in a tick: the other ends prune some, too. */
const MAX_PRUNED_PER_TICK = 4;
/** How many members are sampled for a candidate before the selection is put off to the next tick. */
const MAX_SAMPLES = 32;

export interface NeighbourSelectionOptions {
  readonly self: PeerId;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Maximum number of routers that form a full mesh, in which each is linked to each. */
  readonly fullMesh: number;
  /** Maximum number of links. */
  readonly connectionLimit: number;
  /** False: this router only links to its configured targets, which others dial for it. */
  readonly discovery: boolean;
  /** Number of members that have not left, this router included. */
  readonly size: () => number;
  /** All members, in any order; only those that `isPresent` are linked. */
  readonly members: () => readonly { readonly peer: PeerId }[];
  readonly isPresent: (peer: PeerId) => boolean;
  readonly isSuspected: (peer: PeerId) => boolean;
  readonly suspected: () => readonly PeerId[];
  readonly isTarget: (peer: PeerId) => boolean;
  /** Milliseconds; undefined when there is no link or no measurement yet. */
  readonly rtt: (peer: PeerId) => number | undefined;
  /** Keeps a link to this peer from now on. When both ends select each other at once, only one is `eager`. */
  readonly dial: (peer: PeerId, eager: boolean) => void;
  /** Gives up dialling this peer; a link that exists stays. */
  readonly undial: (peer: PeerId) => void;
  /** Closes the link to this peer because there are too many. */
  readonly drop: (peer: PeerId) => void;
}

interface Neighbour {
  readonly since: number;
  /** Selected at random, which keeps the graph connected; the others give way to nearer ones in the long run. */
  readonly isRandom: boolean;
}

/**
 * Selects the members that this router keeps links to: all of them while the mesh is small, about 2 log2 N in a large one. Half of
 * these are chosen at random, which makes the mesh a random graph that hardly any failure can partition; the other half is exchanged
 * for nearer ones as time goes by.
 *
 * The selection is the active view of HyParView. There is no passive view, since every router knows all members: a link that is lost is
 * replaced by one to any other member.
 */
export class NeighbourSelection {
  readonly #options: NeighbourSelectionOptions;
  /** The active view: the peers that were selected, linked or not yet. */
  readonly #active = new Map<PeerId, Neighbour>();
  readonly #links = new Set<PeerId>();
  /** Peers that are not to be selected, and until when. */
  readonly #heldDown = new Map<PeerId, number>();
  #isFullMesh = true;
  /** The candidate whose proximity is being tried. */
  #trial: PeerId | undefined;
  #trialInterval = TRIAL_INTERVAL_MIN;
  #nextTrial = 0;
  #nextReconnect = 0;

  constructor(options: NeighbourSelectionOptions) {
    this.#options = options;
  }

  /** Each router is linked to each. */
  get isFullMesh(): boolean {
    return this.#isFullMesh;
  }

  /** This peer is in the active view: a link to it is to be kept. */
  isSelected(peer: PeerId): boolean {
    return this.#active.has(peer);
  }

  start(): void {
    const { clock, random } = this.#options;
    this.#chooseMode();
    this.#nextTrial = clock.now() + TRIAL_INTERVAL_MIN * (0.5 + random());
    this.#nextReconnect = clock.now() + RECONNECT_INTERVAL * random();
    const tick = () => {
      clock.after(TICK * (0.5 + random()), tick);
      this.#tick();
    };
    clock.after(TICK * random(), tick);
  }

  /** A link is up. `isAlone`: the peer has no other link that we know of, so that it takes the place of a neighbour if need be. */
  linkUp(peer: PeerId, isAlone: boolean): void {
    this.#links.add(peer);
    const { connectionLimit, isTarget } = this.#options;
    if (this.#links.size <= connectionLimit || isTarget(peer)) return;
    const others = isAlone ? this.#prunable().filter((other) => other !== peer) : [];
    this.#prune(this.#anyOf(others) ?? peer);
  }

  /** A link is down. `pruned`: one end had too many links. */
  linkDown(peer: PeerId, pruned: boolean): void {
    this.#links.delete(peer);
    if (pruned && !this.#isFullMesh) this.#holdDown(peer);
  }

  /** A member joined, came back or left. */
  memberChanged(peer: PeerId): void {
    this.#chooseMode();
    if (!this.#options.isPresent(peer)) this.#deselect(peer);
    else if (this.#isFullMesh) this.#select(peer, true);
  }

  #tick(): void {
    this.#chooseMode();
    if (this.#isFullMesh || !this.#options.discovery) {
      this.#pruneExcess(this.#options.connectionLimit);
      return;
    }
    const degree = this.#degree();
    this.#expire();
    this.#pruneExcess(Math.min(this.#options.connectionLimit, EXCESS_FACTOR * degree));
    const pending = [...this.#active.keys()].filter((peer) => !this.#links.has(peer)).length;
    for (let missing = degree - this.#links.size - pending; missing > 0; missing--) this.#selectOne(degree);
    this.#reconnect();
    this.#tryProximity(degree);
  }

  /** The number of links that this router aims at in a sparse mesh. */
  #degree(): number {
    const { size, connectionLimit } = this.#options;
    return Math.min(connectionLimit, Math.ceil(2 * Math.log2(size())));
  }

  #chooseMode(): void {
    const { size, fullMesh, connectionLimit } = this.#options;
    const limit = Math.min(fullMesh * (this.#isFullMesh ? HYSTERESIS : 1), connectionLimit + 1);
    const isFullMesh = size() <= limit;
    if (isFullMesh === this.#isFullMesh) return;
    this.#isFullMesh = isFullMesh;
    if (isFullMesh) {
      for (const { peer } of this.#options.members())
        if (this.#options.isPresent(peer)) this.#select(peer, true);
      return;
    }
    // Links that exist stay until there are too many; but no peer is dialled again for having been a neighbour in the full mesh.
    for (const peer of [...this.#active.keys()]) this.#deselect(peer);
  }

  #select(peer: PeerId, isRandom: boolean): void {
    const { self, discovery, clock, dial } = this.#options;
    if (peer === self || !discovery || this.#active.has(peer)) return;
    this.#active.set(peer, { since: clock.now(), isRandom });
    dial(peer, !this.#isFullMesh || self < peer);
  }

  #deselect(peer: PeerId): void {
    if (this.#active.delete(peer)) this.#options.undial(peer);
  }

  #holdDown(peer: PeerId): void {
    this.#deselect(peer);
    this.#heldDown.set(peer, this.#options.clock.now() + HOLD_DOWN);
  }

  /** Ends the hold-downs that are over, and gives up neighbours that could not be linked in time. */
  #expire(): void {
    const now = this.#options.clock.now();
    for (const [peer, until] of this.#heldDown) if (until <= now) this.#heldDown.delete(peer);
    for (const [peer, { since }] of this.#active) {
      if (!this.#links.has(peer) && now - since > LINK_TIMEOUT) this.#holdDown(peer);
    }
  }

  #pruneExcess(limit: number): void {
    const excess = Math.min(MAX_PRUNED_PER_TICK, this.#links.size - limit);
    if (excess <= 0) return;
    const victims = this.#prunable();
    for (let left = excess; left > 0 && victims.length > 0; left--) {
      const [victim] = victims.splice(Math.floor(this.#options.random() * victims.length), 1);
      if (victim !== undefined) this.#prune(victim);
    }
  }

  /** Links to configured targets are never pruned. */
  #prunable(): PeerId[] {
    return [...this.#links].filter((peer) => !this.#options.isTarget(peer));
  }

  #anyOf(peers: readonly PeerId[]): PeerId | undefined {
    return peers[Math.floor(this.#options.random() * peers.length)];
  }

  #prune(peer: PeerId): void {
    this.#holdDown(peer);
    this.#options.drop(peer);
  }

  #selectOne(degree: number): void {
    const peer = this.#randomCandidate();
    if (peer === undefined) return;
    const random = [...this.#active.values()].filter(({ isRandom }) => isRandom).length;
    this.#select(peer, random < degree / 2);
  }

  /** A member that is present and not suspected, and to which there is no link. */
  #randomCandidate(): PeerId | undefined {
    const { self, members, isPresent, isSuspected, random } = this.#options;
    const all = members();
    for (let samples = 0; samples < MAX_SAMPLES; samples++) {
      const peer = all[Math.floor(random() * all.length)]?.peer;
      if (peer === undefined || peer === self || this.#links.has(peer) || this.#active.has(peer)) continue;
      if (isPresent(peer) && !isSuspected(peer) && !this.#heldDown.has(peer)) return peer;
    }
    return undefined;
  }

  #reconnect(): void {
    const { clock, random } = this.#options;
    if (clock.now() < this.#nextReconnect) return;
    this.#nextReconnect = clock.now() + RECONNECT_INTERVAL * (0.5 + random());
    const suspected = this.#options.suspected();
    const one = suspected[Math.floor(random() * suspected.length)];
    if (one !== undefined) this.#select(one, false);
  }

  /** Links a random candidate, and at the next trial keeps it in place of the farthest neighbour, or lets it go. */
  #tryProximity(degree: number): void {
    const { clock, random } = this.#options;
    if (clock.now() < this.#nextTrial) return;
    if (this.#trial !== undefined) {
      this.#endTrial(this.#trial);
      this.#trial = undefined;
      this.#nextTrial = clock.now() + this.#trialInterval * (0.5 + random());
    } else if (this.#links.size >= degree) {
      this.#trial = this.#randomCandidate();
      if (this.#trial !== undefined) this.#select(this.#trial, false);
      this.#nextTrial = clock.now() + LINK_TIMEOUT;
    }
  }

  #endTrial(candidate: PeerId): void {
    const { rtt, isTarget } = this.#options;
    const replaceable = [...this.#active].filter(
      ([peer, { isRandom }]) => !isRandom && peer !== candidate && !isTarget(peer) && this.#links.has(peer),
    );
    const rttOf = (peer: PeerId) => rtt(peer) ?? Infinity;
    const farthest = replaceable.map(([peer]) => peer).sort((a, b) => rttOf(b) - rttOf(a))[0];
    const isNearer = farthest !== undefined && rttOf(candidate) < RTT_IMPROVEMENT * rttOf(farthest);
    this.#trialInterval = isNearer
      ? TRIAL_INTERVAL_MIN
      : Math.min(TRIAL_INTERVAL_MAX, 2 * this.#trialInterval);
    const loser = isNearer ? farthest : candidate;
    if (this.#links.has(loser)) this.#prune(loser);
    else this.#holdDown(loser);
  }
}
