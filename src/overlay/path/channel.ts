import { decodeExact } from '../../codec.js';
import { WeftError } from '../../errors.js';
import type { PeerId } from '../../identity/index.js';
import {
  CONNECTED,
  MAY_CONNECT,
  NEXT_HOP,
  PUNCH,
  PUNCHING,
  pathMessage,
  TICKET,
  WHICH_HOP,
} from './messages.js';
import type { Tracer } from './tracer.js';
import type { Rendezvous, Streams } from './traversal/index.js';

export interface PathChannelOptions {
  readonly rendezvous: Rendezvous;
  readonly streams: Streams;
  readonly tracer: Tracer;
  /** The data plane is there to be told. */
  readonly isReady: () => boolean;
  readonly onFailure: (error: WeftError, peer: PeerId) => void;
}

/** The mesh's channel `path`: hands each message to the one that understands it. */
export class PathChannel {
  readonly #options: PathChannelOptions;

  constructor(options: PathChannelOptions) {
    this.#options = options;
  }

  receive(peer: PeerId, bytes: Buffer): void {
    try {
      this.#receive(peer, bytes);
    } catch (error) {
      if (!(error instanceof WeftError)) throw error;
      this.#options.onFailure(error, peer);
    }
  }

  #receive(peer: PeerId, bytes: Buffer): void {
    const { rendezvous, tracer, streams, isReady } = this.#options;
    const message = decodeExact(pathMessage, bytes);
    switch (message.kind) {
      case PUNCH:
      case PUNCHING:
        rendezvous.receive(peer, message);
        break;
      case WHICH_HOP:
        tracer.answer(peer, message);
        break;
      case NEXT_HOP:
        tracer.receive(peer, message);
        break;
      case MAY_CONNECT:
      case TICKET:
      case CONNECTED:
        if (isReady()) streams.receive(peer, message);
        break;
      default:
        throw new WeftError('bad-message', `there is no path message of kind ${message.kind}`);
    }
  }
}
