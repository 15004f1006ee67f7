import type { PeerId } from '../../identity/index.js';

/** The working links of each router, as it tells them, and what each costs (see `linkCost`). */
export type LinkStates = ReadonlyMap<PeerId, ReadonlyMap<PeerId, number>>;

/** A neighbour through which a peer can be reached, and what the whole path costs. */
export interface RelayOption {
  readonly relay: PeerId;
  readonly cost: number;
  /** The number of routers on the path from the relay to the peer, the relay included. */
  readonly hops: number;
}

interface Distance {
  readonly cost: number;
  readonly hops: number;
}

/**
 * The neighbours of `self` that are nearer to `destination` than `self` is, cheapest first. Whichever of these each router takes, a packet comes
 * nearer with every hop: as long as all see the same links there is no loop, and while they do not, the hop limit ends it.
 */
export function relaysTo(states: LinkStates, self: PeerId, destination: PeerId): RelayOption[] {
  const distances = distancesTo(states, destination);
  const own = distances.get(self)?.cost ?? Number.POSITIVE_INFINITY;
  const options: RelayOption[] = [];
  for (const [relay, cost] of states.get(self) ?? []) {
    const distance = distances.get(relay);
    if (relay === destination || distance === undefined || !linked(states, relay, self)) continue;
    if (distance.cost < own) options.push({ relay, cost: cost + distance.cost, hops: distance.hops });
  }
  return options.sort((a, b) => a.cost - b.cost || a.hops - b.hops || (a.relay < b.relay ? -1 : 1));
}

/** What the cheapest path to a destination costs from everywhere (Dijkstra, backwards). A link counts when both ends say that it works. */
function distancesTo(states: LinkStates, destination: PeerId): Map<PeerId, Distance> {
  const done = new Map<PeerId, Distance>();
  const open = new Map<PeerId, Distance>([[destination, { cost: 0, hops: 0 }]]);
  for (;;) {
    const nearest = cheapest(open);
    if (nearest === undefined) return done;
    const [peer, distance] = nearest;
    open.delete(peer);
    done.set(peer, distance);
    for (const before of states.get(peer)?.keys() ?? []) {
      const step = states.get(before)?.get(peer);
      if (step === undefined || done.has(before)) continue;
      const cost = distance.cost + step;
      if (cost < (open.get(before)?.cost ?? Number.POSITIVE_INFINITY)) {
        open.set(before, { cost, hops: distance.hops + 1 });
      }
    }
  }
}

function cheapest(open: ReadonlyMap<PeerId, Distance>): [PeerId, Distance] | undefined {
  let best: [PeerId, Distance] | undefined;
  for (const entry of open) if (best === undefined || entry[1].cost < best[1].cost) best = entry;
  return best;
}

function linked(states: LinkStates, from: PeerId, to: PeerId): boolean {
  return states.get(from)?.has(to) ?? false;
}
