import type { PeerId } from '../identity/index.js';
import type { Request } from './allocation/index.js';
import type { Estate, RingState } from './ownership/index.js';
import { sizeOf } from './ring/index.js';

/** What one peer owns. */
export interface OwnerView {
  readonly peer: PeerId;
  readonly addresses: number;
  /** Of the whole range, from 0 to 1. */
  readonly share: number;
  /** About so many of them are in use by nobody, as the peer told; null when it did not. */
  readonly free: number | null;
  readonly reachable: boolean;
  /** It left or was removed, or began anew: who takes over what it had. */
  readonly heir: PeerId | null;
}

export interface RingView {
  readonly range: string;
  /** Between whom the range was split at first; empty while there is no ring. */
  readonly founders: readonly PeerId[];
  /** Whoever owns something, most first. */
  readonly owners: readonly OwnerView[];
  /** Addresses that this router may hand out, used or not. */
  readonly owned: number;
  /** Addresses in use on this host. */
  readonly allocated: number;
  /** Addresses that this router takes over, or takes back, when those in `waitingFor` have answered. */
  readonly pending: number;
  readonly waitingFor: readonly PeerId[];
  /** Some of that was its own before it was restarted. */
  readonly inDoubt: boolean;
  /** Requests that wait. */
  readonly requests: { readonly allocate: number; readonly claim: number };
}

export interface ViewSources {
  readonly state: RingState;
  readonly estate: Estate;
  readonly self: PeerId;
  readonly waitingFor: readonly PeerId[];
  readonly reachable: (peer: PeerId) => boolean;
  readonly requests: readonly Request[];
}

export function ringView({ state, estate, self, waitingFor, reachable, requests }: ViewSources): RingView {
  const { mine, claims } = estate;
  const count = (wanted: Request['kind']) => requests.filter(({ kind }) => kind === wanted).length;
  return {
    range: state.range.text,
    founders: state.founders,
    owners: ownerViews(state, self, Math.max(0, sizeOf(mine) - state.holdings.size), reachable),
    owned: sizeOf(mine),
    allocated: state.holdings.size,
    pending: sizeOf(claims),
    waitingFor,
    inDoubt: claims.some(({ deed }) => deed.owner === self),
    requests: { allocate: count('allocate'), claim: count('claim') },
  };
}

function ownerViews(
  { ring, range }: RingState,
  self: PeerId,
  freeHere: number,
  reachable: (peer: PeerId) => boolean,
): readonly OwnerView[] {
  const sizes = new Map<string, { peer: PeerId; gone: boolean; addresses: number }>();
  for (const { deed, start, end } of ring?.segments ?? []) {
    const gone = ring?.isGone({ peer: deed.owner, life: deed.ownerLife }) ?? false;
    const key = `${deed.owner}${gone}`;
    const { addresses } = sizes.get(key) ?? { addresses: 0 };
    sizes.set(key, { peer: deed.owner, gone, addresses: addresses + end - start });
  }
  return [...sizes.values()]
    .sort((a, b) => b.addresses - a.addresses || (a.peer < b.peer ? -1 : 1))
    .map(({ peer, gone, addresses }) => ({
      peer,
      addresses,
      share: addresses / (range.end - range.start),
      free: gone ? null : peer === self ? freeHere : (ring?.seats.get(peer)?.free ?? null),
      reachable: peer === self || reachable(peer),
      heir: gone ? (ring?.successor(peer) ?? null) : null,
    }));
}
