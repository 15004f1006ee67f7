import type { NetavarkCall, NetavarkControl } from '../../api/index.js';
import { WeftError } from '../../errors.js';
import { isIpv6, withoutLength } from '../../net/index.js';
import { DEFAULT_NETWORK } from '../../networks/index.js';
import { validator } from '../../validate.js';
import { Interfaces, type Made, type Wish } from '../cni/index.js';
import type { PlatformHost } from '../platform/index.js';
import { Network, Setup } from './protocol.js';

/** Podman's name of weft's default network. */
const WEFT = 'weft';

const parseNetwork = validator('bad-request', 'the network', Network);
const parseSetup = validator('bad-request', 'the request', Setup);

/** Weft as network driver of Podman: what netavark, which Podman runs, asks the driver's program for. */
export class Netavark implements NetavarkControl {
  readonly #host: PlatformHost;
  readonly #interfaces: Interfaces;

  constructor(host: PlatformHost) {
    this.#host = host;
    this.#interfaces = new Interfaces(host);
  }

  /** Gives back the addresses of containers that went without a word. To be called again and again. */
  async check(): Promise<void> {
    await this.#interfaces.settle();
  }

  /**
   * Rejects with `bad-request`, `bad-option`, and as the platform's `ensure` and `Interfaces` do.
   */
  async call({ command, netns, body }: NetavarkCall): Promise<Record<string, unknown> | null> {
    if (command === 'create') return await this.#create(body);
    const setup = parseSetup(body);
    if (command === 'setup') return await this.#setup(setup, netns ?? '');
    await this.#interfaces.remove(idOf(setup));
    return null;
  }

  /** Podman itself is to give no addresses: it counts on each host by itself. */
  async #create(body: Record<string, unknown>): Promise<Record<string, unknown>> {
    const network = parseNetwork(body);
    const [unknown] = Object.keys(network.options ?? {}).filter((key) => key !== 'network');
    if (unknown !== undefined)
      throw new WeftError('bad-option', `weft knows no --opt "${unknown}": leave it out`);
    const subnets = (network.subnets ?? []).map(({ subnet }) => subnet);
    if (weftName(network) !== DEFAULT_NETWORK && network.options?.network === undefined) {
      const { ranges } = this.#host.networks;
      await this.#host.networks.ensure(weftName(network), subnets.length > 0 ? subnets : [ranges.subnet]);
    } else this.#host.networks.subnets(weftName(network)); // throws for one that is not there
    const { subnets: _chosen, ...rest } = body;
    return { ...rest, ipam_options: { driver: 'none' } };
  }

  async #setup(setup: Setup, netns: string): Promise<Record<string, unknown>> {
    const made = await this.#interfaces.add(wishOf(setup, netns));
    const { dns } = this.#host.networks;
    return {
      dns_search_domains: dns === null ? [] : [dns.domain],
      dns_server_ips: dns === null ? [] : [dns.server],
      interfaces: { [setup.network_options.interface_name]: interfaceOf(made) },
    };
  }
}

function wishOf(setup: Setup, namespace: string): Wish {
  const { container_id: container, container_name: name, network, network_options: options } = setup;
  return {
    id: idOf(setup),
    network: weftName(network),
    addresses: options.static_ips ?? [],
    mac: options.static_mac ?? undefined,
    place: {
      ...{ container, namespace, interface: options.interface_name, name },
      aliases: (options.aliases ?? []).filter((alias) => alias !== name),
      labels: {},
    },
    routes: [],
    isDefaultGateway: network.internal !== true,
  };
}

function idOf({ container_id: container, network, network_options: options }: Setup): string {
  return `${network.id} ${container} ${options.interface_name}`;
}

function interfaceOf({ endpoint, routes }: Made): object {
  const gatewayOf = (address: string) =>
    routes.find(({ destination }) => isIpv6(destination) === isIpv6(withoutLength(address)))?.gateway ?? null;
  return {
    mac_address: endpoint.mac,
    subnets: endpoint.addresses.map((ipnet) => {
      const gateway = gatewayOf(ipnet);
      return { ipnet, ...(gateway !== null && { gateway }) };
    }),
  };
}

/** What weft calls it. */
function weftName({ name, options }: Network): string {
  return options?.network ?? (name === WEFT ? DEFAULT_NETWORK : name);
}
