import type { Clock } from '../clock.js';
import { WeftError } from '../errors.js';
import type { PeerId } from '../identity/index.js';
import { type GossipChannel, MAX_GOSSIP_BYTES, type OpenChannel } from './channel.js';

/** More news of others at once than this (bytes) is a whole state: it is offered by digest, not pushed to those who may have it. */
const MAX_PUSHED = 16 * 1024;
/** How long a channel that was offered is not offered again, in milliseconds. */
const OFFER_INTERVAL = 1_000;
/** How long one end of a new link waits for the other's digests before it sends its own, in milliseconds. */
const SECOND_DIGEST = 1_000;

export interface ChannelsOptions {
  readonly self: PeerId;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Milliseconds for which deltas are collected. */
  readonly delay: number;
  /** Milliseconds, on average, between two digests to random neighbours. */
  readonly antiEntropy: number;
  /** Peers with a usable link. */
  readonly neighbours: () => readonly PeerId[];
  /** The links that a peer tells of, if it does: whom it told what it told us. */
  readonly linksOf: (peer: PeerId) => readonly PeerId[];
  /** False when the link's queue is full. */
  readonly send: (to: PeerId, message: ChannelMessage) => boolean;
  readonly onRefused: (error: WeftError, from: PeerId) => void;
}

export interface ChannelDigest {
  readonly channel: string;
  /** It answers one: it is not to be answered with another of the whole. */
  readonly answer: boolean;
  readonly digest: Uint8Array;
}

export type ChannelMessage =
  | { readonly type: 'deltas'; readonly channel: string; readonly deltas: readonly Uint8Array[] }
  | ({ readonly type: 'digest' } & ChannelDigest);

/** A delta that waits, and whom it need not be sent to. */
interface Pending {
  readonly delta: Uint8Array;
  readonly known: Set<PeerId>;
}

interface Carried {
  readonly channel: GossipChannel;
  /** By the delta's bytes. */
  readonly news: Map<string, Pending>;
  newsBytes: number;
  /** The channel itself has deltas to take. */
  changed: boolean;
  cancelFlush: (() => void) | undefined;
  cancelOffer: (() => void) | undefined;
  offeredAt: number;
}

/**
 * Carries gossip channels over the links: deltas at once to all neighbours that do not have them from where they came, digests at the start of a link and
 * then to a random neighbour now and again, which repair whatever was lost.
 *
 * Nothing that a neighbour sends makes it throw: what a channel refuses is told and forgotten.
 */
export class Channels {
  readonly #options: ChannelsOptions;
  readonly #channels = new Map<string, Carried>();
  /** Neighbours whose queue was full: they get digests once it is empty. */
  readonly #behind = new Set<PeerId>();
  /** Neighbours that are to send the first digests of a new link. */
  readonly #expected = new Map<PeerId, () => void>();
  #cancelAntiEntropy: (() => void) | undefined;

  constructor(options: ChannelsOptions) {
    this.#options = options;
  }

