import type { PeerId } from '../../identity/index.js';
import type { RelayOption } from './relays.js';

/** What there is to choose from; costs as of `linkCost`. */
export interface PathOptions {
  /** Cost of the direct path, over UDP or TCP; undefined while it does not work. */
  readonly direct: number | undefined;
  /** Cheapest first. */
  readonly relays: readonly RelayOption[];
}

/** A working path is left for another only if that costs less than this factor of it, minus these microseconds, or has fewer hops. */
const BETTER_FACTOR = 0.6;
const BETTER_BY = 3_000;
/** How long the other path must have been that much better, in milliseconds. */
const BETTER_FOR = 3_000;
/** How much more than a relay the direct path may cost (a factor, and microseconds): relays have other work to do. */
const DIRECT_FACTOR = 1.25;
const DIRECT_EXTRA = 2_000;
/** How long a direct path that failed must work before it is used again, in milliseconds: the first time, and at most. */
const TRIAL_FIRST = 500;
const TRIAL_LAST = 60_000;
/** Time without a failure after which the direct path is trusted as at first, in milliseconds. */
const FORGIVEN_AFTER = 120_000;

/** The direct path has no hops. */
type Path = Pick<RelayOption, 'cost' | 'hops'>;

/**
 * Decides whether packets for one peer go straight to it or through which relay. No I/O, no clock: times are milliseconds of whatever
 * monotonic clock the caller uses.
 *
 * What does not work is left at once. What works is left only for something that is clearly better for a while, so that two paths which
 * are much alike do not take turns; and a direct path that comes and goes has to prove itself, longer each time.
 */
export class PathChoice {
  #via: PeerId | null;
  #directSince: number | undefined;
  #failures = 0;
  #failedAt = -Infinity;
  /** Since when another path has been clearly better. */
  #betterSince: number | undefined;

  /** `via`: what is in use already. */
  constructor(via: PeerId | null = null) {
    this.#via = via;
  }

  /** The relay in use; null for the direct path (also when nothing works). */
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

  /** Leaves the path in use for another once that has been clearly better for long enough. */
  #improve(current: Path, other: RelayOption, now: number): number | undefined {
    if (other.relay === this.#via || !isClearlyBetter(other, current)) {
      this.#betterSince = undefined;
      return undefined;
    }
    this.#betterSince ??= now;
    if (now >= this.#betterSince + BETTER_FOR) return this.#take(other.relay);
    return this.#betterSince + BETTER_FOR;
  }

  /** When the direct path may be used again instead of a relay; undefined when it is not there or not worth it. */
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

/** Of two paths that cost about the same, the one with fewer hops is better: each relay does work that could be spared. */
function isClearlyBetter(other: Path, current: Path): boolean {
  if (other.hops < current.hops) return other.cost <= current.cost;
  return other.cost <= current.cost * BETTER_FACTOR - BETTER_BY;
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
