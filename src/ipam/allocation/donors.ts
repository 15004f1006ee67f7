import type { PeerId } from '../../identity/index.js';
import type { Denial, Ring, Span } from '../ring/index.js';

/** What to do for a span of which addresses are wanted. */
export type Wish =
  | { readonly kind: 'ask'; readonly peer: PeerId; readonly nonce: number }
  /** Somebody was asked already, or nobody can be asked now. */
  | { readonly kind: 'wait' }
  /** All owners said that they have none; the last of them. */
  | { readonly kind: 'exhausted'; readonly peer: PeerId | undefined };

interface Want {
  asked: { readonly peer: PeerId; readonly nonce: number } | undefined;
  /** The ring in which there was nobody to ask: only a change of it, or of the denials, makes a difference. */
  stalled: Ring | undefined;
  /** When to ask the next, or to begin anew. */
  deadline: number;
  /** Who has given nothing, since it was begun anew. */
  readonly denials: Map<PeerId, Denial | 'silent'>;
}

/** Whom to ask for addresses: for each span one after the other, who has most first. */
export class Wants {
  readonly #reachable: (peer: PeerId) => boolean;
  readonly #wants = new Map<string, Want>();
  #nonce = 0;

  constructor(reachable: (peer: PeerId) => boolean) {
    this.#reachable = reachable;
  }

  nextNonce(): number {
    this.#nonce++;
    return this.#nonce;
  }

  wish(span: Span, ring: Ring, self: PeerId, deadline: number): Wish {
    const key = `${span.start}-${span.end}`;
    const want = this.#wants.get(key) ?? {
      asked: undefined,
      stalled: undefined,
      deadline,
      denials: new Map(),
    };
    this.#wants.set(key, want);
    if (want.asked !== undefined || want.stalled === ring) return { kind: 'wait' };
    const owners = ownersIn(span, ring, self);
    const unasked = [...owners.keys()].filter((peer) => !want.denials.has(peer) && this.#reachable(peer));
    const free = (peer: PeerId) => ring.seats.get(peer)?.free ?? 0;
    const size = (peer: PeerId) => owners.get(peer) ?? 0;
    const [peer] = unasked.sort((a, b) => free(b) - free(a) || size(b) - size(a) || (a < b ? -1 : 1));
    if (peer !== undefined) {
      want.asked = { peer, nonce: this.nextNonce() };
      want.deadline = deadline;
      return { kind: 'ask', ...want.asked };
    }
    const isFinal = (owner: PeerId) => ['full', 'used'].includes(want.denials.get(owner) ?? '');
    if (![...owners.keys()].every(isFinal)) {
      want.stalled = ring;
      return { kind: 'wait' };
    }
    this.#wants.delete(key);
    return { kind: 'exhausted', peer: [...owners.keys()].at(-1) };
  }

  granted(from: PeerId, nonce: number): void {
    for (const [key, { asked }] of this.#wants) {
      if (asked?.peer === from && asked.nonce === nonce) this.#wants.delete(key);
    }
  }

  denied(from: PeerId, nonce: number, why: Denial): void {
    for (const want of this.#wants.values()) {
      if (want.asked?.peer !== from || want.asked.nonce !== nonce) continue;
      want.asked = undefined;
      want.stalled = undefined;
      want.denials.set(from, why);
    }
  }

  /** A peer that could not be reached can be asked again. */
  forgive(peer: PeerId): void {
    for (const want of this.#wants.values()) {
      want.denials.delete(peer);
      want.stalled = undefined;
    }
  }

  /** Whoever has not answered in time is passed over; when nobody is left, it begins anew. */
  expire(now: number): void {
    for (const [key, want] of this.#wants) {
      if (want.deadline > now) continue;
      if (want.asked === undefined) this.#wants.delete(key);
      else {
        want.denials.set(want.asked.peer, 'silent');
        want.stalled = undefined;
        want.asked = undefined;
        want.deadline = now;
      }
    }
  }
}

/** How many addresses of the span each other peer owns. */
function ownersIn(span: Span, ring: Ring, self: PeerId): Map<PeerId, number> {
  const owners = new Map<PeerId, number>();
  for (const { deed, start, end } of ring.within(span)) {
    const size = Math.min(end, span.end) - Math.max(start, span.start);
    if (deed.owner !== self) owners.set(deed.owner, (owners.get(deed.owner) ?? 0) + size);
  }
  return owners;
}
