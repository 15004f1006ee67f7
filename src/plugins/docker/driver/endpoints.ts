import { systemCode, WeftError } from '../../../errors.js';
import { parseCidr } from '../../../hostnet/index.js';
import { withoutLength } from '../../../net/index.js';
import { allEnded, SerialByKey } from '../../../order.js';
import { shortId } from '../../../text/index.js';
import type { PlatformHost } from '../../platform/index.js';
import type { Book, BookedEndpoint, BookedNetwork } from '../book.js';
import type { Grace } from '../grace.js';
import { overlap } from '../ipam/index.js';
import type { EndpointReference, EndpointRequest, JoinRequest } from '../server/index.js';
import type { DockerNetworks } from './networks.js';
import { checkEndpointOptions } from './options.js';

/** Docker numbers a container's interfaces of this name. */
const INTERFACE = 'ethweft';
const ON_LINK = 1;
const MAX_ENDPOINTS = 4_096;

export interface DockerEndpointsOptions {
  readonly host: PlatformHost;
  readonly book: Book;
  readonly networks: Pick<DockerNetworks, 'ready'>;
  /** Addresses that nobody has are claimed: in a swarm its manager has all of them. */
  readonly claims: boolean;
  /** Of endpoints that no container has. */
  readonly grace: Grace;
}

type PluggedInterface = Awaited<ReturnType<PlatformHost['endpoints']['plug']>>;

/** The ends of Docker's containers on weft networks. */
export class DockerEndpoints {
  readonly #options: DockerEndpointsOptions;
  readonly #serial = new SerialByKey();
  /** Interfaces that Docker is about to ask for. */
  readonly #early = new Map<string, Promise<PluggedInterface>>();

  constructor(options: DockerEndpointsOptions) {
    this.#options = options;
  }

  async create(request: EndpointRequest): Promise<object> {
    checkEndpointOptions(request.Options);
    const { Address = '', AddressIPv6 = '' } = request.Interface;
    const addresses = [Address, AddressIPv6]
      .filter((address) => address !== '')
      .map((text) => parseCidr(text).text);
    if (addresses.length === 0)
      throw new WeftError('bad-cidr', 'a container needs an address on a weft network');
    return await this.#serial.run(request.EndpointID, () => this.#create(request, addresses));
  }

