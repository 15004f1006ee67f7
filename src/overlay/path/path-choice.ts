import type { PeerId } from '../../identity/index.js';
import type { RelayOption } from './routes.js';

/** What there is to choose from; costs as of `linkCost`. */
export interface PathOptions {
  /** Cost of the direct way, over UDP or TCP; undefined while it does not work. */
  readonly direct: number | undefined;
  /** Cheapest first. */
  readonly relays: readonly RelayOption[];
}

/** Another way must be so much cheaper before a working one is left for it, unless it has fewer hops: a factor, and microseconds. */
const BETTER_FACTOR = 0.6;
const BETTER_BY = 3_000;
/** And must be so for so long, in milliseconds. */
const BETTER_FOR = 3_000;
/** The direct way may cost so much more than a relay, who has other things to do. */
const DIRECT_FACTOR = 1.25;
const DIRECT_EXTRA = 2_000;
/** A direct way that failed again and again must work for so long before it is used again: first and last, milliseconds. */
const TRIAL_FIRST = 500;
const TRIAL_LAST = 60_000;
/** After so long without a failure (milliseconds) it is trusted as at first. */
const FORGIVEN_AFTER = 120_000;

/** The direct way has no hops. */
type Way = Pick<RelayOption, 'cost' | 'hops'>;

/**
 * Decides whether packets for one peer go straight to it or through which relay. No I/O, no clock: times are milliseconds of whatever
 * monotonic clock the caller uses.
 *
 * What does not work is left at once. What works is left only for something that is clearly better for a while, so that two ways which
 * are much alike do not take turns; and a direct way that comes and goes has to prove itself, longer each time.
 */
export class PathChoice {
  #via: PeerId | null;
  #directSince: number | undefined;
  #failures = 0;
  #failedAt = -Infinity;
  /** Since when another way has been clearly better. */
  #betterSince: number | undefined;

  /** `via`: what is in use already. */
  constructor(via: PeerId | null = null) {
    this.#via = via;
  }

  /** The relay in use; null for the direct way (also when nothing works). */
  get via(): PeerId | null {
    return this.#via;
  }

  /** Takes the best of these options now. Returns when it wants to be asked again, or undefined when nothing waits. */
  choose(options: PathOptions, now: number): number | undefined {
    this.#watchDirect(options.direct !== undefined, now);
    const [best] = options.relays;
    if (this.#via === null) return this.#fromDirect(options.direct, best, now);
    const current = options.relays.find(({ relay }) => relay === this.#via);
    const backAt = this.#backAt(options.direct, current ?? best, now);
    if (backAt !== undefined && backAt <= now) return this.#take(null);
    if (current === undefined) this.#take(best === undefined ? null : best.relay);
    else if (best !== undefined) return earlier(backAt, this.#improve(current, best, now));
    return backAt;
  }

  #fromDirect(direct: number | undefined, best: RelayOption | undefined, now: number): number | undefined {
    if (best === undefined) return this.#take(null);
    if (direct === undefined) return this.#take(best.relay);
    return this.#improve({ cost: direct, hops: 0 }, best, now);
  }

  /** Leaves the way in use for another once that has been clearly better for long enough. */
  #improve(current: Way, other: RelayOption, now: number): number | undefined {
    if (other.relay === this.#via || !isClearlyBetter(other, current)) {
      this.#betterSince = undefined;
      return undefined;
    }
    this.#betterSince ??= now;
    if (now >= this.#betterSince + BETTER_FOR) return this.#take(other.relay);
    return this.#betterSince + BETTER_FOR;
  }

  /** When the direct way may be used again instead of a relay; undefined when it is not there or not worth it. */
  #backAt(direct: number | undefined, relay: RelayOption | undefined, now: number): number | undefined {
    if (direct === undefined || this.#directSince === undefined) return undefined;
    if (relay === undefined) return now;
    if (direct > relay.cost * DIRECT_FACTOR + DIRECT_EXTRA) return undefined;
    return this.#directSince + this.#trial();
  }

  #trial(): number {
    return Math.min(TRIAL_LAST, TRIAL_FIRST * 2 ** Math.max(0, this.#failures - 1));
  }

  #watchDirect(works: boolean, now: number): void {
    if (works) {
      this.#directSince ??= now;
    } else if (this.#directSince !== undefined) {
      this.#directSince = undefined;
      this.#failures = now > this.#failedAt + FORGIVEN_AFTER ? 1 : this.#failures + 1;
      this.#failedAt = now;
    }
  }

  #take(via: PeerId | null): undefined {
    this.#via = via;
    this.#betterSince = undefined;
  }
}

/** Of two that cost about the same the one with fewer hops is better: each relay on the way does work that none needs to do. */
function isClearlyBetter(other: Way, current: Way): boolean {
  if (other.hops < current.hops) return other.cost <= current.cost;
  return other.cost <= current.cost * BETTER_FACTOR - BETTER_BY;
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
