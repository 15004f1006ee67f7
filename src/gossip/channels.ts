import type { Clock } from '../clock.js';
import { WeftError } from '../errors.js';
import type { PeerId } from '../identity/index.js';
import { type GossipChannel, MAX_GOSSIP_BYTES, type OpenChannel } from './channel.js';

/** Maximum number of bytes of other routers' news that are pushed eagerly at once: more is a whole state, which neighbours may have. */
const MAX_EAGER_PUSH = 16 * 1024;
/** How long one lazy push of a channel keeps off the next, in milliseconds. */
const LAZY_PUSH_INTERVAL = 1_000;
/** How long one end of a new link waits for the other's digests before it sends its own, in milliseconds. */
const DIGEST_PATIENCE = 1_000;

export interface ChannelsOptions {
  readonly self: PeerId;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  /** How long deltas are collected before they are pushed, in milliseconds. */
  readonly delay: number;
  /** Average interval between two exchanges of digests with random neighbours, in milliseconds. */
  readonly antiEntropy: number;
  /** The peers to which there is a usable link. */
  readonly neighbours: () => readonly PeerId[];
  /** The links that a peer advertises, if it does: to these neighbours it pushes what it pushes to us. */
  readonly linksOf: (peer: PeerId) => readonly PeerId[];
  /** False when the link's queue is full. */
  readonly send: (to: PeerId, message: ChannelMessage) => boolean;
  readonly onRefused: (error: WeftError, from: PeerId) => void;
}

export interface ChannelDigest {
  readonly channel: string;
  /** It answers another digest, so that a digest of the whole state is not to be sent in return. */
  readonly answer: boolean;
  readonly digest: Uint8Array;
}

export type ChannelMessage =
  | { readonly type: 'deltas'; readonly channel: string; readonly deltas: readonly Uint8Array[] }
  | ({ readonly type: 'digest' } & ChannelDigest);

/** A delta of another router that is to be relayed, and the neighbours that have it already. */
interface Relayed {
  readonly delta: Uint8Array;
  readonly knownTo: Set<PeerId>;
}

/** A channel that was opened, and what waits to be sent for it. */
interface OpenedChannel {
  readonly channel: GossipChannel;
  /** News of other routers, by the bytes of the delta. */
  readonly relayed: Map<string, Relayed>;
  relayedBytes: number;
  /** The channel itself has deltas to take. */
  changed: boolean;
  cancelFlush: (() => void) | undefined;
  cancelLazyPush: (() => void) | undefined;
  lazilyPushedAt: number;
}

/**
 * Carries gossip channels over the links, in the manner of Plumtree.
 *
 * Deltas are pushed eagerly to the neighbours that do not have them yet; a whole state is pushed lazily: its digest is sent, and
 * neighbours ask for what they lack. Anti-entropy, an exchange of digests at the start of a link and with a random neighbour now and again,
 * repairs whatever was lost.
 *
 * Nothing that a neighbour sends makes this throw: what a channel refuses is reported and dropped.
 */
export class Channels {
  readonly #options: ChannelsOptions;
  readonly #channels = new Map<string, OpenedChannel>();
  /** Neighbours whose queue was full, which get digests once it is empty. */
  readonly #backlogged = new Set<PeerId>();
  /** Neighbours that are to send the first digests of a new link; the value stops the wait for them. */
  readonly #awaited = new Map<PeerId, () => void>();
  #cancelAntiEntropy: (() => void) | undefined;

  constructor(options: ChannelsOptions) {
    this.#options = options;
  }

