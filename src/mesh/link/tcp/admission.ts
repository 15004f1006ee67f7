export interface AdmissionLimits {
  /** Connections in handshake at a time, over all addresses. */
  readonly handshakes: number;
  /** Connections in handshake at a time from one address. */
  readonly handshakesPerAddress: number;
  /** New connections that one address may open at once, and then a second. */
  readonly acceptBurst: number;
  readonly acceptRate: number;
}

interface Visitor {
  /** Connections in handshake. */
  handshakes: number;
  /** What is left of its burst, as of `at` (milliseconds). */
  tokens: number;
  at: number;
}

/** Addresses that are remembered; beyond that the stalest is forgotten, so that a flood cannot fill the memory. */
const MAX_VISITORS = 4096;

/**
 * Decides which incoming connections may begin a handshake: a limit for all, one for each address, and a token bucket for each
 * address. No I/O, no clock.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #visitors = new Map<string, Visitor>();
  #handshakes = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get handshakes(): number {
    return this.#handshakes;
  }

  /** Undefined when the connection is admitted (call `leave` when its handshake is over), else the reason why not. */
  enter(address: string, now: number): 'accept-limit' | 'accept-rate' | undefined {
    const visitor = this.#visitor(address, now);
    if (this.#handshakes >= this.#limits.handshakes) return 'accept-limit';
    if (visitor.handshakes >= this.#limits.handshakesPerAddress) return 'accept-limit';
    if (visitor.tokens < 1) return 'accept-rate';
    visitor.tokens -= 1;
    visitor.handshakes += 1;
    this.#handshakes += 1;
    return undefined;
  }

  leave(address: string): void {
    this.#handshakes -= 1;
    const visitor = this.#visitors.get(address);
    if (visitor !== undefined) visitor.handshakes -= 1;
  }

  #visitor(address: string, now: number): Visitor {
    const known = this.#visitors.get(address);
    const { acceptBurst, acceptRate } = this.#limits;
    const visitor = known ?? { handshakes: 0, tokens: acceptBurst, at: now };
    visitor.tokens = Math.min(acceptBurst, visitor.tokens + ((now - visitor.at) / 1000) * acceptRate);
    visitor.at = now;
    // Moves it to the end: the map stays sorted by the last visit.
    this.#visitors.delete(address);
    this.#visitors.set(address, visitor);
    if (known === undefined && this.#visitors.size > MAX_VISITORS) this.#forgetStalest();
    return visitor;
  }

  #forgetStalest(): void {
    for (const [address, { handshakes }] of this.#visitors) {
      if (handshakes > 0) continue;
      this.#visitors.delete(address);
      return;
    }
  }
}
