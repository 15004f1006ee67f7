import { formatHostPort, ipHostPort, isReachable, parseHostPort } from '../../net/index.js';
import { Advertised } from './advertised.js';
import { MAX_ENDPOINTS } from './record.js';
import type { LocalAddress } from './types.js';

/** Observed addresses that are kept: of NATs with several outsides. */
const MAX_OBSERVED = 4;
/** Addresses on default routes, of each family, that are told before the observed ones: a host may have dozens. */
const MAX_FIRST = 4;

export interface OwnEndpointsOptions {
  /** `host[:port]`, as people gave them. */
  readonly configured: readonly string[];
  readonly dataPort: number;
  /** The one address that we listen on; without, all addresses. */
  readonly host?: string | undefined;
  /** This host's own addresses, best first. */
  readonly localAddresses: () => Promise<readonly LocalAddress[]>;
  /** True for addresses that are inside of a segment: nobody is to seek us there. */
  readonly isInside: (address: string) => boolean;
  /** Interval at which local addresses are read anew, in milliseconds. */
  readonly refreshInterval: number;
  /** Names lead elsewhere, or local addresses were read anew: the list may be another. */
  readonly onChange: () => void;
  /** Local addresses are others than before. */
  readonly onLocalChange: () => void;
}

/** Collects where our data plane can be reached, for our record. */
export class OwnEndpoints {
  readonly #options: OwnEndpointsOptions;
  readonly #advertised: Advertised;
  #local: readonly LocalAddress[] = [];
  #observed: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OwnEndpointsOptions) {
    this.#options = options;
    const { configured, dataPort, host, onChange } = options;
    this.#advertised = new Advertised(
      configured.map((text) => parseHostPort(text, dataPort)),
      onChange,
    );
    if (host !== undefined) this.#local = [{ address: host, use: 'primary' }];
  }

  /** Reads local addresses, from now on again and again, and begins to look names up, on which it does not wait. */
  async start(): Promise<void> {
    await this.refresh();
    this.#advertised.start();
    this.#timer = setInterval(() => void this.#look(), this.#options.refreshInterval);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#advertised.stop();
  }

  /** Reads local addresses anew. True when they are others than before. */
  async refresh(): Promise<boolean> {
    const { host, localAddresses } = this.#options;
    if (host !== undefined) return false;
    const local = await localAddresses();
    const before = this.#local.map(({ address }) => address).sort();
    this.#local = local;
    const now = local.map(({ address }) => address).sort();
    return before.join() !== now.join();
  }

  /** Somebody sees us at this address, or (without a port) at our port of this address. True when that is new. */
  observe(address: string, port: number = this.#options.dataPort): boolean {
    if (!isReachable(address) || this.#options.isInside(address)) return false;
    const seen = formatHostPort(ipHostPort(address, port));
    if (this.#all().includes(seen)) return false;
    this.#observed = [seen, ...this.#observed].slice(0, MAX_OBSERVED);
    return true;
  }

  /**
   * Best first, so that those are told that are likely to work: configured, on default routes, observed, then others; last those that mean
   * another host on every host.
   */
  list(): string[] {
    return this.#all().slice(0, MAX_ENDPOINTS);
  }

  async #look(): Promise<void> {
    // What cannot be read now, because no descriptor is left for example, is read the next time.
    const changed = await this.refresh().catch(() => false);
    this.#options.onChange();
    if (changed) this.#options.onLocalChange();
  }

  #all(): string[] {
    const of = (use: LocalAddress['use']) =>
      this.#local.filter((each) => each.use === use).map(({ address }) => this.#ownPort(address));
    const [primary, uplinks, spare] = [of('primary'), of('uplink'), of('spare')];
    const four = primary.filter((endpoint) => !endpoint.startsWith('['));
    const six = primary.filter((endpoint) => endpoint.startsWith('['));
    const first = primary.filter(
      (endpoint) => four.indexOf(endpoint) < MAX_FIRST && six.indexOf(endpoint) < MAX_FIRST,
    );
    return [
      ...new Set([
        ...this.#advertised.endpoints(),
        ...first,
        ...this.#observed,
        ...primary,
        ...uplinks,
        ...spare,
      ]),
    ];
  }

  #ownPort(address: string): string {
    return formatHostPort(ipHostPort(address, this.#options.dataPort));
  }
}
