import type { Clock } from '../clock.js';
import { WeftError } from '../errors.js';
import { Channels, type GossipChannel, type OpenChannel } from '../gossip/index.js';
import type { Identity, PeerId } from '../identity/index.js';
import type { LinkMessage } from './link/index.js';
import {
  encodeRecord,
  MAX_LINKS,
  type MemberRecord,
  Membership,
  type RecordReader,
  type SelfDescription,
} from './membership/index.js';
import { MessageRouter, NeighbourSelection, Routes } from './routing/index.js';
import type { MeshLimits, MeshTimings } from './types.js';

/** How long changes of our links are collected before our record advertises them, in milliseconds: a lost link is urgent news. */
const LOST_LINKS_DELAY = 200;
const NEW_LINKS_DELAY = 1_000;
/** New links beyond this number are less urgent the more there are: when a router joins, all others have one more, and few need to know. */
const FEW_LINKS = 8;
/**
 * How often a random member is checked for reachability, in milliseconds: by each router of a small mesh, and by any one router of a
 * large mesh.
 */
const REACHABILITY_CHECK_SMALL = 5_000;
const REACHABILITY_CHECK_LARGE = 30_000;

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
  /** Keeps a link to this member. When both ends select each other at once, only one is `eager`. */
  dial(peer: PeerId, eager: boolean): void;
  undial(peer: PeerId): void;
  /** Closes the link to this peer because there are too many. */
  drop(peer: PeerId): void;
  isTarget(peer: PeerId): boolean;
}

export interface CoreEvents {
  member(record: MemberRecord): void;
  message(peer: PeerId, channel: string, bytes: Buffer): void;
  /** Something that a neighbour sent was dropped. */
  refused(error: WeftError, from: PeerId): void;
  /** This neighbour holds a record of ours that supersedes our own. */
  superseded(from: PeerId): void;
}

/** A removal (`weft rmpeer`) or expulsion of a peer, as its statement says. */
export interface Removal {
  readonly expelled: boolean;
  /** The last incarnation of the peer that counts as removed. */
  readonly incarnation: number;
}

/**
 * What a router does with its links, without the links: membership, gossip, routes and the selection of neighbours. It has no I/O and no
 * clock of its own, so that thousands of them can be run in one process in virtual time.
 */
export class Core {
  readonly membership: Membership;
  readonly #options: CoreOptions;
  readonly #channels: Channels;
  readonly #selection: NeighbourSelection;
  readonly #routes: Routes;
  readonly #router: MessageRouter;
  readonly #linked = new Set<PeerId>();
  #membersChanged: () => void = () => {};
  #cancelAdvertising: (() => void) | undefined;
  #advertisingAt = Infinity;

