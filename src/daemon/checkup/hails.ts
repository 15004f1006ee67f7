import type { Clock } from '../../clock.js';
import type { PeerId } from '../../identity/index.js';

/** Peers whose last hail is remembered; the one that was silent for longest is forgotten first. */
const MAX_PEERS = 4_096;

/** The hails that the forwarder heard, the last one of each peer. */
export class Hails {
  readonly #clock: Clock;
  readonly #last = new Map<PeerId, number>();
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  heard(peer: PeerId, number: number): void {
    this.#last.delete(peer);
    this.#last.set(peer, number);
    const [oldest] = this.#last.keys();
    if (this.#last.size > MAX_PEERS && oldest !== undefined) this.#last.delete(oldest);
    for (const look of this.#waiting) look();
  }

  /** Whether the peer's hail of that number came, or comes within so many milliseconds. */
  wait(peer: PeerId, number: number, patience: number): Promise<boolean> {
    if (this.#last.get(peer) === number) return Promise.resolve(true);
    return new Promise((resolve) => {
      const done = (came: boolean) => {
        cancel();
        this.#waiting.delete(look);
        resolve(came);
      };
      const look = () => {
        if (this.#last.get(peer) === number) done(true);
      };
      const cancel = this.#clock.after(patience, () => done(false));
      this.#waiting.add(look);
    });
  }
}
