import type { Labels } from '../../../labels.js';
import type { Called } from '../../state/index.js';
import { attachmentKey, type Entry, fixedAddresses } from './attachment-entry.js';
import { present } from './sharing.js';

/** A container's interface as others need to know it. */
export interface AttachedEndpoint {
  /** Number of the Ethernet segment. */
  readonly network: number;
  readonly mac: string;
  /** With prefix length, such as `10.32.0.1/12`. */
  readonly addresses: readonly string[];
  /** Those among them that are this container's alone: the others go to whoever announces them last. */
  readonly fixed: readonly string[];
  /** Its name inside the container. */
  readonly interface: string;
  /** The host's end. */
  readonly port: string;
  /** Whose it is, the container that was attached first in front; several in one namespace share it. */
  readonly containers: readonly [CalledContainer, ...CalledContainer[]];
}

/** A container as others may find it. */
export interface CalledContainer {
  readonly id: string;
  readonly name: string | null;
  readonly hostname: string | null;
  /** More names. */
  readonly aliases: readonly string[];
  /** Others find it by these names. */
  readonly dns: boolean;
  /** What others are to know of it. */
  readonly labels: Labels;
}

export interface AttachedEndpointsOptions {
  /** Of a network, by its name; undefined for one that this host is not on. */
  readonly segment: (network: string) => number | undefined;
  readonly port: (entry: Entry) => string;
  readonly onAttached: (endpoint: AttachedEndpoint) => void;
  readonly onDetached: (endpoint: AttachedEndpoint) => void;
}

/** What others were told of the containers that are attached: of each interface what was told last. */
export class AttachedEndpoints {
  readonly #options: AttachedEndpointsOptions;
  /** By container and interface. */
  readonly #told = new Map<string, AttachedEndpoint>();

  constructor(options: AttachedEndpointsOptions) {
    this.#options = options;
  }

  all(): AttachedEndpoint[] {
    return [...this.#told.values()];
  }

  /**
   * Tells what is new about an attachment, which replaces `replaced`: with the same owner, or with another of those who share it. When its MAC
   * is another one now, the former is withdrawn once the new one is told: its names stay.
   */
  tell(entry: Entry, replaced: Entry = entry): void {
    const network = this.#options.segment(entry.network);
    const [first, ...others] = present(entry).map(calledContainer);
    if (first === undefined || entry.mac === undefined || network === undefined) {
      this.withdraw(replaced);
      return;
    }
    const { mac, addresses, interface: inside } = entry;
    const fixed = fixedAddresses(entry);
    const former = this.#told.get(attachmentKey(replaced));
    const port = this.#options.port(entry);
    const endpoint = {
      network,
      mac,
      addresses,
      fixed,
      interface: inside,
      port,
      containers: [first, ...others],
    } as const;
    this.#told.delete(attachmentKey(replaced));
    this.#told.set(attachmentKey(entry), endpoint);
    this.#options.onAttached(endpoint);
    if (former === undefined || (former.mac === mac && former.network === network)) return;
    this.#options.onDetached(former);
  }

  withdraw(entry: Entry): void {
    const endpoint = this.#told.get(attachmentKey(entry));
    if (endpoint === undefined) return;
    this.#told.delete(attachmentKey(entry));
    this.#options.onDetached(endpoint);
  }
}

function calledContainer({ id, name, hostname, aliases = [], dns, labels = {} }: Called): CalledContainer {
  return { id, name, hostname, aliases, dns, labels };
}
