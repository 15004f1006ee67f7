import { WeftError } from '../../errors.js';

const MAX_NETWORKS = 1_024;
const MAX_GIVEN = 16_384;

/** A network of Docker that is one of weft. */
export interface BookedNetwork {
  readonly id: string;
  /** As Docker calls it; null until Docker was asked. */
  readonly name: string | null;
  /** The network of weft that was chosen for it; null: the one that has Docker's name for it. */
  readonly chosen: string | null;
  /** Its subnets. */
  readonly pools: readonly string[];
  /** Gateways and auxiliary addresses: no container is given them. */
  readonly reserved: readonly string[];
}

/** What weft calls a network of Docker; null as long as that is not known. */
export function weftName({ chosen, name }: Pick<BookedNetwork, 'chosen' | 'name'>): string | null {
  return chosen ?? name;
}

/** What is to be known of an endpoint beside what the platform knows. */
export interface BookedEndpoint {
  readonly id: string;
  /** Docker's id of the network. */
  readonly network: string;
  /** Addresses of another IPAM driver, which were claimed for it. */
  readonly claimed: readonly string[];
  /** The sandbox that it is in; null before and after that. */
  readonly sandbox: string | null;
  /** It brought the routes that a sandbox can have but once. */
  readonly routed: boolean;
}

/** An address that the manager of a swarm was given, for whatever host. */
export interface GivenAddress {
  readonly address: string;
  /** Id of the pool by which it was asked for last. */
  readonly pool: string;
}

export interface BookContent {
  readonly enabled: boolean;
  readonly networks: readonly BookedNetwork[];
  readonly endpoints: readonly BookedEndpoint[];
  /** What a swarm has of this host, which is its manager; absent where it has nothing. */
  readonly given?: readonly GivenAddress[];
}

/** The file of the state directory. */
export interface BookFile {
  read(): Promise<BookContent>;
  /** Resolves when it is on the disk. */
  write(content: () => BookContent): Promise<void>;
}

/** What Docker was told and does not tell again: it is on the disk before Docker gets an answer. */
export class Book {
  readonly #file: BookFile;
  readonly #onFailure: (error: unknown) => void;
  readonly #networks = new Map<string, BookedNetwork>();
  readonly #endpoints = new Map<string, BookedEndpoint>();
  readonly #given = new Map<string, string>();
  #enabled = false;

  /** `onFailure`: something that is gone is still on the disk. */
  constructor(file: BookFile, onFailure: (error: unknown) => void) {
    this.#file = file;
    this.#onFailure = onFailure;
  }

  async open(): Promise<void> {
    const { enabled, networks, endpoints, given = [] } = await this.#file.read();
    this.#enabled = enabled;
    for (const network of networks) this.#networks.set(network.id, network);
    for (const endpoint of endpoints) this.#endpoints.set(endpoint.id, endpoint);
    for (const { address, pool } of given) this.#given.set(address, pool);
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  get networks(): readonly BookedNetwork[] {
    return [...this.#networks.values()];
  }

  get endpoints(): readonly BookedEndpoint[] {
    return [...this.#endpoints.values()];
  }

  /** Of all addresses that the swarm has, the pool. */
  get given(): ReadonlyMap<string, string> {
    return this.#given;
  }

  network(id: string): BookedNetwork | undefined {
    return this.#networks.get(id);
  }

  endpoint(id: string): BookedEndpoint | undefined {
    return this.#endpoints.get(id);
  }

  /** What the disk does not take is not done. */
  async setEnabled(enabled: boolean): Promise<void> {
    const before = this.#enabled;
    this.#enabled = enabled;
    await this.#write().catch((error: unknown) => {
      this.#enabled = before;
      throw error;
    });
  }

  /** Rejects with `too-many-networks` or `disk-full`. */
  async putNetwork(network: BookedNetwork): Promise<void> {
    if (this.#networks.size >= MAX_NETWORKS && !this.#networks.has(network.id)) {
      throw new WeftError(
        'too-many-networks',
        `Docker has ${MAX_NETWORKS} networks on weft already: remove one with \`docker network rm\``,
      );
    }
    await this.#put(this.#networks, network);
  }

  /** Rejects with `disk-full`. How many there may be is decided when one is made (`DockerEndpoints`). */
  async putEndpoint(endpoint: BookedEndpoint): Promise<void> {
    await this.#put(this.#endpoints, endpoint);
  }

  /** On the disk with what is written next: until then nothing is lost with it. */
  noteEndpoint(endpoint: BookedEndpoint): void {
    this.#endpoints.set(endpoint.id, endpoint);
  }

  async removeNetwork(id: string): Promise<void> {
    if (this.#networks.delete(id)) await this.#write().catch(this.#onFailure);
  }

  async removeEndpoint(id: string): Promise<void> {
    if (this.#endpoints.delete(id)) await this.#write().catch(this.#onFailure);
  }

  /** Rejects with `no-addresses` or `disk-full`. */
  async putGiven(address: string, pool: string): Promise<void> {
    const before = this.#given.get(address);
    if (before === undefined && this.#given.size >= MAX_GIVEN) {
      throw new WeftError(
        'no-addresses',
        `the swarm has ${MAX_GIVEN} addresses of this manager already: remove services or networks`,
      );
    }
    this.#given.set(address, pool);
    await this.#write().catch((error: unknown) => {
      if (before === undefined) this.#given.delete(address);
      else this.#given.set(address, before);
      throw error;
    });
  }

  async removeGiven(addresses: readonly string[]): Promise<void> {
    const gone = addresses.filter((address) => this.#given.delete(address));
    if (gone.length > 0) await this.#write().catch(this.#onFailure);
  }

  /** What the disk does not take is as it was before, unless it has changed again meanwhile. */
  async #put<T extends { readonly id: string }>(table: Map<string, T>, entry: T): Promise<void> {
    const before = table.get(entry.id);
    if (JSON.stringify(before) === JSON.stringify(entry)) return;
    table.set(entry.id, entry);
    await this.#write().catch((error: unknown) => {
      if (table.get(entry.id) === entry) {
        if (before === undefined) table.delete(entry.id);
        else table.set(entry.id, before);
      }
      throw error;
    });
  }

  #write(): Promise<void> {
    return this.#file.write(() => ({
      enabled: this.#enabled,
      networks: [...this.#networks.values()],
      endpoints: [...this.#endpoints.values()],
      ...(this.#given.size > 0 && { given: [...this.#given].map(([address, pool]) => ({ address, pool })) }),
    }));
  }
}
