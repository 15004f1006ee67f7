import { formatHostPort, type HostPort, isReachable, resolveHostPort } from '../../net/index.js';

/** How long until a name is looked up again, in milliseconds: one that led somewhere, and one that did not. */
const REFRESH = 60_000;
const RETRY = 10_000;
/** Addresses that are taken of one name. */
const MAX_OF_NAME = 8;

/**
 * Where others reach this router, as people said: addresses as they are, names as the addresses that they lead to. A name is looked up again and
 * again; while nobody knows it, it leads where it led last.
 */
export class Advertised {
  readonly #places: readonly HostPort[];
  readonly #onChange: () => void;
  readonly #found = new Map<HostPort, readonly string[]>();
  readonly #timers = new Map<HostPort, NodeJS.Timeout>();
  #running = false;

  /** `onChange` is called when a name leads elsewhere. */
  constructor(places: readonly HostPort[], onChange: () => void) {
    this.#places = places;
    this.#onChange = onChange;
    for (const place of places) if (place.kind !== 'name') this.#found.set(place, told([place]));
  }

  /** Begins to look names up. Waits for none of them. */
  start(): void {
    this.#running = true;
    for (const place of this.#places) if (place.kind === 'name') void this.#follow(place);
  }

  stop(): void {
    this.#running = false;
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  /** `address:port`, in the order in which they were given. */
  endpoints(): string[] {
    return this.#places.flatMap((place) => this.#found.get(place) ?? []);
  }

  async #follow(place: HostPort): Promise<void> {
    const found = await resolveHostPort(place).then(told, () => []);
    if (!this.#running) return;
    if (found.length > 0 && found.join() !== this.#found.get(place)?.join()) {
      this.#found.set(place, found);
      this.#onChange();
    }
    const pause = found.length > 0 ? REFRESH : RETRY;
    this.#timers.set(
      place,
      setTimeout(() => void this.#follow(place), pause),
    );
  }
}

/** Sorted, because servers rotate what they answer. A host's own name often leads to 127.0.1.1 there, which is of no use elsewhere. */
function told(addresses: readonly HostPort[]): string[] {
  const useful = addresses.filter(({ host }) => isReachable(host)).map(formatHostPort);
  return [...new Set(useful)].sort().slice(0, MAX_OF_NAME);
}
