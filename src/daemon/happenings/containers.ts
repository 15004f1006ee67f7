import type { EventDetails, Journal } from '../../events/index.js';
import type { AttachedEndpoint, Attachments } from '../attachments/index.js';
import type { Networks } from '../segments/index.js';

type Container = EventDetails<'container-attached'>;

/** Tells of the containers of this host that come onto a network, change there, or leave it. */
export class ContainerEvents {
  readonly #journal: Journal;
  readonly #networks: Pick<Networks, 'nameOf'>;
  /** What was told of each, by container and interface. */
  readonly #told = new Map<string, Container>();

  constructor(journal: Journal, networks: Pick<Networks, 'nameOf'>) {
    this.#journal = journal;
    this.#networks = networks;
  }

  /** From now on; those that are there are no news. */
  follow(attachments: Pick<Attachments, 'endpoints' | 'on'>): void {
    for (const endpoint of attachments.endpoints()) {
      for (const container of this.#containers(endpoint)) this.#told.set(keyOf(container), container);
    }
    attachments.on('attached', (endpoint) => this.#attached(endpoint));
    attachments.on('detached', (endpoint) => this.#detached(endpoint, []));
  }

  #attached(endpoint: AttachedEndpoint): void {
    const containers = this.#containers(endpoint);
    this.#detached(endpoint, containers.map(keyOf));
    for (const container of containers) {
      const former = this.#told.get(keyOf(container));
      this.#told.set(keyOf(container), container);
      const kind = former === undefined ? 'container-attached' : 'container-changed';
      if (JSON.stringify(former) !== JSON.stringify(container)) this.#tell(kind, container);
    }
  }

  /** All that have this interface left, but some. */
  #detached(endpoint: AttachedEndpoint, stay: readonly string[]): void {
    const { mac, interface: inside } = endpoint;
    const network = this.#networks.nameOf(endpoint.network);
    for (const [key, told] of this.#told) {
      const isThere = told.mac === mac && told.network === network && told.interface === inside;
      if (!isThere || stay.includes(key)) continue;
      this.#told.delete(key);
      this.#tell('container-detached', told);
    }
  }

  #tell(kind: `container-${'attached' | 'changed' | 'detached'}`, container: Container): void {
    this.#journal.record(kind, `container:${container.container}`, container);
  }

  #containers({ network, mac, addresses, interface: inside, containers }: AttachedEndpoint): Container[] {
    return containers.map(({ id, name, labels }) => ({
      container: id,
      name,
      network: this.#networks.nameOf(network),
      interface: inside,
      mac,
      addresses: [...addresses],
      labels,
    }));
  }
}

function keyOf({ container, interface: inside }: Container): string {
  return `${container} ${inside}`;
}