  constructor(options: CoreOptions) {
    this.#options = options;
    this.#channels = this.#newChannels();
    this.membership = this.#newMembership();
    this.#membersChanged = this.#channels.open(this.membership).changed;
    this.#selection = this.#newSelection();
    this.#routes = this.#newRoutes();
    this.#router = new MessageRouter({
      identity: options.identity,
      random: options.random,
      membership: this.membership,
      routes: this.#routes,
      neighbours: () => [...this.#linked],
      send: (to, message) => options.links.send(to, message),
      onMessage: (source, channel, bytes) => options.events.message(source, channel, bytes),
      onRefused: (error, from) => options.events.refused(error, from),
    });
  }

  start(): void {
    this.#channels.start();
    this.#selection.start();
    this.#checkReachabilityLater();
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
    this.#selection.linkUp(peer, isAlone);
    this.#advertiseLinksWithin(NEW_LINKS_DELAY * Math.max(1, this.#linked.size / FEW_LINKS));
  }

  /** The last link to this peer is gone. `pruned`: one end had too many. */
  linkDown(peer: PeerId, pruned: boolean): void {
    if (!this.#linked.delete(peer)) return;
    this.#channels.linkDown(peer);
    this.#selection.linkDown(peer, pruned);
    this.#advertiseLinksWithin(LOST_LINKS_DELAY);
    if (pruned) return;
    this.#options.clock.after(this.#options.timings.relinkTime, () => {
      if (!this.#linked.has(peer)) this.membership.suspect(peer);
    });
  }

  /** The send queue of the link to this peer is empty. */
  drained(peer: PeerId): void {
    this.#channels.drained(peer);
  }

  /** Merges a record that its owner showed us. */
  introduce(record: MemberRecord): void {
    try {
      if (!this.membership.mergeRecord(record, record.peer)) return;
      this.#channels.relay(this.membership.name, record.peer, encodeRecord(record));
    } catch (error) {
      if (!(error instanceof WeftError)) throw error;
      this.#options.events.refused(error, record.peer);
    }
  }

  /** Handles a message that a neighbour sent. */
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
        this.#router.receive(from, message);
        break;
    }
  }

  /** Sends to a member, over other routers where there is no link; false when nobody can take the message. It may be lost on the way. */
  send(destination: PeerId, channel: string, bytes: Uint8Array): boolean {
    if (!this.#linked.has(destination)) return this.#router.send(destination, channel, bytes);
    return this.#options.links.send(destination, { type: 'unicast', channel, bytes });
  }

  /**
   * A peer was removed or expelled. It is forgotten with all that it said, unless it is back in a later incarnation already; when this
   * router itself was removed, it begins a later one. True when the peer was forgotten.
   */
  remove(peer: PeerId, { expelled, incarnation }: Removal): boolean {
    if (!expelled && (this.membership.get(peer)?.content.incarnation ?? 0) > incarnation) return false;
    if (peer === this.#options.identity.peer) {
      if (!expelled) this.membership.beginIncarnation(incarnation);
      return false;
    }
    this.#router.forget(peer);
    this.membership.forget(peer);
    this.#selection.memberChanged(peer);
    this.#options.links.undial(peer);
    return true;
  }

  /** A link to this peer is to be kept. */
  isSelected(peer: PeerId): boolean {
    return this.#selection.isSelected(peer);
  }

  /** A path to this member is known. */
  isReachable(peer: PeerId): boolean {
    return this.#routes.nextHop(peer) !== undefined;
  }

  /** The links that a member advertises; none in a large mesh. */
  neighboursOf(peer: PeerId): readonly PeerId[] {
    if (peer === this.#options.identity.peer) return [...this.#linked];
    return this.membership.get(peer)?.content.links ?? [];
  }

  /** The links that members advertise are kept up to date only while the mesh is small. */
  #linksOf(peer: PeerId): readonly PeerId[] {
    return this.#selection.isFullMesh ? this.neighboursOf(peer) : [];
  }

  #newChannels(): Channels {
    const { identity, clock, random, timings, links, events } = this.#options;
    return new Channels({
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
  }

  #newMembership(): Membership {
    const { identity, startedAt, self, limits, clock, timings, reader, known, admits, events } =
      this.#options;
    return new Membership({
      identity,
      startedAt,
      self,
      limit: limits.members,
      clock,
      suspicionTime: timings.suspicionTime,
      leftTime: timings.leftTime,
      ...(reader === undefined ? {} : { reader }),
      ...(known === undefined ? {} : { known }),
      ...(admits === undefined ? {} : { admits }),
      events: {
        changed: () => this.#membersChanged(),
        member: (record) => this.#onMember(record),
        superseded: (from) => events.superseded(from),
      },
    });
  }

  #newSelection(): NeighbourSelection {
    const { identity, clock, random, limits, links, discovery } = this.#options;
    return new NeighbourSelection({
      self: identity.peer,
      clock,
      random,
      fullMesh: limits.fullMesh,
      connectionLimit: limits.connections,
      discovery,
      size: () => this.membership.present,
      members: () => this.membership.all(),
      isPresent: (peer) => this.membership.get(peer)?.content.left === false,
      isSuspected: (peer) => this.membership.isSuspected(peer),
      suspected: () => this.membership.suspected(),
      isTarget: (peer) => links.isTarget(peer),
      rtt: (peer) => links.rtt(peer),
      dial: (peer, eager) => links.dial(peer, eager),
      undial: (peer) => links.undial(peer),
      drop: (peer) => links.drop(peer),
    });
  }

  #newRoutes(): Routes {
    return new Routes({
      self: this.#options.identity.peer,
      isLinked: (peer) => this.#linked.has(peer),
      neighbours: () => [...this.#linked],
      linksOf: (peer) => this.#linksOf(peer),
      reversePath: (peer) => (this.membership.isDown(peer) ? undefined : this.membership.member(peer)?.via),
    });
  }

  #onMember(record: MemberRecord): void {
    if (record.content.left) this.#router.forget(record.peer);
    const wasFullMesh = this.#selection.isFullMesh;
    this.#selection.memberChanged(record.peer);
    if (this.#selection.isFullMesh !== wasFullMesh) this.#advertiseLinksWithin(NEW_LINKS_DELAY);
    this.#options.events.member(record);
  }

  #advertiseLinksWithin(delay: number): void {
    const { clock } = this.#options;
    if (this.#advertisingAt <= clock.now() + delay) return;
    this.#cancelAdvertising?.();
    this.#advertisingAt = clock.now() + delay;
    this.#cancelAdvertising = clock.after(delay, () => {
      this.#advertisingAt = Infinity;
      const isAdvertised = this.#selection.isFullMesh && this.#linked.size <= MAX_LINKS;
      this.membership.update({ links: isAdvertised ? [...this.#linked].sort() : [] });
    });
  }

  /** Suspects members that no path leads to. The routers whose links a partition cut notice it at once, all others only by this check. */
  #checkReachabilityLater(): void {
    const { clock, random } = this.#options;
    const interval = this.#selection.isFullMesh
      ? REACHABILITY_CHECK_SMALL
      : REACHABILITY_CHECK_LARGE * this.membership.size;
    clock.after(interval * (0.5 + random()), () => {
      this.#checkReachabilityLater();
      const members = this.membership.all();
      const peer = members[Math.floor(random() * members.length)]?.peer;
      if (peer !== undefined && this.#linked.size > 0 && !this.isReachable(peer))
        this.membership.suspect(peer);
    });
  }
}
