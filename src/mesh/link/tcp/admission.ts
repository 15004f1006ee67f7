export interface AdmissionLimits {
  /** Connections in handshake at a time, over all addresses. */
  readonly handshakes: number;
  /** Connections in handshake at a time from one address. */
  readonly handshakesPerAddress: number;
  /** Number of new connections that one address may open at once. */
  readonly acceptBurst: number;
  /** Number of new connections that one address may open per second, beyond the burst. */
  readonly acceptRate: number;
}

interface Source {
  /** Connections in handshake. */
  handshakes: number;
  /** Content of its token bucket, as of `at` (milliseconds). */
  tokens: number;
  at: number;
}

/** Maximum number of addresses that are remembered. Beyond it the stalest is forgotten, so that a flood cannot fill the memory. */
const MAX_SOURCES = 4096;

/**
 * Decides which incoming connections may begin a handshake: a limit for all, one for each address, and a token bucket for each
 * address. No I/O, no clock.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #sources = new Map<string, Source>();
  #handshakes = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get handshakes(): number {
    return this.#handshakes;
  }

  /** Admits a connection to its handshake (call `leave` when that is over), or gives the reason why not. */
  enter(address: string, now: number): 'accept-limit' | 'accept-rate' | undefined {
    const source = this.#source(address, now);
    if (this.#handshakes >= this.#limits.handshakes) return 'accept-limit';
    if (source.handshakes >= this.#limits.handshakesPerAddress) return 'accept-limit';
    if (source.tokens < 1) return 'accept-rate';
    source.tokens -= 1;
    source.handshakes += 1;
    this.#handshakes += 1;
    return undefined;
  }

  leave(address: string): void {
    this.#handshakes -= 1;
    const source = this.#sources.get(address);
    if (source !== undefined) source.handshakes -= 1;
  }

  #source(address: string, now: number): Source {
    const known = this.#sources.get(address);
    const { acceptBurst, acceptRate } = this.#limits;
    const source = known ?? { handshakes: 0, tokens: acceptBurst, at: now };
    source.tokens = Math.min(acceptBurst, source.tokens + ((now - source.at) / 1000) * acceptRate);
    source.at = now;
    // This moves the address to the end: the map stays sorted by the time of the last connection.
    this.#sources.delete(address);
    this.#sources.set(address, source);
    if (known === undefined && this.#sources.size > MAX_SOURCES) this.#forgetStalest();
    return source;
  }

  #forgetStalest(): void {
    for (const [address, { handshakes }] of this.#sources) {
      if (handshakes > 0) continue;
      this.#sources.delete(address);
      return;
    }
  }
}
