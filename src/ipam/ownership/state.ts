import type { PeerId } from '../../identity/index.js';
import type { Arc, Block, OwnershipRecord, Ring } from '../ring/index.js';
import { Allocations } from './allocations.js';

/** Everything that a router must remember of the ring. Immutable. */
export interface RingState {
  readonly range: Block;
  /** The peers between which the range was first split, sorted; empty until they are known. */
  readonly founders: readonly PeerId[];
  /** Undefined while no founders are known. */
  readonly ring: Ring | undefined;
  /** The incarnation in which this router participates; 0 when it never did, or does not yet again. */
  readonly incarnation: number;
  /**
   * Records that made this router the owner after the incarnation of their signer had ended. Nothing is
   * allocated by them until all other participants have confirmed.
   */
  readonly unconfirmed: ReadonlySet<OwnershipRecord>;
  readonly allocations: Allocations;
}

export function emptyState(range: Block): RingState {
  return {
    ...{ range, founders: [], ring: undefined, incarnation: 0 },
    ...{ unconfirmed: new Set(), allocations: Allocations.none },
  };
}

/** What a state means for this router. */
export interface OwnArcs {
  /** What it may allocate and hand over, in ascending order. */
  readonly owned: readonly Arc[];
  /** What it is to take over once all other participants have confirmed, in ascending order. */
  readonly pending: readonly Arc[];
}

export const NO_ARCS: OwnArcs = { owned: [], pending: [] };

/** The arcs that a state gives to this router. */
export function ownArcsOf({ ring, incarnation, unconfirmed }: RingState, self: PeerId): OwnArcs {
  if (ring === undefined) return NO_ARCS;
  const participates = incarnation !== 0 && !ring.hasEnded({ peer: self, incarnation });
  const owned: Arc[] = [];
  const pending: Arc[] = [];
  for (const arc of ring.arcs) {
    const { owner, ownerIncarnation } = arc.record;
    if (participates && owner === self && ownerIncarnation === incarnation) {
      if (unconfirmed.has(arc.record)) pending.push(arc);
      else owned.push(arc);
    } else if (
      ring.hasEnded({ peer: owner, incarnation: ownerIncarnation }) &&
      ring.successorOf(owner) === self
    ) {
      pending.push(arc);
    }
  }
  return { owned, pending };
}
