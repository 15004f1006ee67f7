import { WeftError } from '../../errors.js';
import type { Identity, PeerId } from '../../identity/index.js';
import {
  checkRoutedMessage,
  type LinkMessage,
  type RoutedMessage,
  signRoutedMessage,
} from '../link/index.js';
import type { Membership } from '../membership/index.js';
import { ReplayWindow } from './replay-window.js';
import type { Routes } from './routes.js';

/** Hop limit of a message whose destination has no known path, so that it is forwarded at random. */
const RANDOM_WALK_HOPS = 8;

const NO_ROUTE = new WeftError(
  'no-route',
  'a routed message was dropped: no path to its destination is known',
);

export interface MessageRouterOptions {
  readonly identity: Identity;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly membership: Membership;
  readonly routes: Routes;
  readonly neighbours: () => readonly PeerId[];
  /** False when there is no usable link to this neighbour or its queue is full. */
  readonly send: (to: PeerId, message: LinkMessage) => boolean;
  /** A message for this router came, whose source is proven. */
  readonly onMessage: (source: PeerId, channel: string, bytes: Buffer) => void;
  readonly onRefused: (error: WeftError, from: PeerId) => void;
}

/** Carries signed messages to members without a link, over other routers (docs/protocol.md 3.10). */
export class MessageRouter {
  readonly #options: MessageRouterOptions;
  /** By source. */
  readonly #replayWindows = new Map<PeerId, ReplayWindow>();
  #count = 0;

  constructor(options: MessageRouterOptions) {
    this.#options = options;
  }

  /** Signs a message and sends it on its way; false when the destination is unknown or nobody can take the message. */
  send(destination: PeerId, channel: string, bytes: Uint8Array): boolean {
    const { identity, membership } = this.#options;
    const record = membership.get(destination);
    if (record === undefined || destination === identity.peer) return false;
    const message = signRoutedMessage(identity, {
      source: identity.peer,
      destination,
      incarnation: membership.self.content.incarnation,
      count: this.#count++,
      destinationIncarnation: record.content.incarnation,
      channel,
      bytes,
    });
    return this.#forward(message, undefined);
  }

  /** Delivers or forwards a message that a neighbour sent. */
  receive(from: PeerId, message: RoutedMessage): void {
    const { identity, onRefused } = this.#options;
    if (message.content.destination !== identity.peer) {
      if (!this.#forward({ ...message, hopLimit: message.hopLimit - 1 }, from)) onRefused(NO_ROUTE, from);
      return;
    }
    try {
      this.#deliver(message);
    } catch (error) {
      if (!(error instanceof WeftError)) throw error;
      onRefused(error, from);
    }
  }

  /** Forgets which messages of this source came already. */
  forget(source: PeerId): void {
    this.#replayWindows.delete(source);
  }

  #deliver(message: RoutedMessage): void {
    const { membership, onMessage } = this.#options;
    const { source, channel, bytes, destinationIncarnation } = message.content;
    const record = membership.get(source);
    if (record === undefined)
      throw new WeftError(
        'unknown-source',
        `a routed message was dropped: its source ${source} is no member`,
      );
    if (destinationIncarnation !== membership.self.content.incarnation) {
      throw new WeftError(
        'stale-message',
        `a routed message of ${source} was dropped: it is for an earlier run of this router`,
      );
    }
    checkRoutedMessage(message, record.content.publicKey);
    const window = this.#replayWindows.get(source) ?? new ReplayWindow();
    this.#replayWindows.set(source, window);
    if (!window.admit(message.content)) {
      throw new WeftError('repeated-message', `a routed message of ${source} was dropped: it came before`);
    }
    onMessage(source, channel, Buffer.from(bytes));
  }

  /**
   * Hands a message to the next hop, or, where no path is known, to a random neighbour, since most routers know one. If that does not help,
   * the destination is suspected: its refutation shows everybody the way to it.
   */
  #forward(message: RoutedMessage, from: PeerId | undefined): boolean {
    const { routes, membership, send } = this.#options;
    const { destination } = message.content;
    const nextHop = routes.nextHop(destination);
    const isPath = nextHop !== undefined && nextHop !== from;
    const next = isPath ? nextHop : this.#randomNeighbourBut(from);
    const hopLimit = isPath ? message.hopLimit : Math.min(message.hopLimit, RANDOM_WALK_HOPS);
    if (next !== undefined && hopLimit > 0) return send(next, { type: 'routed', ...message, hopLimit });
    membership.suspect(destination);
    return false;
  }

  #randomNeighbourBut(from: PeerId | undefined): PeerId | undefined {
    const others = this.#options.neighbours().filter((peer) => peer !== from);
    return others[Math.floor(this.#options.random() * others.length)];
  }
}
