import type { PeerId } from '../../identity/index.js';

export interface RoutesOptions {
  readonly self: PeerId;
  /** There is a usable link to this peer. */
  readonly isLinked: (peer: PeerId) => boolean;
  readonly neighbours: () => readonly PeerId[];
  /** The links that a peer advertises in its record; none in a large mesh. */
  readonly linksOf: (peer: PeerId) => readonly PeerId[];
  /** The neighbour from which the newest record of this peer came first; undefined for a peer that is down, to which it leads nowhere. */
  readonly reversePath: (peer: PeerId) => PeerId | undefined;
}

/**
 * The next hop to each member (docs/decisions.md).
 *
 * While the mesh is small, every router knows the links of all others and takes the shortest path. In a large one it follows the reverse of
 * the path along which the member's newest record came. That path has no loops: each router on it had this version of the record, or a
 * newer one, before the router whose next hop it is.
 */
export class Routes {
  readonly #options: RoutesOptions;

  constructor(options: RoutesOptions) {
    this.#options = options;
  }

  /** The neighbour that a message for this peer goes to next, or undefined when no path is known. */
  nextHop(peer: PeerId): PeerId | undefined {
    const { isLinked, linksOf, reversePath } = this.#options;
    if (isLinked(peer)) return peer;
    const shortest = linksOf(peer).length > 0 ? this.#shortestPath(peer) : undefined;
    if (shortest !== undefined) return shortest;
    const via = reversePath(peer);
    return via !== undefined && isLinked(via) ? via : undefined;
  }

  /** The first hop found by a breadth-first search over the links that both ends advertise. */
  #shortestPath(destination: PeerId): PeerId | undefined {
    const { self, neighbours, linksOf } = this.#options;
    const visited = new Set([self]);
    let frontier = neighbours().map((first) => ({ at: first, first }));
    while (frontier.length > 0) {
      for (const { at } of frontier) visited.add(at);
      const next = new Map<PeerId, PeerId>();
      for (const { at, first } of frontier) {
        for (const peer of linksOf(at)) {
          if (visited.has(peer) || next.has(peer) || !linksOf(peer).includes(at)) continue;
          if (peer === destination) return first;
          next.set(peer, first);
        }
      }
      frontier = [...next].map(([at, first]) => ({ at, first }));
    }
    return undefined;
  }
}
