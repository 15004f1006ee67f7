import type { PeerId } from '../../identity/index.js';

export interface RoutesOptions {
  readonly self: PeerId;
  /** There is a usable link to this peer. */
  readonly isLinked: (peer: PeerId) => boolean;
  readonly neighbours: () => readonly PeerId[];
  /** The links that a peer tells of; none in a large mesh. */
  readonly linksOf: (peer: PeerId) => readonly PeerId[];
  /** The neighbour from which the newest record of this peer came first; of one that is down it leads nowhere, and there is none. */
  readonly wayBack: (peer: PeerId) => PeerId | undefined;
}

/**
 * The next hop to each member (docs/decisions.md).
 *
 * While the mesh is small, every router knows the links of all and takes the shortest way. In a large one it follows the way back along which the
 * member's newest record came. That way has no loops: everybody on it had this version, or a newer one, before the one that points to it.
 */
export class Routes {
  readonly #options: RoutesOptions;

  constructor(options: RoutesOptions) {
    this.#options = options;
  }

  /** The neighbour to hand a message for this peer to, or undefined when no way is known. */
  nextHop(peer: PeerId): PeerId | undefined {
    const { isLinked, linksOf, wayBack } = this.#options;
    if (isLinked(peer)) return peer;
    const shortest = linksOf(peer).length > 0 ? this.#shortest(peer) : undefined;
    if (shortest !== undefined) return shortest;
    const via = wayBack(peer);
    return via !== undefined && isLinked(via) ? via : undefined;
  }

  /** Breadth first over the links that both ends tell of. */
  #shortest(destination: PeerId): PeerId | undefined {
    const { self, neighbours, linksOf } = this.#options;
    const seen = new Set([self]);
    let edge = neighbours().map((first) => ({ at: first, first }));
    while (edge.length > 0) {
      for (const { at } of edge) seen.add(at);
      const next = new Map<PeerId, PeerId>();
      for (const { at, first } of edge) {
        for (const peer of linksOf(at)) {
          if (seen.has(peer) || next.has(peer) || !linksOf(peer).includes(at)) continue;
          if (peer === destination) return first;
          next.set(peer, first);
        }
      }
      edge = [...next].map(([at, first]) => ({ at, first }));
    }
    return undefined;
  }
}
