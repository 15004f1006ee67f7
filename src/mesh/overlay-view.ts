import type { Clock } from '../clock.js';
import type { PeerId } from '../identity/index.js';

/** A mesh that grew beyond full is made sparse only when it is larger by this factor, so that it does not go back and forth. */
const HYSTERESIS = 1.25;
/** All in milliseconds. */
const TICK = 1_000;
/** A peer that was chosen and cannot be linked within this time is given up for another. */
const PATIENCE = 10_000;
/** A peer that would not have us, or could not be linked, is left alone for so long. */
const AVOIDANCE = 60_000;
/** How often a member that is down is tried all the same: it may be behind a partition that has healed. */
const REVIVAL = 30_000;
/** How often a stranger is tried for its nearness; doubles as long as nobody is nearer than those that are linked. */
const TRIAL_MIN = 60_000;
const TRIAL_MAX = 1_800_000;
/** A stranger must be nearer by this factor. */
const NEARER = 0.7;
/** Links beyond this multiple of the wanted number are too many. */
const SURPLUS_FACTOR = 3;
/** Surplus links that are closed in a tick: the other ends close some, too. */
const CLOSED_AT_ONCE = 4;
/** How often chance may hit a peer that does not fit before the choice is put off. */
const TRIES = 32;

export interface ViewOptions {
  readonly self: PeerId;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Up to so many routers, everybody links to everybody. */
  readonly fullMesh: number;
  /** Most links. */
  readonly connectionLimit: number;
  /** False: only configured targets are dialled, which is not done here. */
  readonly discovery: boolean;
  /** Members that did not leave, ourselves included. */
  readonly size: () => number;
  /** All members, in any order; only those that `isPresent` are linked. */
  readonly members: () => readonly { readonly peer: PeerId }[];
  readonly isPresent: (peer: PeerId) => boolean;
  /** Members that cannot be reached, as far as anybody knows. */
  readonly isLost: (peer: PeerId) => boolean;
  readonly lost: () => readonly PeerId[];
  readonly isTarget: (peer: PeerId) => boolean;
  /** Milliseconds; undefined when there is no link or no measurement yet. */
  readonly rtt: (peer: PeerId) => number | undefined;
  /** Keep a link to this peer, from now on. When both ends come to want it at once, only one is `eager`. */
  readonly dial: (peer: PeerId, eager: boolean) => void;
  /** Do not try any more; a link that is there stays. */
  readonly undial: (peer: PeerId) => void;
  /** Close the link to this peer: there are too many. */
  readonly drop: (peer: PeerId) => void;
}

interface Wanted {
  readonly since: number;
  /** Chosen by chance, and kept for the sake of the graph; the others are chosen for their nearness, in the long run. */
  readonly byChance: boolean;
}

/**
 * To whom this router keeps links: to everybody while the mesh is small, to about 2 log2 N others in a large one: half of them chosen by
 * chance, which makes the mesh a random graph that hardly any failure can cut, half of them exchanged for nearer ones as time goes by.
 *
 * Since every router knows all members, nobody needs a passive view: a link that is lost is replaced by one to any other member.
 */
export class OverlayView {
  readonly #options: ViewOptions;
  readonly #wanted = new Map<PeerId, Wanted>();
  readonly #links = new Set<PeerId>();
  /** Until when. */
  readonly #avoided = new Map<PeerId, number>();
  #full = true;
  #trial: PeerId | undefined;
  #trialInterval = TRIAL_MIN;
  #nextTrial = 0;
  #nextRevival = 0;

  constructor(options: ViewOptions) {
    this.#options = options;
  }

  /** Everybody links to everybody. */
  get isFull(): boolean {
    return this.#full;
  }

  /** A link to this peer is to be kept. */
  wants(peer: PeerId): boolean {
    return this.#wanted.has(peer);
  }

  start(): void {
    const { clock, random } = this.#options;
    this.#chooseMode();
    this.#nextTrial = clock.now() + TRIAL_MIN * (0.5 + random());
    this.#nextRevival = clock.now() + REVIVAL * random();
    const tick = () => {
      clock.after(TICK * (0.5 + random()), tick);
      this.#tick();
    };
    clock.after(TICK * random(), tick);
  }

