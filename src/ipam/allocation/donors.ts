import type { PeerId } from '../../identity/index.js';
import type { DenialReason, Ring, Span } from '../ring/index.js';

/** What to do about a span in which this router has no free address. */
export type DonorChoice =
  | { readonly kind: 'ask'; readonly donor: PeerId; readonly nonce: number }
  /** A donor was asked already, or none can be asked now. */
  | { readonly kind: 'wait' }
  /** All owners answered that they have no free address; `owner` is the last of them. */
  | { readonly kind: 'exhausted'; readonly owner: PeerId | undefined };

/** The search for a donor of addresses of one span. */
interface Search {
  asked: { readonly donor: PeerId; readonly nonce: number } | undefined;
  /** The ring in which no donor could be asked: nothing changes before the ring or the denials do. */
  stalled: Ring | undefined;
  /** When to pass over the donor that was asked, or to search anew. */
  deadline: number;
  /** The owners that granted nothing in this search, and why. */
  readonly denials: Map<PeerId, DenialReason | 'silent'>;
}

/**
 * Chooses whom to ask for addresses: for each span one owner after the other, the one with most free
 * addresses first.
 */
export class Donors {
  readonly #reachable: (peer: PeerId) => boolean;
  readonly #searches = new Map<string, Search>();
  #nonce = 0;

  constructor(reachable: (peer: PeerId) => boolean) {
    this.#reachable = reachable;
  }

  nextNonce(): number {
    this.#nonce++;
    return this.#nonce;
  }

  /**
   * Chooses the next donor for a span. One that is asked is passed over at the deadline. `isPending`: addresses of
   * the span may soon be this router's own, so that the search is not over when all owners have denied.
   */
  choose(span: Span, ring: Ring, self: PeerId, deadline: number, isPending: boolean): DonorChoice {
    const key = `${span.start}-${span.end}`;
    const search = this.#searches.get(key) ?? {
      ...{ asked: undefined, stalled: undefined },
      ...{ deadline, denials: new Map() },
    };
    this.#searches.set(key, search);
    if (search.asked !== undefined || search.stalled === ring) return { kind: 'wait' };
    const owners = ownersIn(span, ring, self);
    const [donor] = this.#candidates(owners, search, ring);
    if (donor !== undefined) {
      search.asked = { donor, nonce: this.nextNonce() };
      search.deadline = deadline;
      return { kind: 'ask', ...search.asked };
    }
    const isFinal = (owner: PeerId) => ['full', 'used'].includes(search.denials.get(owner) ?? '');
    if (isPending || ![...owners.keys()].every(isFinal)) {
      search.stalled = ring;
      return { kind: 'wait' };
    }
    this.#searches.delete(key);
    return { kind: 'exhausted', owner: [...owners.keys()].at(-1) };
  }

  onGrant(from: PeerId, nonce: number): void {
    for (const [key, { asked }] of this.#searches) {
      if (asked?.donor === from && asked.nonce === nonce) this.#searches.delete(key);
    }
  }

  onDenial(from: PeerId, nonce: number, reason: DenialReason): void {
    for (const search of this.#searches.values()) {
      if (search.asked?.donor === from && search.asked.nonce === nonce) passOver(search, from, reason);
    }
  }

  /** A peer that could not be reached can be asked again. */
  reached(peer: PeerId): void {
    for (const search of this.#searches.values()) {
      search.denials.delete(peer);
      search.stalled = undefined;
    }
  }

  /**
   * Passes over donors that have not answered by their deadline; a search that has no donor left begins anew.
   */
  expire(now: number): void {
    for (const [key, search] of this.#searches) {
      if (search.deadline > now) continue;
      if (search.asked === undefined) {
        this.#searches.delete(key);
      } else {
        passOver(search, search.asked.donor, 'silent');
        search.deadline = now;
      }
    }
  }

  /** The owners that can be asked, the best donor first. */
  #candidates(owners: ReadonlyMap<PeerId, number>, { denials }: Search, ring: Ring): PeerId[] {
    const free = (peer: PeerId) => ring.participantRecords.get(peer)?.free ?? 0;
    const size = (peer: PeerId) => owners.get(peer) ?? 0;
    return [...owners.keys()]
      .filter((peer) => !denials.has(peer) && this.#reachable(peer))
      .sort((a, b) => free(b) - free(a) || size(b) - size(a) || (a < b ? -1 : 1));
  }
}

function passOver(search: Search, donor: PeerId, reason: DenialReason | 'silent'): void {
  search.asked = undefined;
  search.stalled = undefined;
  search.denials.set(donor, reason);
}

/** The number of addresses of the span that each other peer owns. */
function ownersIn(span: Span, ring: Ring, self: PeerId): Map<PeerId, number> {
  const owners = new Map<PeerId, number>();
  for (const { record, start, end } of ring.within(span)) {
    const size = Math.min(end, span.end) - Math.max(start, span.start);
    if (record.owner !== self) owners.set(record.owner, (owners.get(record.owner) ?? 0) + size);
  }
  return owners;
}
