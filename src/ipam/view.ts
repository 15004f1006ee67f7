import type { PeerId } from '../identity/index.js';
import type { Request } from './allocation/index.js';
import type { OwnArcs, RingState } from './ownership/index.js';
import { sizeOf } from './ring/index.js';

/** What one peer owns. */
export interface OwnerView {
  readonly peer: PeerId;
  /** Number of addresses. */
  readonly addresses: number;
  /** Fraction of the whole range, from 0 to 1. */
  readonly share: number;
  /** Approximate number of unallocated addresses, as the peer told; null if it did not. */
  readonly free: number | null;
  readonly reachable: boolean;
  /**
   * The successor of a peer that left, was removed, or began another incarnation; null while its incarnation
   * goes on.
   */
  readonly heir: PeerId | null;
}

export interface RingView {
  readonly range: string;
  /** The peers between which the range was first split; empty while there is no ring. */
  readonly founders: readonly PeerId[];
  /** All peers that own addresses, the largest owner first. */
  readonly owners: readonly OwnerView[];
  /** All peers whose incarnation goes on as far as any record tells, whether they own addresses or not. */
  readonly participants: readonly PeerId[];
  /** Number of addresses that this router may hand out, allocated or not. */
  readonly owned: number;
  /** Number of addresses that are allocated on this host. */
  readonly allocated: number;
  /**
   * Number of addresses that this router takes over, or takes back, once the peers in `waitingFor` have
   * confirmed.
   */
  readonly pending: number;
  readonly waitingFor: readonly PeerId[];
  /** Whether some of the pending addresses were this router's own before it was restarted. */
  readonly inDoubt: boolean;
  /** Numbers of requests that wait. */
  readonly requests: { readonly allocate: number; readonly claim: number };
}

export interface ViewSources extends OwnArcs {
  readonly state: RingState;
  readonly self: PeerId;
  readonly waitingFor: readonly PeerId[];
  readonly reachable: (peer: PeerId) => boolean;
  readonly requests: readonly Request[];
}

export function ringView(sources: ViewSources): RingView {
  const { state, self, owned, pending, waitingFor, requests } = sources;
  const count = (wanted: Request['kind']) => requests.filter(({ kind }) => kind === wanted).length;
  return {
    range: state.range.text,
    founders: state.founders,
    owners: ownerViews(sources),
    participants: [...(state.ring?.participants ?? [])],
    owned: sizeOf(owned),
    allocated: state.allocations.size,
    pending: sizeOf(pending),
    waitingFor,
    inDoubt: pending.some(({ record }) => record.owner === self),
    requests: { allocate: count('allocate'), claim: count('claim') },
  };
}

function ownerViews({ state, self, owned, reachable }: ViewSources): readonly OwnerView[] {
  const { ring, range, allocations } = state;
  const freeHere = Math.max(0, sizeOf(owned) - allocations.size);
  const sizes = new Map<string, { peer: PeerId; hasEnded: boolean; addresses: number }>();
  for (const { record, start, end } of ring?.arcs ?? []) {
    const { owner: peer, ownerIncarnation: incarnation } = record;
    const hasEnded = ring?.hasEnded({ peer, incarnation }) ?? false;
    const key = `${peer}${hasEnded}`;
    const { addresses } = sizes.get(key) ?? { addresses: 0 };
    sizes.set(key, { peer, hasEnded, addresses: addresses + end - start });
  }
  return [...sizes.values()]
    .sort((a, b) => b.addresses - a.addresses || (a.peer < b.peer ? -1 : 1))
    .map(({ peer, hasEnded, addresses }) => ({
      peer,
      addresses,
      share: addresses / (range.end - range.start),
      free: hasEnded ? null : peer === self ? freeHere : (ring?.participantRecords.get(peer)?.free ?? null),
      reachable: peer === self || reachable(peer),
      heir: hasEnded ? (ring?.successorOf(peer) ?? null) : null,
    }));
}
