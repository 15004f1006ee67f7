import type { Clock } from '../../clock.js';
import type { PeerId } from '../../identity/index.js';
import { compareVersions, type Version } from './version.js';

/** How long the version of a forgotten peer is remembered, in milliseconds. */
const TOMBSTONE_TIME = 24 * 3_600_000;
const MAX_TOMBSTONES = 16_384;

/** The versions of forgotten peers: a router that has not forgotten such a peer yet cannot bring it back with an old record. */
export class Tombstones {
  readonly #clock: Clock;
  /** In the order in which they expire. */
  readonly #tombstones = new Map<PeerId, Version & { readonly until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** This version of a peer, or a later one, was forgotten. */
  covers(peer: PeerId, version: Version): boolean {
    const tombstone = this.#tombstones.get(peer);
    return tombstone !== undefined && compareVersions(version, tombstone) <= 0;
  }

  add(peer: PeerId, { incarnation, sequence }: Version): void {
    this.#tombstones.delete(peer);
    this.#tombstones.set(peer, { incarnation, sequence, until: this.#clock.now() + TOMBSTONE_TIME });
    this.#expire();
  }

  delete(peer: PeerId): void {
    this.#tombstones.delete(peer);
  }

  #expire(): void {
    const now = this.#clock.now();
    for (const [peer, { until }] of this.#tombstones) {
      if (until > now && this.#tombstones.size <= MAX_TOMBSTONES) return;
      this.#tombstones.delete(peer);
    }
  }
}
