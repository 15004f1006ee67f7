import type { PeerId } from '../../identity/index.js';

/**
 * Addresses of removed peers that nobody takes over, because whoever removed the peer went before it had done so. Routers have their turn one
 * after the other, in the order of their rank, so that one that cannot do it holds nobody up. Pure: time comes in, in milliseconds.
 */
export class Abandoned {
  readonly #pause: number;
  /** When each of them was seen first. */
  readonly #since = new Map<PeerId, number>();

  /** The one who removed a peer has two pauses, and each rank has one. */
  constructor(pause: number) {
    this.#pause = pause;
  }

  /** Those of the removed owners whose addresses the router of this rank, from 0, has to take over now. */
  due(owners: readonly PeerId[], rank: number, now: number): PeerId[] {
    for (const peer of this.#since.keys()) if (!owners.includes(peer)) this.#since.delete(peer);
    return owners.filter((peer) => {
      const since = this.#since.get(peer) ?? now;
      this.#since.set(peer, since);
      return now - since >= this.#pause * (2 + rank);
    });
  }
}
