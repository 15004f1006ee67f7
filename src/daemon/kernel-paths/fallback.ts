import type { Clock } from '../../clock.js';
import type { PeerId } from '../../identity/index.js';

/** Between two questions that were answered with a failure at once, ms: as while no forwarder runs. */
const PAUSE = 100;

export interface FallbackOptions {
  /** One probe by the forwarder's way: microseconds; null when nothing came back within a second. Rejects where none can be sent. */
  readonly ping: (peer: PeerId) => Promise<number | null>;
  readonly clock: Clock;
  /** The forwarder's way to somebody works. */
  readonly onWorking: () => void;
}

/**
 * Asks, when the kernel's way to a peer fails, whether the forwarder's is any better. While the peer's forwarder is being started again it answers neither,
 * and frames are better off where they are.
 */
export class Fallback {
  readonly #options: FallbackOptions;
  readonly #working = new Set<PeerId>();
  /** About whom is asked, each with the round of questions that counts. */
  readonly #asked = new Map<PeerId, symbol>();

  constructor(options: FallbackOptions) {
    this.#options = options;
  }

  /** False while it is not known; that is asked then, until it is known or `keep` leaves the peer out. */
  isBetter(peer: PeerId): boolean {
    if (this.#working.has(peer)) return true;
    if (!this.#asked.has(peer)) this.#begin(peer);
    return false;
  }

  /** Forgets all others: their kernel paths work, or nobody wants to know any more. */
  keep(peers: ReadonlySet<PeerId>): void {
    for (const known of [this.#working, this.#asked]) {
      for (const peer of known.keys()) if (!peers.has(peer)) known.delete(peer);
    }
  }

  #begin(peer: PeerId): void {
    const round = Symbol();
    this.#asked.set(peer, round);
    void this.#ask(peer, round);
  }

  async #ask(peer: PeerId, round: symbol): Promise<void> {
    const { ping, clock, onWorking } = this.#options;
    const rtt = await ping(peer).catch(() => null);
    if (this.#asked.get(peer) !== round) return;
    if (rtt === null) {
      clock.after(PAUSE, () => {
        if (this.#asked.get(peer) === round) void this.#ask(peer, round);
      });
      return;
    }
    this.#asked.delete(peer);
    this.#working.add(peer);
    onWorking();
  }
}