  /** Begins anti-entropy. */
  start(): void {
    const { clock, antiEntropy, random } = this.#options;
    this.#cancelAntiEntropy = clock.after(antiEntropy * (0.5 + random()), () => {
      const neighbours = this.#options.neighbours();
      const partner = neighbours[Math.floor(random() * neighbours.length)];
      if (partner !== undefined) this.#sendDigests(partner);
      this.start();
    });
  }

  stop(): void {
    this.#cancelAntiEntropy?.();
    for (const peer of this.#awaited.keys()) this.#stopAwaiting(peer);
    for (const opened of this.#channels.values()) cancel(opened);
  }

  /** Throws `channel-in-use`. */
  open(channel: GossipChannel): OpenChannel {
    const { name } = channel;
    if (this.#channels.has(name)) {
      throw new WeftError(
        'channel-in-use',
        `the gossip channel ${name} cannot be opened: it is open already`,
      );
    }
    const opened: OpenedChannel = {
      channel,
      relayed: new Map(),
      relayedBytes: 0,
      changed: false,
      cancelFlush: undefined,
      cancelLazyPush: undefined,
      lazilyPushedAt: -Infinity,
    };
    this.#channels.set(name, opened);
    for (const peer of this.#options.neighbours()) this.#sendDigest(peer, opened, false, channel.digest());
    return {
      changed: () => {
        if (this.#channels.get(name) !== opened) return;
        opened.changed = true;
        this.#flushSoon(opened);
      },
      close: () => {
        if (this.#channels.get(name) !== opened) return;
        cancel(opened);
        this.#channels.delete(name);
      },
    };
  }

  /** A link is up. The end with the lower id sends its digests at once, the other only if none came. */
  linkUp(peer: PeerId): void {
    if (this.#options.self < peer) {
      this.#sendDigests(peer);
      return;
    }
    this.#stopAwaiting(peer);
    const stop = this.#options.clock.after(DIGEST_PATIENCE, () => {
      this.#awaited.delete(peer);
      this.#sendDigests(peer);
    });
    this.#awaited.set(peer, stop);
  }

  linkDown(peer: PeerId): void {
    this.#stopAwaiting(peer);
    this.#backlogged.delete(peer);
  }

  /** The send queue of the link to this peer is empty. */
  drained(peer: PeerId): void {
    if (this.#backlogged.delete(peer)) this.#sendDigests(peer);
  }

  receiveDeltas(from: PeerId, name: string, deltas: readonly Uint8Array[]): void {
    const opened = this.#opened(name, from);
    if (opened === undefined) return;
    for (const delta of deltas) this.#guarded(from, () => this.#receiveDelta(opened, from, delta));
  }

  receiveDigest(from: PeerId, { channel: name, answer, digest }: ChannelDigest): void {
    this.#stopAwaiting(from);
    const opened = this.#opened(name, from);
    if (opened === undefined) return;
    const { channel } = opened;
    this.#guarded(from, () => {
      this.#sendDeltas(from, opened, channel.answer(digest));
      const reply =
        channel.refine === undefined ? wholeReply(channel, answer, digest) : channel.refine(digest);
      if (reply !== null) this.#sendDigest(from, opened, true, reply);
    });
  }

  /** Relays news that came from a peer in another way than as a delta. */
  relay(name: string, from: PeerId, news: Uint8Array): void {
    const opened = this.#channels.get(name);
    if (opened !== undefined) this.#addRelayed(opened, from, news);
  }

  /** Pushes now what waits to be pushed. */
  flush(): void {
    for (const opened of this.#channels.values()) this.#flush(opened);
  }

  #receiveDelta(opened: OpenedChannel, from: PeerId, delta: Uint8Array): void {
    const waiting = opened.relayed.get(keyOf(delta));
    if (waiting !== undefined) {
      waiting.knownTo.add(from);
      return;
    }
    const news = opened.channel.merge(delta, from);
    if (news !== null) this.#addRelayed(opened, from, news);
  }

  #addRelayed(opened: OpenedChannel, from: PeerId, news: Uint8Array): void {
    opened.relayed.set(keyOf(news), { delta: news, knownTo: new Set([from]) });
    opened.relayedBytes += news.length;
    this.#flushSoon(opened);
  }

  #flushSoon(opened: OpenedChannel): void {
    const { clock, delay } = this.#options;
    opened.cancelFlush ??= clock.after(delay, () => this.#flush(opened));
  }

  #flush(opened: OpenedChannel): void {
    opened.cancelFlush?.();
    opened.cancelFlush = undefined;
    const own = opened.changed ? opened.channel.takeDeltas() : [];
    const isSmall = opened.relayedBytes <= MAX_EAGER_PUSH;
    const relayed = isSmall ? [...opened.relayed.values()].map((each) => this.#withNeighbours(each)) : [];
    if (!isSmall) this.#pushLazily(opened);
    opened.changed = false;
    opened.relayed.clear();
    opened.relayedBytes = 0;
    for (const peer of this.#options.neighbours()) {
      const unknown = relayed.filter(({ knownTo }) => !knownTo.has(peer)).map(({ delta }) => delta);
      this.#sendDeltas(peer, opened, [...own, ...unknown]);
    }
  }

  /** A neighbour that pushed the delta to us pushes it to its other neighbours, too: in a full mesh nothing is relayed. */
  #withNeighbours({ delta, knownTo }: Relayed): Relayed {
    return {
      delta,
      knownTo: new Set([...knownTo, ...[...knownTo].flatMap((peer) => this.#options.linksOf(peer))]),
    };
  }

  /** Sends a digest to all neighbours, so that they can ask for what they lack. */
  #pushLazily(opened: OpenedChannel): void {
    const { clock, neighbours } = this.#options;
    const wait = Math.max(0, opened.lazilyPushedAt + LAZY_PUSH_INTERVAL - clock.now());
    opened.cancelLazyPush ??= clock.after(wait, () => {
      opened.cancelLazyPush = undefined;
      opened.lazilyPushedAt = clock.now();
      const digest = opened.channel.digest();
      for (const peer of neighbours()) this.#sendDigest(peer, opened, false, digest);
    });
  }

  #sendDigests(peer: PeerId): void {
    for (const opened of this.#channels.values()) {
      this.#sendDigest(peer, opened, false, opened.channel.digest());
    }
  }

  #sendDigest(peer: PeerId, { channel }: OpenedChannel, answer: boolean, digest: Uint8Array): void {
    const sent = this.#options.send(peer, { type: 'digest', channel: channel.name, answer, digest });
    if (!sent) this.#backlogged.add(peer);
  }

  #sendDeltas(peer: PeerId, { channel }: OpenedChannel, deltas: readonly Uint8Array[]): void {
    for (const batch of batches(deltas)) {
      if (this.#options.send(peer, { type: 'deltas', channel: channel.name, deltas: batch })) continue;
      this.#backlogged.add(peer);
      return;
    }
  }

  #opened(name: string, from: PeerId): OpenedChannel | undefined {
    const opened = this.#channels.get(name);
    if (opened === undefined) {
      const message = `a gossip message was dropped: this router has no channel ${JSON.stringify(name)}`;
      this.#options.onRefused(new WeftError('unknown-channel', message), from);
    }
    return opened;
  }

  #guarded(from: PeerId, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#options.onRefused(asRefusal(error), from);
    }
  }

  #stopAwaiting(peer: PeerId): void {
    this.#awaited.get(peer)?.();
    this.#awaited.delete(peer);
  }
}

function cancel(opened: OpenedChannel): void {
  opened.cancelFlush?.();
  opened.cancelFlush = undefined;
  opened.cancelLazyPush?.();
  opened.cancelLazyPush = undefined;
}

/** Two digests of the whole state show which end lacks what; equal ones end the exchange. */
function wholeReply(channel: GossipChannel, answer: boolean, digest: Uint8Array): Uint8Array | null {
  if (answer) return null;
  const own = channel.digest();
  return Buffer.compare(own, digest) === 0 ? null : own;
}

/** Splits deltas into batches that fit a message each. */
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
  return new WeftError(
    'gossip-failed',
    `a gossip message was dropped: its channel failed (${String(error)})`,
    { cause: error },
  );
}
