import type { Pool } from './pools.js';

/** Within so long Docker has made a network, or has given it up, in milliseconds. */
const PATIENCE = 60_000;
const MAX = 256;

interface Creation {
  count: number;
  until: number;
}

/**
 * Pools of which Docker makes a network right now. The gateway and the auxiliary addresses that a user chose for it may be reserved by
 * another host already, where the same network was made.
 */
export class Creations {
  readonly #now: () => number;
  readonly #pools = new Map<string, Creation>();

  constructor(now: () => number) {
    this.#now = now;
  }

  begin(pool: Pool): void {
    const count = this.isGoingOn(pool) ? (this.#pools.get(keyOf(pool))?.count ?? 0) : 0;
    this.#pools.delete(keyOf(pool));
    this.#pools.set(keyOf(pool), { count: count + 1, until: this.#now() + PATIENCE });
    const [oldest] = this.#pools.keys();
    if (this.#pools.size > MAX && oldest !== undefined) this.#pools.delete(oldest);
  }

  end(pool: Pick<Pool, 'space' | 'subnet'>): void {
    const creation = this.#pools.get(keyOf(pool));
    if (creation === undefined) return;
    creation.count--;
    if (creation.count <= 0) this.#pools.delete(keyOf(pool));
  }

  isGoingOn(pool: Pool): boolean {
    const creation = this.#pools.get(keyOf(pool));
    return creation !== undefined && creation.until > this.#now();
  }
}

function keyOf({ space, subnet }: Pick<Pool, 'space' | 'subnet'>): string {
  return `${space} ${subnet}`;
}