  /** Begins the repairs by digest. */
  start(): void {
    const { clock, antiEntropy, random } = this.#options;
    this.#cancelAntiEntropy = clock.after(antiEntropy * (0.5 + random()), () => {
      const neighbours = this.#options.neighbours();
      const lucky = neighbours[Math.floor(random() * neighbours.length)];
      if (lucky !== undefined) this.#sendDigests(lucky);
      this.start();
    });
  }

  stop(): void {
    this.#cancelAntiEntropy?.();
    for (const peer of this.#expected.keys()) this.#forgetExpected(peer);
    for (const carried of this.#channels.values()) cancel(carried);
  }

  /** Throws `channel-in-use`. */
  open(channel: GossipChannel): OpenChannel {
    const { name } = channel;
    if (this.#channels.has(name)) {
      throw new WeftError('channel-in-use', `the gossip channel ${name} is open already`);
    }
    const carried: Carried = {
      channel,
      news: new Map(),
      newsBytes: 0,
      changed: false,
      cancelFlush: undefined,
      cancelOffer: undefined,
      offeredAt: -Infinity,
    };
    this.#channels.set(name, carried);
    for (const peer of this.#options.neighbours()) this.#sendDigest(peer, carried, false, channel.digest());
    return {
      changed: () => {
        if (this.#channels.get(name) !== carried) return;
        carried.changed = true;
        this.#flushSoon(carried);
      },
      close: () => {
        if (this.#channels.get(name) !== carried) return;
        cancel(carried);
        this.#channels.delete(name);
      },
    };
  }

  /** A link is up. One end sends its digests at once; the other only when none came. */
  linkUp(peer: PeerId): void {
    if (this.#options.self < peer) {
      this.#sendDigests(peer);
      return;
    }
    this.#forgetExpected(peer);
    const stopWaiting = this.#options.clock.after(SECOND_DIGEST, () => {
      this.#expected.delete(peer);
      this.#sendDigests(peer);
    });
    this.#expected.set(peer, stopWaiting);
  }

  linkDown(peer: PeerId): void {
    this.#forgetExpected(peer);
    this.#behind.delete(peer);
  }

  /** What waited on the link to this peer has been sent. */
  drained(peer: PeerId): void {
    if (this.#behind.delete(peer)) this.#sendDigests(peer);
  }

  receiveDeltas(from: PeerId, name: string, deltas: readonly Uint8Array[]): void {
    const carried = this.#carried(name, from);
    if (carried === undefined) return;
    for (const delta of deltas) this.#guarded(from, () => this.#receiveDelta(carried, from, delta));
  }

  receiveDigest(from: PeerId, { channel: name, answer, digest }: ChannelDigest): void {
    this.#forgetExpected(from);
    const carried = this.#carried(name, from);
    if (carried === undefined) return;
    const { channel } = carried;
    this.#guarded(from, () => {
      this.#sendDeltas(from, carried, channel.answer(digest));
      const reply =
        channel.refine === undefined ? wholeReply(channel, answer, digest) : channel.refine(digest);
      if (reply !== null) this.#sendDigest(from, carried, true, reply);
    });
  }

  /** Passes on what came from a peer in another way than as a delta. */
  passOn(name: string, from: PeerId, news: Uint8Array): void {
    const carried = this.#channels.get(name);
    if (carried !== undefined) this.#addNews(carried, from, news);
  }

  /** Sends now what is waiting. */
  flush(): void {
    for (const carried of this.#channels.values()) this.#flush(carried);
  }

  #receiveDelta(carried: Carried, from: PeerId, delta: Uint8Array): void {
    const waiting = carried.news.get(keyOf(delta));
    if (waiting !== undefined) {
      waiting.known.add(from);
      return;
    }
    const news = carried.channel.merge(delta, from);
    if (news !== null) this.#addNews(carried, from, news);
  }

  #addNews(carried: Carried, from: PeerId, news: Uint8Array): void {
    carried.news.set(keyOf(news), { delta: news, known: new Set([from]) });
    carried.newsBytes += news.length;
    this.#flushSoon(carried);
  }

  #flushSoon(carried: Carried): void {
    const { clock, delay } = this.#options;
    carried.cancelFlush ??= clock.after(delay, () => this.#flush(carried));
  }

  #flush(carried: Carried): void {
    carried.cancelFlush?.();
    carried.cancelFlush = undefined;
    const own = carried.changed ? carried.channel.takeDeltas() : [];
    const pushed = carried.newsBytes <= MAX_PUSHED;
    const news = pushed ? [...carried.news.values()].map((pending) => this.#withReach(pending)) : [];
    if (!pushed) this.#offer(carried);
    carried.changed = false;
    carried.news.clear();
    carried.newsBytes = 0;
    for (const peer of this.#options.neighbours()) {
      const unknown = news.filter(({ known }) => !known.has(peer)).map(({ delta }) => delta);
      this.#sendDeltas(peer, carried, [...own, ...unknown]);
    }
  }

  /** Whoever told us tells its other neighbours, too: in a full mesh nobody passes anything on. */
  #withReach({ delta, known }: Pending): Pending {
    return {
      delta,
      known: new Set([...known, ...[...known].flatMap((peer) => this.#options.linksOf(peer))]),
    };
  }

  /** Sends a digest to all neighbours, so that they may ask for what they lack. */
  #offer(carried: Carried): void {
    const { clock, neighbours } = this.#options;
    const wait = Math.max(0, carried.offeredAt + OFFER_INTERVAL - clock.now());
    carried.cancelOffer ??= clock.after(wait, () => {
      carried.cancelOffer = undefined;
      carried.offeredAt = clock.now();
      const digest = carried.channel.digest();
      for (const peer of neighbours()) this.#sendDigest(peer, carried, false, digest);
    });
  }

  #sendDigests(peer: PeerId): void {
    for (const carried of this.#channels.values()) {
      this.#sendDigest(peer, carried, false, carried.channel.digest());
    }
  }

  #sendDigest(peer: PeerId, { channel }: Carried, answer: boolean, digest: Uint8Array): void {
    const sent = this.#options.send(peer, { type: 'digest', channel: channel.name, answer, digest });
    if (!sent) this.#behind.add(peer);
  }

  #sendDeltas(peer: PeerId, { channel }: Carried, deltas: readonly Uint8Array[]): void {
    for (const batch of batches(deltas)) {
      if (this.#options.send(peer, { type: 'deltas', channel: channel.name, deltas: batch })) continue;
      this.#behind.add(peer);
      return;
    }
  }

  #carried(name: string, from: PeerId): Carried | undefined {
    const carried = this.#channels.get(name);
    if (carried === undefined) {
      const message = `a message of the unknown gossip channel ${JSON.stringify(name)} was dropped`;
      this.#options.onRefused(new WeftError('unknown-channel', message), from);
    }
    return carried;
  }

  #guarded(from: PeerId, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#options.onRefused(asRefusal(error), from);
    }
  }

  #forgetExpected(peer: PeerId): void {
    this.#expected.get(peer)?.();
    this.#expected.delete(peer);
  }
}

function cancel(carried: Carried): void {
  carried.cancelFlush?.();
  carried.cancelFlush = undefined;
  carried.cancelOffer?.();
  carried.cancelOffer = undefined;
}

/** The two whole digests say who lacks what; those that are equal end the exchange. */
function wholeReply(channel: GossipChannel, answer: boolean, digest: Uint8Array): Uint8Array | null {
  if (answer) return null;
  const own = channel.digest();
  return Buffer.compare(own, digest) === 0 ? null : own;
}

/** In as many groups as it takes for each to fit a message. */
function batches(deltas: readonly Uint8Array[]): Uint8Array[][] {
  const all: Uint8Array[][] = [];
  let room = 0;
  for (const delta of deltas) {
    if (delta.length > room || all.length === 0) {
      all.push([]);
      room = MAX_GOSSIP_BYTES;
    }
    all.at(-1)?.push(delta);
    room -= delta.length + 8;
  }
  return all;
}

function keyOf(delta: Uint8Array): string {
  return Buffer.from(delta.buffer, delta.byteOffset, delta.length).toString('latin1');
}

function asRefusal(error: unknown): WeftError {
  if (error instanceof WeftError) return error;
  return new WeftError('gossip-failed', `a gossip message could not be taken in: ${String(error)}`, {
    cause: error,
  });
}
