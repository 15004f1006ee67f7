import type { PeerId } from '../../identity/index.js';
import type { Block, Deed, Ring, Segment } from '../ring/index.js';
import { Holdings } from './allocations.js';

/** All that a router must remember of the ring. Immutable. */
export interface RingState {
  readonly range: Block;
  /** Between whom the range was split at first, sorted; empty until that is known. */
  readonly founders: readonly PeerId[];
  /** Undefined while there are no founders. */
  readonly ring: Ring | undefined;
  /** In which this router takes part; 0 when it never did, or not yet again. */
  readonly life: number;
  /** Deeds that made something ours after their giver was gone: nothing is handed out by them before all others have answered. */
  readonly doubted: ReadonlySet<Deed>;
  readonly holdings: Holdings;
}

export function emptyState(range: Block): RingState {
  return { range, founders: [], ring: undefined, life: 0, doubted: new Set(), holdings: Holdings.none };
}

/** What a state means for this router. */
export interface Estate {
  /** What it may hand out and give away, in order. */
  readonly mine: readonly Segment[];
  /** What it is to take over, once everybody has answered. */
  readonly claims: readonly Segment[];
}

const NOTHING: Estate = { mine: [], claims: [] };

export function estateOf({ ring, life, doubted }: RingState, self: PeerId): Estate {
  if (ring === undefined) return NOTHING;
  const isAlive = life !== 0 && !ring.isGone({ peer: self, life });
  const mine: Segment[] = [];
  const claims: Segment[] = [];
  for (const segment of ring.segments) {
    const { deed } = segment;
    if (isAlive && deed.owner === self && deed.ownerLife === life) {
      if (doubted.has(deed)) claims.push(segment);
      else mine.push(segment);
    } else if (
      ring.isGone({ peer: deed.owner, life: deed.ownerLife }) &&
      ring.successor(deed.owner) === self
    ) {
      claims.push(segment);
    }
  }
  return { mine, claims };
}
