import type { Networks } from '../segments/index.js';

/** What the networks are called whose numbers events come with. */
export class NetworkNames {
  readonly #networks: Pick<Networks, 'list'>;

  constructor(networks: Pick<Networks, 'list'>) {
    this.#networks = networks;
  }

  /** The number itself, where no name is known. */
  nameOf(number: number): string {
    return this.#networks.list().find((network) => network.number === number)?.name ?? String(number);
  }
}
