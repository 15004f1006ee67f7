/** The subnets of segments: the ranges that containers have addresses of, and those that this host is exposed in. No router is sought there. */
export class InsideSubnets {
  readonly #ranges: readonly string[];
  #exposed: readonly string[] = [];

  constructor(ranges: readonly string[]) {
    this.#ranges = ranges;
  }

  /** The host has these addresses on its bridges now, with prefix length. */
  setExposed(addresses: readonly string[]): void {
    this.#exposed = addresses;
  }

  get all(): string[] {
    return [...this.#ranges, ...this.#exposed];
  }
}
