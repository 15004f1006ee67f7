import type { PeerId } from '../../identity/index.js';

/**
 * Removed peers that still take part in the ring, because whoever removed them went before it had taken over what they had. Routers have
 * their turn one after the other, in the order of their rank, so that one that cannot do it holds nobody up. Pure: time comes in, in
 * milliseconds.
 */
export class Abandoned {
  readonly #pause: number;
  /** When each of them was seen first. */
  readonly #since = new Map<PeerId, number>();

  /** The one who removed a peer has two pauses, and each rank has one. */
  constructor(pause: number) {
    this.#pause = pause;
  }

  /** Those of the removed peers whose part the router of this rank, from 0, has to take over now. */
  due(removed: ReadonlySet<PeerId>, rank: number, now: number): PeerId[] {
    for (const peer of this.#since.keys()) if (!removed.has(peer)) this.#since.delete(peer);
    return [...removed].filter((peer) => {
      const since = this.#since.get(peer) ?? now;
      this.#since.set(peer, since);
      return now - since >= this.#pause * (2 + rank);
    });
  }
}
