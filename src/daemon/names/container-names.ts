import { addressBytes, encodeKey, type NameRecord, parseName } from '../../dns/index.js';
import type { AttachedEndpoint, CalledContainer } from '../attachments/index.js';

/** Maximum number of names that are remembered as told to be none. */
const MAX_TOLD = 1_024;

/** A container's interface. */
export type Interface = Omit<AttachedEndpoint, 'containers'> & CalledContainer;

export interface ContainerNamesOptions {
  readonly domain: string;
  /** Something that a container is called cannot be a name; told once. */
  readonly onBad: (container: string, error: unknown) => void;
}

/** The names by which a container is found, as they are published. */
export class ContainerNames {
  readonly #options: ContainerNamesOptions;
  readonly #told = new Set<string>();

  constructor(options: ContainerNamesOptions) {
    this.#options = options;
  }

  /** The container's own name, its host name and its aliases on this interface, as far as they are names. */
  of(endpoint: Interface): NameRecord[] {
    const { id, name, hostname, aliases, network, dns } = endpoint;
    if (!dns) return [];
    const names = new Set([name, hostname, ...aliases].flatMap((text) => text ?? []));
    return [...names].flatMap((text) => {
      try {
        return [this.record(id, text, hosts(endpoint), network)];
      } catch (error) {
        this.#tell(id, text, error);
        return [];
      }
    });
  }

  /** Throws `bad-name` or `bad-address`. */
  record(container: string, name: string, addresses: readonly string[], network: number): NameRecord {
    const below = parseName(name, this.#options.domain);
    const record = { network, name: below, container, addresses: addresses.map(addressBytes) };
    encodeKey(record); // throws for what cannot be published
    return record;
  }

  #tell(id: string, text: string, error: unknown): void {
    const key = `${id} ${text}`;
    if (this.#told.has(key)) return;
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.add(key);
    this.#options.onBad(id, error);
  }
}

/** Addresses without prefix length. */
export function hosts({ addresses }: Pick<Interface, 'addresses'>): string[] {
  return addresses.map((cidr) => cidr.slice(0, cidr.indexOf('/')));
}
