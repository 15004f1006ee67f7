import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { formatHostPort, type HostPort, ipHostPort, parseHostPort } from '../../address.js';
import { MAX_ENDPOINTS } from './record.js';

/** Ranges (ipaddr.js names) in which an address means nothing to another host. */
const USELESS = new Set(['unspecified', 'loopback', 'linkLocal', 'multicast', 'broadcast']);
/** Observed addresses that are kept: of NATs with several outsides. */
const MAX_OBSERVED = 4;

type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>;

/** Addresses of this host that others may reach, IPv4 first. */
export function localAddresses(
  ignoreInterface: (name: string) => boolean,
  interfaces: Interfaces = networkInterfaces(),
): string[] {
  return Object.entries(interfaces)
    .filter(([name]) => !ignoreInterface(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ internal, address }) => !internal && isReachable(address))
    .sort((a, b) => a.family.localeCompare(b.family))
    .map(({ address }) => address);
}

/** False for loopback, link-local and the like, which mean nothing on another host. */
export function isReachable(address: string): boolean {
  return ipaddr.isValid(address) && !USELESS.has(ipaddr.process(address).range());
}

/** Collects where our data plane can be reached, for our record. */
export class OwnEndpoints {
  readonly #configured: readonly HostPort[];
  readonly #dataPort: number;
  readonly #ignoreInterface: (name: string) => boolean;
  readonly #host: string | undefined;
  #observed: HostPort[] = [];

  /** With `host`, the one address that we listen on, that is where we are; else all local addresses. */
  constructor(options: {
    configured: readonly string[];
    dataPort: number;
    host?: string | undefined;
    ignoreInterface: (name: string) => boolean;
  }) {
    this.#dataPort = options.dataPort;
    this.#configured = options.configured.map((text) => parseHostPort(text, options.dataPort));
    this.#host = options.host;
    this.#ignoreInterface = options.ignoreInterface;
  }

  /** Somebody sees us at this address, or (without a port) at our port of this address. True when that is new. */
  observe(address: string, port: number = this.#dataPort): boolean {
    if (!isReachable(address)) return false;
    const seen = ipHostPort(address, port);
    if (this.list().includes(formatHostPort(seen))) return false;
    this.#observed = [seen, ...this.#observed].slice(0, MAX_OBSERVED);
    return true;
  }

  /** Best first: configured, local, observed. */
  list(): string[] {
    const local = this.#host === undefined ? localAddresses(this.#ignoreInterface) : [this.#host];
    const own = local.map((address) => ipHostPort(address, this.#dataPort));
    const all = [...this.#configured, ...own, ...this.#observed].map(formatHostPort);
    return [...new Set(all)].slice(0, MAX_ENDPOINTS);
  }
}
