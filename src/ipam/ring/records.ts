import type { PeerId } from '../../identity/index.js';
import type { Span } from './range.js';

/*
 * Two kinds of signed facts make the ring. Of two facts about the same thing one counts, whoever hears of them and in whichever order.
 *
 * A peer takes part in the ring in *lives*. Within one life it knows all that it ever signed; a peer that is not sure of that (its disk
 * may be an older one) begins another. So whoever owns addresses is a peer in one of its lives.
 */

/** A peer in one of its lives. */
export interface Holder {
  readonly peer: PeerId;
  readonly life: number;
}

/** What proves a fact: opaque to the ring. */
export interface Proof {
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

/** These addresses are the owner's, says the giver, whose they were. Signed by the giver. */
export interface Deed extends Span {
  /** Of deeds for one address the highest counts. */
  readonly version: number;
  readonly owner: PeerId;
  readonly ownerLife: number;
  readonly giver: PeerId;
  readonly giverLife: number;
  readonly proof: Proof;
}

/**
 * A peer takes part in the ring, or does so no longer. An open seat is signed by the peer; one that is gone by the peer (it left) or by
 * whoever removed it.
 */
export interface Seat extends Holder {
  readonly gone: boolean;
  /** Who takes over what the peer still owns; when open: the peer itself. */
  readonly heir: PeerId;
  /** In which the heir took that upon itself. */
  readonly heirLife: number;
  readonly signer: PeerId;
  /** Counts the changes of `free` in this life. */
  readonly sequence: number;
  /** About so many addresses are free there. */
  readonly free: number;
  readonly proof: Proof;
}

export type Fact =
  | { readonly kind: 'deed'; readonly deed: Deed }
  | { readonly kind: 'seat'; readonly seat: Seat };

/** Signs facts as this router. */
export interface Notary {
  readonly peer: PeerId;
  deed(content: Omit<Deed, 'proof' | 'giver'>): Deed;
  seat(content: Omit<Seat, 'proof' | 'signer'>): Seat;
}

/** No proof: what follows from the list of the founders is true without a signature. */
export const NO_PROOF: Proof = { publicKey: new Uint8Array(0), signature: new Uint8Array(0) };

/** Whether a deed counts before another one for the same address. A total order. */
export function beatsDeed(a: Deed, b: Deed): boolean {
  if (a.version !== b.version) return a.version > b.version;
  if (a.owner !== b.owner) return a.owner > b.owner;
  if (a.giver !== b.giver) return a.giver > b.giver;
  const difference =
    a.ownerLife - b.ownerLife || a.giverLife - b.giverLife || a.start - b.start || a.end - b.end;
  return difference > 0;
}

/** Whether a seat counts before another one of the same peer. A total order. */
export function beatsSeat(a: Seat, b: Seat): boolean {
  if (a.life !== b.life) return a.life > b.life;
  if (a.gone !== b.gone) return a.gone;
  const byName = order(b.heir, a.heir) || order(b.signer, a.signer);
  const byNumber = a.heirLife - b.heirLife || a.sequence - b.sequence || a.free - b.free;
  return (a.gone ? byName || byNumber : byNumber || byName) > 0;
}

function order(a: PeerId, b: PeerId): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
