import ipaddr from 'ipaddr.js';

export interface AdmissionLimits {
  /** Connections in handshake at a time, over all sources. */
  readonly handshakes: number;
  /** Connections in handshake at a time from one source. */
  readonly handshakesPerAddress: number;
  /** Number of new connections that one source may open at once. */
  readonly acceptBurst: number;
  /** Number of new connections that one source may open per second, beyond the burst. */
  readonly acceptRate: number;
}

/** A connection that has yet to prove that it may be here. */
export interface Guest {
  /** The IP address at the other end, in canonical form. */
  readonly address: string;
  /** It has not said anything yet. */
  readonly isSilent: () => boolean;
  /** Ends it; `leave` follows. */
  readonly evict: () => void;
}

interface Source {
  /** In handshake, the oldest first. */
  readonly guests: Set<Guest>;
  /** Content of its token bucket, as of `at` (milliseconds). */
  tokens: number;
  at: number;
}

/** Maximum number of sources that are remembered. Beyond it the stalest is forgotten, so that a flood cannot fill the memory. */
const MAX_SOURCES = 4096;
/** Bits of an IPv6 address that tell sources apart: whoever has one /64 has all of its addresses. */
const SOURCE_BITS = 64;

/**
 * Decides which incoming connections may begin a handshake: a limit for all, one for each source, and a token bucket for each source. Who comes
 * when all places are taken gets that of the connection that deserves it least; so silent connections, however many, keep nobody out. No I/O, no
 * clock.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #isKnown: (address: string) => boolean;
  readonly #sources = new Map<string, Source>();
  #handshakes = 0;

  /** `isKnown` is true for addresses of members, which keep their places and get those of others when all are taken. */
  constructor(limits: AdmissionLimits, isKnown: (address: string) => boolean) {
    this.#limits = limits;
    this.#isKnown = isKnown;
  }

  get handshakes(): number {
    return this.#handshakes;
  }

  /** Admits a connection to its handshake (call `leave` when that is over), or gives the reason why not. */
  enter(guest: Guest, now: number): 'accept-limit' | 'accept-rate' | undefined {
    const source = this.#source(sourceOf(guest.address), now);
    if (source.tokens < 1) return 'accept-rate';
    const victim = this.#inTheWay(guest, source);
    if (victim === null) return 'accept-limit';
    if (victim !== undefined) {
      this.leave(victim);
      victim.evict();
    }
    source.tokens -= 1;
    source.guests.add(guest);
    this.#handshakes += 1;
    return undefined;
  }

  /** Its handshake is over. Does nothing for one that was evicted. */
  leave(guest: Guest): void {
    if (this.#sources.get(sourceOf(guest.address))?.guests.delete(guest)) this.#handshakes -= 1;
  }

  /** Whose place this newcomer may take: undefined when there is room, null when nobody's. */
  #inTheWay(newcomer: Guest, source: Source): Guest | undefined | null {
    const { handshakes, handshakesPerAddress } = this.#limits;
    if (source.guests.size >= handshakesPerAddress) return oldestSilent([...source.guests]) ?? null;
    if (this.#handshakes < handshakes) return undefined;
    const all = this.#mostCrowdedFirst();
    const strangers = all.filter(({ address }) => !this.#isKnown(address));
    const candidates = strangers.length > 0 ? strangers : all;
    const silent = oldestSilent(candidates);
    if (silent !== undefined) return silent;
    const [most] = candidates;
    if (most === undefined) return null;
    if (strangers.length > 0 && this.#isKnown(newcomer.address)) return most;
    // One that speaks gives way only to whoever has fewer of the places.
    return this.#placesOf(most) > source.guests.size ? most : null;
  }

  /** All in handshake, by source, the oldest of each first. */
  #mostCrowdedFirst(): Guest[] {
    return [...this.#sources.values()]
      .filter(({ guests }) => guests.size > 0)
      .sort((one, other) => other.guests.size - one.guests.size)
      .flatMap(({ guests }) => [...guests]);
  }

  #placesOf({ address }: Guest): number {
    return this.#sources.get(sourceOf(address))?.guests.size ?? 0;
  }

  #source(key: string, now: number): Source {
    const known = this.#sources.get(key);
    const { acceptBurst, acceptRate } = this.#limits;
    const source = known ?? { guests: new Set<Guest>(), tokens: acceptBurst, at: now };
    source.tokens = Math.min(acceptBurst, source.tokens + ((now - source.at) / 1000) * acceptRate);
    source.at = now;
    // This moves the source to the end: the map stays sorted by the time of the last connection.
    this.#sources.delete(key);
    this.#sources.set(key, source);
    if (known === undefined && this.#sources.size > MAX_SOURCES) this.#forgetStalest();
    return source;
  }

  #forgetStalest(): void {
    for (const [key, { guests }] of this.#sources) {
      if (guests.size > 0) continue;
      this.#sources.delete(key);
      return;
    }
  }
}

function oldestSilent(guests: readonly Guest[]): Guest | undefined {
  return guests.find(({ isSilent }) => isSilent());
}

/** Link-local addresses are told apart one by one: all neighbours share their prefix. */
function sourceOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.parse(address);
  if (parsed.kind() === 'ipv4' || parsed.range() === 'linkLocal') return parsed.toString();
  return Buffer.from(parsed.toByteArray().slice(0, SOURCE_BITS / 8)).toString('hex');
}
