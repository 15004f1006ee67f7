import type { Clock } from '../clock.js';
import { WeftError } from '../errors.js';
import type { Identity, PeerId } from '../identity/index.js';
import type { GossipChannel, OpenChannel } from './channel.js';
import { Channels } from './channels.js';
import { encodeRecord } from './member-deltas.js';
import { Membership, type RecordReader, type SelfDescription } from './membership.js';
import type { LinkMessage } from './messages.js';
import { OverlayView } from './overlay-view.js';
import { MAX_LINKS, type MemberRecord } from './record.js';
import { checkLetter, LetterWindow, type Routed, sealLetter } from './routed.js';
import { Routes } from './routes.js';
import type { MeshLimits, MeshTimings } from './types.js';

/** Changes of our links are collected for so long before our record tells of them (milliseconds): one that is lost is urgent news. */
const LOST_LINKS_DELAY = 200;
const NEW_LINKS_DELAY = 1_000;
/** One more than so many is less urgent news, the more there are: all tell of theirs when one joins, and hardly anybody needs to know. */
const FEW_LINKS = 8;
/** So often (milliseconds) a member chosen by chance is asked after, if no way to it is known: by each router of a small mesh, by one of a large one. */
const SEARCH_SMALL = 5_000;
const SEARCH_LARGE = 30_000;
/** A message for which no way is known is handed to anybody, so many times. */
const MAX_WANDERING = 8;

export interface CoreOptions {
  readonly identity: Identity;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Unix time in milliseconds. */
  readonly startedAt: number;
  readonly self: SelfDescription;
  readonly limits: Pick<MeshLimits, 'fullMesh' | 'members' | 'connections'>;
  readonly timings: Pick<
    MeshTimings,
    'gossipDelay' | 'antiEntropy' | 'relinkTime' | 'suspicionTime' | 'leftTime'
  >;
  /** Links are made to members that are not configured targets. */
  readonly discovery: boolean;
  readonly reader?: RecordReader;
  /** Members that are known from the beginning, sorted by id. */
  readonly known?: readonly MemberRecord[];
  readonly admits?: (peer: PeerId, incarnation: number) => boolean;
  readonly links: CoreLinks;
  readonly events: CoreEvents;
}

/** The links, as the core uses them. */
export interface CoreLinks {
  /** False when there is no usable link or its queue is full. */
  send(to: PeerId, message: LinkMessage): boolean;
  /** Milliseconds. */
  rtt(peer: PeerId): number | undefined;
  /** Keep a link to this member. When both ends come to want it at once, only one is `eager`. */
  dial(peer: PeerId, eager: boolean): void;
  undial(peer: PeerId): void;
  /** Close the link to this peer; there are too many. */
  drop(peer: PeerId): void;
  isTarget(peer: PeerId): boolean;
}

export interface CoreEvents {
  member(record: MemberRecord): void;
  message(peer: PeerId, channel: string, bytes: Buffer): void;
  /** Something of a neighbour was dropped. */
  refused(error: WeftError, from: PeerId): void;
  /** This neighbour holds a newer record of ours than we do. */
  outdone(from: PeerId): void;
}

/**
 * What a router does with its links, without the links: membership, gossip, routes and the choice of neighbours. It has no I/O and no clock of
 * its own, so that thousands of them can be run in one process in virtual time.
 */
export class Core {
  readonly membership: Membership;
  readonly #options: CoreOptions;
  readonly #channels: Channels;
  readonly #view: OverlayView;
  readonly #routes: Routes;
  readonly #linked = new Set<PeerId>();
  readonly #letters = new Map<PeerId, LetterWindow>();
  #membersChanged: () => void = () => {};
  #cancelTelling: (() => void) | undefined;
  #tellingAt = Infinity;
  #sentLetters = 0;