  /** `isAlone`: as far as we know it has no other link: it gets the place of another, lest nobody has one for it. */
  linkUp(peer: PeerId, isAlone: boolean): void {
    this.#links.add(peer);
    const { connectionLimit, isTarget } = this.#options;
    if (this.#links.size <= connectionLimit || isTarget(peer)) return;
    const others = isAlone ? this.#dispensable().filter((other) => other !== peer) : [];
    this.#close(this.#anyOf(others) ?? peer);
  }

  /** `refused`: the other end has too many links. */
  linkDown(peer: PeerId, refused: boolean): void {
    this.#links.delete(peer);
    if (refused && !this.#full) this.#giveUp(peer);
  }

  /** A member is new, or is back, or has gone. */
  memberChanged(peer: PeerId): void {
    this.#chooseMode();
    if (!this.#options.isPresent(peer)) this.#unwant(peer);
    else if (this.#full) this.#want(peer, true);
  }

  #tick(): void {
    this.#chooseMode();
    if (this.#full || !this.#options.discovery) {
      this.#closeSurplus(this.#options.connectionLimit);
      return;
    }
    const degree = this.#degree();
    this.#giveUpLate();
    this.#closeSurplus(Math.min(this.#options.connectionLimit, SURPLUS_FACTOR * degree));
    const pending = [...this.#wanted.keys()].filter((peer) => !this.#links.has(peer)).length;
    for (let missing = degree - this.#links.size - pending; missing > 0; missing--) this.#chooseOne(degree);
    this.#tryRevival();
    this.#tryNearness(degree);
  }

  #degree(): number {
    const { size, connectionLimit } = this.#options;
    return Math.min(connectionLimit, Math.ceil(2 * Math.log2(size())));
  }

  #chooseMode(): void {
    const { size, fullMesh, connectionLimit } = this.#options;
    const most = Math.min(fullMesh * (this.#full ? HYSTERESIS : 1), connectionLimit + 1);
    const full = size() <= most;
    if (full === this.#full) return;
    this.#full = full;
    if (full) {
      for (const { peer } of this.#options.members())
        if (this.#options.isPresent(peer)) this.#want(peer, true);
      return;
    }
    // Those that are linked stay until they are too many; nobody is dialled again for having been a neighbour of the full mesh.
    for (const peer of [...this.#wanted.keys()]) this.#unwant(peer);
  }

  #want(peer: PeerId, byChance: boolean): void {
    const { self, discovery, clock, dial } = this.#options;
    if (peer === self || !discovery || this.#wanted.has(peer)) return;
    this.#wanted.set(peer, { since: clock.now(), byChance });
    dial(peer, !this.#full || self < peer);
  }

  #unwant(peer: PeerId): void {
    if (this.#wanted.delete(peer)) this.#options.undial(peer);
  }

  #giveUp(peer: PeerId): void {
    this.#unwant(peer);
    this.#avoided.set(peer, this.#options.clock.now() + AVOIDANCE);
  }

  #giveUpLate(): void {
    const now = this.#options.clock.now();
    for (const [peer, until] of this.#avoided) if (until <= now) this.#avoided.delete(peer);
    for (const [peer, { since }] of this.#wanted) {
      if (!this.#links.has(peer) && now - since > PATIENCE) this.#giveUp(peer);
    }
  }

  #closeSurplus(most: number): void {
    const surplus = Math.min(CLOSED_AT_ONCE, this.#links.size - most);
    if (surplus <= 0) return;
    const victims = this.#dispensable();
    for (let left = surplus; left > 0 && victims.length > 0; left--) {
      const [victim] = victims.splice(Math.floor(this.#options.random() * victims.length), 1);
      if (victim !== undefined) this.#close(victim);
    }
  }

  #dispensable(): PeerId[] {
    return [...this.#links].filter((peer) => !this.#options.isTarget(peer));
  }

  #anyOf(peers: readonly PeerId[]): PeerId | undefined {
    return peers[Math.floor(this.#options.random() * peers.length)];
  }

  #close(peer: PeerId): void {
    this.#giveUp(peer);
    this.#options.drop(peer);
  }

  #chooseOne(degree: number): void {
    const peer = this.#stranger();
    if (peer === undefined) return;
    const chosen = [...this.#wanted.values()].filter(({ byChance }) => byChance).length;
    this.#want(peer, chosen < degree / 2);
  }

  /** Somebody present whom we have no link to. */
  #stranger(): PeerId | undefined {
    const { self, members, isPresent, isLost, random } = this.#options;
    const all = members();
    for (let tries = 0; tries < TRIES; tries++) {
      const peer = all[Math.floor(random() * all.length)]?.peer;
      if (peer === undefined || peer === self || this.#links.has(peer) || this.#wanted.has(peer)) continue;
      if (isPresent(peer) && !isLost(peer) && !this.#avoided.has(peer)) return peer;
    }
    return undefined;
  }

  #tryRevival(): void {
    const { clock, random } = this.#options;
    if (clock.now() < this.#nextRevival) return;
    this.#nextRevival = clock.now() + REVIVAL * (0.5 + random());
    const lost = this.#options.lost();
    const one = lost[Math.floor(random() * lost.length)];
    if (one !== undefined) this.#want(one, false);
  }

  /** Links a stranger, and at the next look keeps it in the place of the farthest, or lets it go. */
  #tryNearness(degree: number): void {
    const { clock, random } = this.#options;
    if (clock.now() < this.#nextTrial) return;
    if (this.#trial !== undefined) {
      this.#judge(this.#trial);
      this.#trial = undefined;
      this.#nextTrial = clock.now() + this.#trialInterval * (0.5 + random());
    } else if (this.#links.size >= degree) {
      this.#trial = this.#stranger();
      if (this.#trial !== undefined) this.#want(this.#trial, false);
      this.#nextTrial = clock.now() + PATIENCE;
    }
  }

  #judge(stranger: PeerId): void {
    const { rtt, isTarget } = this.#options;
    const near = [...this.#wanted].filter(
      ([peer, { byChance }]) => !byChance && peer !== stranger && !isTarget(peer) && this.#links.has(peer),
    );
    const rttOf = (peer: PeerId) => rtt(peer) ?? Infinity;
    const farthest = near.map(([peer]) => peer).sort((a, b) => rttOf(b) - rttOf(a))[0];
    const better = farthest !== undefined && rttOf(stranger) < NEARER * rttOf(farthest);
    this.#trialInterval = better ? TRIAL_MIN : Math.min(TRIAL_MAX, 2 * this.#trialInterval);
    const loser = better ? farthest : stranger;
    if (this.#links.has(loser)) this.#close(loser);
    else this.#giveUp(loser);
  }
}
