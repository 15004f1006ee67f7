import type { Exposures } from './exposures.js';

/** The subnets of segments: the ranges that containers have addresses of, and those that this host is exposed in. No router is sought there. */
export class InsideSubnets {
  readonly #ranges: readonly string[];
  #host: Pick<Exposures, 'list'> | undefined;

  constructor(ranges: readonly string[]) {
    this.#ranges = ranges;
  }

  /** What the host is exposed in is inside, too, as it changes. */
  follow(exposures: Pick<Exposures, 'list'>): void {
    this.#host = exposures;
  }

  get all(): string[] {
    return [...this.#ranges, ...(this.#host?.list() ?? []).map(({ address }) => address)];
  }
}
