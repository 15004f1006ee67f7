import type { DataPlaneKeyState } from '../port/index.js';

/** The data plane keeps at most this many keys for a peer. */
const MAX_KEYS = 4;

/** A key that both ends agreed on, as the data plane has it. */
export interface Key {
  /** Chosen by this end; packets to it name it. */
  readonly localIndex: number;
  readonly cipher: string;
  readonly role: 'initiator' | 'responder';
  /** This end's subnets without encryption, as the other end was told. */
  readonly trusted: readonly string[];
  readonly createdAt: number;
  /** A packet was opened with it: the other end has it. */
  confirmed: boolean;
  /** When it may go. */
  removeAt: number;
}

/**
 * The keys that the data plane has for one peer, oldest first. A new key stands beside the old ones, which go when the new one is
 * confirmed and a grace period is over: at no time is there a packet that cannot be opened. Times are milliseconds.
 */
export class KeyRing {
  readonly #grace: number;
  #keys: Key[] = [];

  /** @param grace how long an old key stays usable once a newer one is confirmed */
  constructor(grace: number) {
    this.#grace = grace;
  }

  get newest(): Key | undefined {
    return this.#keys.at(-1);
  }

  /** When the next key may go; Infinity while none may. */
  get deadline(): number {
    return Math.min(...this.#keys.map((key) => key.removeAt));
  }

  has(localIndex: number): boolean {
    return this.#keys.some((key) => key.localIndex === localIndex);
  }

  /** Takes a new key, which nobody has used yet. */
  add(key: Omit<Key, 'confirmed' | 'removeAt'>): void {
    this.#keys.push({ ...key, confirmed: false, removeAt: Infinity });
  }

  remove(localIndex: number): void {
    this.#keys = this.#keys.filter((key) => key.localIndex !== localIndex);
  }

  clear(): void {
    this.#keys = [];
  }

  /** The data plane has these keys (of an earlier process of ours, perhaps). `up`: packets of the peer come in. */
  adopt(states: readonly DataPlaneKeyState[], up: boolean, now: number): void {
    const known = new Map(this.#keys.map((key) => [key.localIndex, key]));
    const adopted = states.map(
      (state) => known.get(state.localIndex) ?? keyOf(state, state.role === 'responder' || up, now),
    );
    this.#keys = adopted.sort((a, b) => a.createdAt - b.createdAt);
    this.#retireOlder(now);
  }

  /** The data plane opened a packet with this key. False when there is no such key. */
  confirm(localIndex: number, now: number): boolean {
    const key = this.#keys.find((candidate) => candidate.localIndex === localIndex);
    if (key === undefined) return false;
    key.confirmed = true;
    this.#retireOlder(now);
    return true;
  }

  /** Drops the keys whose time is over; returns their indexes. */
  removeExpired(now: number): number[] {
    const expired = this.#keys.filter((key) => key.removeAt <= now);
    this.#keys = this.#keys.filter((key) => key.removeAt > now);
    return expired.map(({ localIndex }) => localIndex);
  }

  /**
   * Before a key is added to a full ring: drops the oldest that neither end seals with, so that the data plane does not drop one in
   * use. Returns its index.
   */
  evict(): number | undefined {
    if (this.#keys.length < MAX_KEYS) return undefined;
    const sealing = this.#keys.findLast((key) => key.confirmed);
    const victim = this.#keys.find((key) => key !== sealing && key !== this.newest);
    if (victim !== undefined) this.remove(victim.localIndex);
    return victim?.localIndex;
  }

  /** Neither end uses the keys before the newest confirmed one any more. */
  #retireOlder(now: number): void {
    const newest = this.#keys.findLastIndex((key) => key.confirmed);
    for (const key of this.#keys.slice(0, Math.max(0, newest))) {
      key.removeAt = Math.min(key.removeAt, now + this.#grace);
    }
  }
}

function keyOf(state: DataPlaneKeyState, otherEndHasIt: boolean, now: number): Key {
  const { localIndex, cipher, role, trusted, age, sealing } = state;
  return {
    localIndex,
    cipher,
    role,
    trusted,
    createdAt: now - age * 1000,
    confirmed: sealing && otherEndHasIt,
    removeAt: Infinity,
  };
}
