import type { Entry } from './attachment-book.js';

/** A container's interface as others need to know it. */
export interface AttachedEndpoint {
  /** Number of the Ethernet segment. */
  readonly network: number;
  readonly mac: string;
  /** With prefix length, such as `10.32.0.1/12`. */
  readonly addresses: readonly string[];
  /** Of the container: what its addresses and names belong to. */
  readonly id: string;
  readonly name: string | null;
  readonly hostname: string | null;
  /** Others find it by these names. */
  readonly dns: boolean;
}

export interface AttachedEndpointsOptions {
  /** Of a network, by its name; undefined for one that this host is not on. */
  readonly segment: (network: string) => number | undefined;
  readonly onAttached: (endpoint: AttachedEndpoint) => void;
  readonly onDetached: (endpoint: AttachedEndpoint) => void;
}

/** What others were told of the containers that are attached. */
export class AttachedEndpoints {
  readonly #options: AttachedEndpointsOptions;
  readonly #byMac = new Map<string, AttachedEndpoint>();

  constructor(options: AttachedEndpointsOptions) {
    this.#options = options;
  }

  all(): AttachedEndpoint[] {
    return [...this.#byMac.values()];
  }

  /** Tells what is new about an attachment that was `former`. */
  tell(entry: Entry, former: Entry | undefined): void {
    const mac = entry.present ? entry.mac : undefined;
    if (former?.mac !== mac) this.withdraw(former?.mac);
    const { network: name, addresses, id, name: label, hostname, dns } = entry;
    const network = this.#options.segment(name);
    if (mac === undefined || network === undefined) return;
    const endpoint = { network, mac, addresses, id, name: label, hostname, dns };
    this.#byMac.set(mac, endpoint);
    this.#options.onAttached(endpoint);
  }

  withdraw(mac: string | undefined): void {
    const endpoint = mac === undefined ? undefined : this.#byMac.get(mac);
    if (mac === undefined || endpoint === undefined) return;
    this.#byMac.delete(mac);
    this.#options.onDetached(endpoint);
  }
}
