import type { PeerId } from '../../identity/index.js';

export interface FallbackOptions {
  /** One probe by the forwarder's way: microseconds; null when nothing came back within a second. */
  readonly ping: (peer: PeerId) => Promise<number | null>;
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
  readonly #asked = new Set<PeerId>();

  constructor(options: FallbackOptions) {
    this.#options = options;
  }

  /** False while it is not known; that is asked then. */
  isBetter(peer: PeerId): boolean {
    if (this.#working.has(peer)) return true;
    if (!this.#asked.has(peer)) void this.#ask(peer);
    return false;
  }

  /** The kernel's way works, or nobody wants to know any more. */
  forget(peer: PeerId): void {
    this.#working.delete(peer);
    this.#asked.delete(peer);
  }

  clear(): void {
    this.#working.clear();
    this.#asked.clear();
  }

  async #ask(peer: PeerId): Promise<void> {
    this.#asked.add(peer);
    while (this.#asked.has(peer)) {
      const rtt = await this.#options.ping(peer).catch(() => null);
      if (rtt === null || !this.#asked.delete(peer)) continue;
      this.#working.add(peer);
      this.#options.onWorking();
    }
  }
}
