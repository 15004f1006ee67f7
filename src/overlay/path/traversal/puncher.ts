import type { PeerId } from '../../../identity/index.js';

/** Between requests to a peer that does not answer directly: first and last, in milliseconds. */
const FIRST = 500;
const LAST = 60_000;

/**
 * When to ask a peer to probe us while we probe it: a NAT lets packets in from where packets went out to, on both sides. No I/O, no
 * clock: times are milliseconds of whatever monotonic clock the caller uses.
 */
export class Puncher {
  readonly #peers = new Map<PeerId, { at: number; pause: number; addresses: string }>();

  /** Whether to ask now, and when to look again. `addresses`: what is known of both ends' addresses; a change restarts the backoff. */
  next(peer: PeerId, direct: boolean, addresses: string, now: number): { punch: boolean; again: number } {
    if (direct) {
      this.#peers.delete(peer);
      return { punch: false, again: Infinity };
    }
    let state = this.#peers.get(peer);
    if (state === undefined || state.addresses !== addresses) {
      state = { at: now + FIRST, pause: FIRST, addresses };
      this.#peers.set(peer, state);
    }
    if (now < state.at) return { punch: false, again: state.at };
    state.pause = Math.min(LAST, state.pause * 2);
    state.at = now + state.pause;
    return { punch: true, again: state.at };
  }

  forget(peer: PeerId): void {
    this.#peers.delete(peer);
  }
}