  /** Without a gateway: the way out and published ports are Docker's own. */
  async join({ EndpointID: id, NetworkID, SandboxKey: sandbox }: JoinRequest): Promise<object> {
    const { host, book, grace } = this.#options;
    return await this.#serial.run(id, async () => {
      grace.renew(id);
      const others = book.endpoints.filter((other) => other.id !== id && other.sandbox === sandbox);
      this.#checkApart(NetworkID, others);
      const routed = !others.some((other) => other.routed);
      const endpoint = { ...(book.endpoint(id) ?? booked(id, NetworkID)), sandbox, routed };
      const { interface: SrcName } = await this.#plugged(id);
      await book.putEndpoint(endpoint);
      const routes = routed ? host.networks.routes : [];
      const StaticRoutes = routes.map((Destination) => ({ Destination, RouteType: ON_LINK, NextHop: '' }));
      return { InterfaceName: { SrcName, DstPrefix: INTERFACE }, StaticRoutes };
    });
  }

  async leave({ EndpointID: id }: EndpointReference): Promise<object> {
    const { book, host } = this.#options;
    await this.#serial.run(id, async () => {
      const endpoint = book.endpoint(id);
      if (endpoint !== undefined) book.noteEndpoint({ ...endpoint, sandbox: null, routed: false });
    });
    // Docker goes on meanwhile. What fails here fails again, and is told, when the endpoint is deleted.
    void host.endpoints.unplug(id).catch(() => {});
    return {};
  }

  /** One of these, which are all that a container has, brings it the routes of which it can have but one each: whichever did has gone. */
  async route(ids: readonly string[]): Promise<void> {
    const { host, book } = this.#options;
    const [heir, ...others] = ids.flatMap((id) => book.endpoint(id) ?? []);
    if (heir === undefined || [heir, ...others].some(({ routed }) => routed)) return;
    book.noteEndpoint({ ...heir, routed: true });
    await host.endpoints.route(heir.id);
  }

  /** Also when Docker forgot it without a word. */
  async remove({ EndpointID: id }: Pick<EndpointReference, 'EndpointID'>): Promise<object> {
    const { host, book } = this.#options;
    await this.#serial.run(id, async () => {
      this.#early.delete(id);
      const claimed = book.endpoint(id)?.claimed ?? [];
      await allEnded([host.endpoints.remove(id), book.removeEndpoint(id)]);
      for (const address of claimed) await host.addresses.release(address);
    });
    return {};
  }

  /** The interface of an endpoint, which may be in the making. Rejects for an endpoint that was never made. */
  async #plugged(id: string): Promise<PluggedInterface> {
    const early = this.#early.get(id);
    this.#early.delete(id);
    const { endpoints } = this.#options.host;
    return early === undefined ? await endpoints.plug(id) : await early.catch(() => endpoints.plug(id));
  }

  /** Throws `too-many-containers`. */
  #checkRoom(id: string): void {
    const made = this.#options.host.endpoints.list();
    if (made.length < MAX_ENDPOINTS || made.some((endpoint) => endpoint.id === id)) return;
    throw new WeftError(
      'too-many-containers',
      `${MAX_ENDPOINTS} containers of this host are on weft already: remove some`,
    );
  }

  /** Docker would say that a route is in the way, and not why. */
  #checkApart(id: string, others: readonly BookedEndpoint[]): void {
    const { book } = this.#options;
    const network = book.network(id);
    for (const other of others.map((endpoint) => book.network(endpoint.network))) {
      const shared = network?.pools.find((pool) => other?.pools.some((each) => overlap(pool, each)));
      if (shared === undefined || network === undefined || other === undefined) continue;
      throw new WeftError(
        'bad-subnet',
        `a container cannot be on two networks whose subnets overlap, as ${nameOf(network)} and ${nameOf(other)} do (${shared}): make them with a --subnet each, and if one is "weft", launch all routers with --ipalloc-default-subnet, so that it leaves room`,
      );
    }
  }

  async #create(request: EndpointRequest, addresses: readonly string[]): Promise<object> {
    const { host, book, networks, grace } = this.#options;
    const { EndpointID: id, NetworkID, Interface } = request;
    const { MacAddress: mac = '' } = Interface;
    const network = await networks.ready(NetworkID);
    this.#checkRoom(id);
    grace.renew(id);
    const before = book.endpoint(id);
    const held = new Set(host.addresses.held());
    const foreign = addresses.map(withoutLength).filter((address) => !held.has(address));
    const claimed = before?.claimed ?? (await this.#claim(foreign));
    try {
      if (claimed.length > 0) await book.putEndpoint(before ?? { ...booked(id, NetworkID), claimed });
      const made = await host.endpoints.create({ id, network, addresses, ...(mac !== '' && { mac }) });
      const plugged = host.endpoints.plug(id);
      plugged.catch(() => {}); // Docker asks for it next; what fails here fails again, and is told, then
      this.#early.set(id, plugged);
      return mac === '' ? { Interface: { MacAddress: made.mac } } : {};
    } catch (error) {
      if (before === undefined) {
        await book.removeEndpoint(id);
        for (const address of claimed) await host.addresses.release(address);
      }
      throw foreign.length > 0 ? withHint(error) : error;
    }
  }

  /** Those that another IPAM driver gave: nobody else is to be given them. */
  async #claim(addresses: readonly string[]): Promise<string[]> {
    const { host, claims } = this.#options;
    if (!claims) return [];
    const claimed: string[] = [];
    try {
      for (const address of addresses) {
        await host.addresses.claim(address);
        claimed.push(address);
      }
      return claimed;
    } catch (error) {
      for (const address of claimed) await host.addresses.release(address);
      throw withHint(error);
    }
  }
}

/** Another IPAM driver knows its own host only. */
function withHint(error: unknown): unknown {
  if (systemCode(error) !== 'address-used' || !(error instanceof Error)) return error;
  return new WeftError(
    'address-used',
    `${error.message}; a network made with \`--ipam-driver weft\` is given addresses that nobody has`,
    { cause: error },
  );
}

function nameOf({ id, name }: BookedNetwork): string {
  return name ?? shortId(id);
}

function booked(id: string, network: string): BookedEndpoint {
  return { id, network, claimed: [], sandbox: null, routed: false };
}
