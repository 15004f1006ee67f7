import type { Socket } from 'node:net';
import { WeftError } from '../../../errors.js';
import type { PeerId } from '../../../identity/index.js';
import { Link, type LinkContext } from '../link.js';
import { BYE_STOPPING, type LinkMessage } from '../messages.js';

/** How long `closeAll` waits for links to close by themselves, in milliseconds. */
const CLOSE_PATIENCE = 500;

export interface OpenLinksOptions {
  readonly context: () => LinkContext;
  /** Why an established link was not kept, in which case it has been closed; undefined when it is kept. */
  readonly accept: (link: Link, wanted: PeerId | undefined) => WeftError | undefined;
  readonly onMessage: (link: Link, message: LinkMessage) => void;
  /** The send queue of an established link is empty. */
  readonly onDrained: (link: Link) => void;
  /** Something that the other end sent was dropped, or an incoming connection did not become a link. */
  readonly onRefused: (error: WeftError, link: Link) => void;
}

/** What a connection that this router made is for. */
export interface Dialled {
  /** Aborted once nobody waits for the link any more. */
  readonly signal: AbortSignal;
  /** The peer that is sought; undefined for whoever answers. */
  readonly wanted: PeerId | undefined;
}

/** Makes links of TCP connections, and closes them all at the end: those in handshake as well as those that are established. */
export class OpenLinks {
  readonly #options: OpenLinksOptions;
  readonly #links = new Set<Link>();

  constructor(options: OpenLinksOptions) {
    this.#options = options;
  }

  /** Makes a link of a connection, which came in or was dialled; resolves once it is kept, and rejects when it is not to be. */
  open(socket: Socket, dialled?: Dialled): Promise<Link> {
    const { context, accept, onMessage, onDrained, onRefused } = this.#options;
    const outbound = dialled !== undefined;
    const link = new Link(socket, outbound, context());
    this.#links.add(link);
    link.on('message', (message) => onMessage(link, message));
    link.on('drain', () => link.established && onDrained(link));
    link.on('refused', (error) => onRefused(error, link));
    dialled?.signal.addEventListener('abort', () => link.established || link.destroy(unwanted()));
    return new Promise((resolve, reject) => {
      link.once('established', () => {
        const refused = accept(link, dialled?.wanted);
        if (refused === undefined) resolve(link);
        else reject(refused);
      });
      link.once('closed', (reason) => {
        this.#links.delete(link);
        if (!outbound && !link.established) onRefused(reason, link);
        reject(reason);
      });
    });
  }

  /** Closes all links that there are now; resolves when they are closed. */
  async closeAll(reason: WeftError, bye = BYE_STOPPING): Promise<void> {
    const links = [...this.#links];
    const closed = links.map((link) => new Promise((resolve) => link.once('closed', resolve)));
    for (const link of links) link.close(bye, reason);
    const patience = setTimeout(() => {
      for (const link of links) link.destroy(reason);
    }, CLOSE_PATIENCE);
    await Promise.all(closed);
    clearTimeout(patience);
  }
}

function unwanted(): WeftError {
  return new WeftError('connect-aborted', 'the connection is not wanted any more');
}
