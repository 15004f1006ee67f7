import type { ErrorCode } from '../../error-codes/index.js';
import { WeftError } from '../../errors.js';
import type { PeerId } from '../../identity/index.js';
import { isEndpoint } from './record.js';

/*
 * When a host is copied with its identity, two routers are one and the same to all others. The copy must get an identity of its own, which
 * only a person can see to: so both routers, and whoever meets both, say so.
 */

const REMEDY = 'one host was copied from the other; give one its own identity with weft reset';

/** The unicast channel that tells a router where a copy of it was seen (docs/protocol.md 3.7). */
const CLONED_CHANNEL = 'cloned';
/** Number of times that a record of ours may be superseded before it must be a clone's: once or twice is left from a run with a faster clock. */
const MAX_TIMES_SUPERSEDED = 2;

/** This host is the copy, says the router that was there first when it closes the link. */
export const COPIED: { readonly code: ErrorCode; readonly message: string } = {
  code: 'identity-cloned',
  message:
    'another router with our identity is in the network: this host was copied from it; give this host its own identity with weft reset',
};

/** The router at this address has our identity. */
export function clonedAt(address: string): WeftError {
  return new WeftError('identity-cloned', `the router at ${address} has our identity: ${REMEDY}`);
}

/** Two other routers have one identity. */
export function clonedPeer(peer: string, one: string, other: string): WeftError {
  return new WeftError(
    'identity-cloned',
    `two routers have the identity ${peer} (at ${one} and ${other}): ${REMEDY}`,
  );
}

export interface CloneWatchOptions {
  readonly send: (peer: PeerId, channel: string, bytes: Uint8Array) => void;
  /** A clone was noticed; `peer` is who showed or reported it, `address` where it is, if that is known. */
  readonly onClone: (error: WeftError, origin: { readonly peer: PeerId; readonly address?: string }) => void;
}

/** Reports clones, of this router and of others, and tells those whose clones were seen elsewhere. */
export class CloneWatch {
  readonly #options: CloneWatchOptions;
  #timesSuperseded = 0;

  constructor(options: CloneWatchOptions) {
    this.#options = options;
  }

  /** This peer has a clone at this address: the router that was there first must hear of it, too. */
  onClonedPeer(error: WeftError, peer: PeerId, address: string): void {
    this.#options.onClone(error, { peer, address });
    this.#options.send(peer, CLONED_CHANNEL, Buffer.from(address));
  }

  /** Takes a report of a clone of ours; false for messages of other channels. */
  receive(peer: PeerId, channel: string, bytes: Buffer): boolean {
    if (channel !== CLONED_CHANNEL) return false;
    const address = bytes.toString('latin1');
    this.#options.onClone(clonedAt(isEndpoint(address) ? address : 'an unknown address'), { peer });
    return true;
  }

  /** This neighbour holds a record of ours that supersedes our own. */
  onSuperseded(from: PeerId): void {
    this.#timesSuperseded += 1;
    if (this.#timesSuperseded <= MAX_TIMES_SUPERSEDED) return;
    const error = new WeftError(
      'identity-cloned',
      `another router gossips as if it were this one: ${REMEDY}`,
    );
    this.#options.onClone(error, { peer: from });
  }
}