  constructor(options: CoreOptions) {
    this.#options = options;
    const { identity, clock, random, timings, limits, links, events } = options;
    this.#channels = new Channels({
      self: identity.peer,
      clock,
      random,
      delay: timings.gossipDelay,
      antiEntropy: timings.antiEntropy,
      neighbours: () => [...this.#linked],
      linksOf: (peer) => this.#linksOf(peer),
      send: (to, message) => links.send(to, message),
      onRefused: (error, from) => events.refused(error, from),
    });
    this.membership = new Membership({
      identity,
      startedAt: options.startedAt,
      self: options.self,
      limit: limits.members,
      clock,
      suspicionTime: timings.suspicionTime,
      leftTime: timings.leftTime,
      ...(options.reader === undefined ? {} : { reader: options.reader }),
      ...(options.known === undefined ? {} : { known: options.known }),
      ...(options.admits === undefined ? {} : { admits: options.admits }),
      events: {
        changed: () => this.#membersChanged(),
        member: (record) => this.#onMember(record),
        outdone: (from) => events.outdone(from),
      },
    });
    this.#membersChanged = this.#channels.open(this.membership).changed;
    this.#view = this.#newView();
    this.#routes = new Routes({
      self: identity.peer,
      isLinked: (peer) => this.#linked.has(peer),
      neighbours: () => [...this.#linked],
      linksOf: (peer) => this.#linksOf(peer),
      wayBack: (peer) => (this.membership.isDown(peer) ? undefined : this.membership.member(peer)?.via),
    });
  }

  start(): void {
    this.#channels.start();
    this.#view.start();
    this.#searchLater();
  }

  /** Tells the others what they do not know yet. */
  flush(): void {
    this.#channels.flush();
  }

  openChannel(channel: GossipChannel): OpenChannel {
    return this.#channels.open(channel);
  }

  /** A link is up; its other end introduced itself with this record. */
  linkUp(peer: PeerId, record: MemberRecord): void {
    const known = this.membership.get(peer);
    const isAlone = known === undefined || known.content.left || this.membership.isSuspected(peer);
    this.#linked.add(peer);
    this.introduce(record);
    this.#channels.linkUp(peer);
    this.#view.linkUp(peer, isAlone);
    this.#tellLinksWithin(NEW_LINKS_DELAY * Math.max(1, this.#linked.size / FEW_LINKS));
  }

  /** The last link to this peer is gone. `surplus`: one end had too many. */
  linkDown(peer: PeerId, surplus: boolean): void {
    if (!this.#linked.delete(peer)) return;
    this.#channels.linkDown(peer);
    this.#view.linkDown(peer, surplus);
    this.#tellLinksWithin(LOST_LINKS_DELAY);
    if (surplus) return;
    this.#options.clock.after(this.#options.timings.relinkTime, () => {
      if (!this.#linked.has(peer)) this.membership.suspect(peer);
    });
  }

  /** What waited on the link to this peer has been sent. */
  drained(peer: PeerId): void {
    this.#channels.drained(peer);
  }

  /** Takes in a record that its owner showed us. */
  introduce(record: MemberRecord): void {
    try {
      if (!this.membership.mergeRecord(record, record.peer)) return;
      this.#channels.passOn(this.membership.name, record.peer, encodeRecord(record));
    } catch (error) {
      if (!(error instanceof WeftError)) throw error;
      this.#options.events.refused(error, record.peer);
    }
  }

  /** Takes in what a neighbour sent. */
  receive(from: PeerId, message: LinkMessage): void {
    switch (message.type) {
      case 'deltas':
        this.#channels.receiveDeltas(from, message.channel, message.deltas);
        break;
      case 'digest':
        this.#channels.receiveDigest(from, message);
        break;
      case 'unicast':
        this.#options.events.message(from, message.channel, Buffer.from(message.bytes));
        break;
      case 'routed':
        this.#onRouted(from, message);
        break;
    }
  }

  /** Sends to a member, over others where there is no link; false when there is nobody to hand it to. It may be lost on the way. */
  send(destination: PeerId, channel: string, bytes: Uint8Array): boolean {
    const { identity, links } = this.#options;
    if (this.#linked.has(destination)) return links.send(destination, { type: 'unicast', channel, bytes });
    const record = this.membership.get(destination);
    if (record === undefined || destination === identity.peer) return false;
    const sealed = sealLetter(identity, {
      source: identity.peer,
      destination,
      incarnation: this.membership.self.content.incarnation,
      count: this.#sentLetters++,
      destinationIncarnation: record.content.incarnation,
      channel,
      bytes,
    });
    return this.#forward(sealed, undefined);
  }

  /** Forgets a member and all that it said. */
  remove(peer: PeerId): void {
    this.#letters.delete(peer);
    this.membership.bury(peer);
    this.#view.memberChanged(peer);
    this.#options.links.undial(peer);
  }

  /** A link to this peer is to be kept. */
  wants(peer: PeerId): boolean {
    return this.#view.wants(peer);
  }

  /** A way to this member is known. */
  isReachable(peer: PeerId): boolean {
    return this.#routes.nextHop(peer) !== undefined;
  }

  /** The links that a member tells of; none in a large mesh. */
  neighboursOf(peer: PeerId): readonly PeerId[] {
    if (peer === this.#options.identity.peer) return [...this.#linked];
    return this.membership.get(peer)?.content.links ?? [];
  }

  /** What a member tells of its links is kept up to date only while the mesh is small. */
  #linksOf(peer: PeerId): readonly PeerId[] {
    return this.#view.isFull ? this.neighboursOf(peer) : [];
  }

  #newView(): OverlayView {
    const { identity, clock, random, limits, links, discovery } = this.#options;
    return new OverlayView({
      self: identity.peer,
      clock,
      random,
      fullMesh: limits.fullMesh,
      connectionLimit: limits.connections,
      discovery,
      size: () => this.membership.present,
      members: () => this.membership.all(),
      isPresent: (peer) => this.membership.get(peer)?.content.left === false,
      isLost: (peer) => this.membership.isSuspected(peer),
      lost: () => this.membership.suspected(),
      isTarget: (peer) => links.isTarget(peer),
      rtt: (peer) => links.rtt(peer),
      dial: (peer, eager) => links.dial(peer, eager),
      undial: (peer) => links.undial(peer),
      drop: (peer) => links.drop(peer),
    });
  }

  #onMember(record: MemberRecord): void {
    if (record.content.left) this.#letters.delete(record.peer);
    const wasFull = this.#view.isFull;
    this.#view.memberChanged(record.peer);
    if (this.#view.isFull !== wasFull) this.#tellLinksWithin(NEW_LINKS_DELAY);
    this.#options.events.member(record);
  }

  #onRouted(from: PeerId, message: Routed): void {
    const { identity, events } = this.#options;
    if (message.letter.destination !== identity.peer) {
      if (!this.#forward({ ...message, hops: message.hops - 1 }, from)) events.refused(NO_ROUTE, from);
      return;
    }
    try {
      this.#deliver(message);
    } catch (error) {
      if (!(error instanceof WeftError)) throw error;
      events.refused(error, from);
    }
  }

  #deliver(message: Routed): void {
    const { source, channel, bytes, destinationIncarnation } = message.letter;
    const record = this.membership.get(source);
    if (record === undefined)
      throw new WeftError('unknown-source', 'a routed message is from nobody we know');
    if (destinationIncarnation !== this.membership.self.content.incarnation) {
      throw new WeftError('stale-message', 'a routed message is for an earlier run of this router');
    }
    checkLetter(message, record.content.publicKey);
    const window = this.#letters.get(source) ?? new LetterWindow();
    this.#letters.set(source, window);
    if (!window.admit(message.letter)) {
      throw new WeftError('repeated-message', 'a routed message came twice');
    }
    this.#options.events.message(source, channel, Buffer.from(bytes));
  }

  /**
   * Hands a letter to the next hop. Where the way is lost it wanders: most routers know one. If that does not help, the destination is suspected,
   * whose answer shows everybody the way.
   */
  #forward(message: Routed, from: PeerId | undefined): boolean {
    const { links } = this.#options;
    const { destination } = message.letter;
    const known = this.#routes.nextHop(destination);
    const isWay = known !== undefined && known !== from;
    const next = isWay ? known : this.#anybodyBut(from);
    const hops = isWay ? message.hops : Math.min(message.hops, MAX_WANDERING);
    if (next !== undefined && hops > 0) return links.send(next, { type: 'routed', ...message, hops });
    this.membership.suspect(destination);
    return false;
  }

  #anybodyBut(from: PeerId | undefined): PeerId | undefined {
    const others = [...this.#linked].filter((peer) => peer !== from);
    return others[Math.floor(this.#options.random() * others.length)];
  }

  #tellLinksWithin(delay: number): void {
    const { clock } = this.#options;
    if (this.#tellingAt <= clock.now() + delay) return;
    this.#cancelTelling?.();
    this.#tellingAt = clock.now() + delay;
    this.#cancelTelling = clock.after(delay, () => {
      this.#tellingAt = Infinity;
      const told = this.#view.isFull && this.#linked.size <= MAX_LINKS;
      this.membership.update({ links: told ? [...this.#linked].sort() : [] });
    });
  }

  /** A partition is noticed at once by those whose links it cut; others are found unreachable one by one, by chance. */
  #searchLater(): void {
    const { clock, random } = this.#options;
    const interval = this.#view.isFull ? SEARCH_SMALL : SEARCH_LARGE * this.membership.size;
    clock.after(interval * (0.5 + random()), () => {
      this.#searchLater();
      const members = this.membership.all();
      const lost = members[Math.floor(random() * members.length)]?.peer;
      if (lost !== undefined && this.#linked.size > 0 && !this.isReachable(lost))
        this.membership.suspect(lost);
    });
  }
}

const NO_ROUTE = new WeftError(
  'no-route',
  'a routed message was dropped: no way to its destination is known',
);
