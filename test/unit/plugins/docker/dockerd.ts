import { EventEmitter } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { WeftError } from '../../../../src/errors.js';
import type {
  DockerContainer,
  DockerEngine,
  DockerNetwork,
  NewDockerNetwork,
} from '../../../../src/plugins/docker/index.js';

export type Answer = Readonly<Record<string, unknown>>;

/** Docker was killed. */
export class Killed extends Error {}

interface Pool {
  readonly id: string;
  readonly subnet: string;
  readonly gateway: string;
  readonly aux: Readonly<Record<string, string>>;
}

interface Network extends Omit<DockerNetwork, 'endpoints'> {
  readonly pools: readonly Pool[];
}

interface Endpoint {
  readonly id: string;
  readonly network: Network;
  readonly addresses: readonly { readonly pool: string; readonly address: string }[];
}

interface Container extends DockerContainer {
  readonly endpoints: Endpoint[];
  readonly sandbox: string;
}

export interface CreateOptions {
  readonly subnets?: readonly string[];
  readonly ipRange?: string;
  readonly gateway?: string;
  readonly aux?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
  readonly ipamOptions?: Readonly<Record<string, string>>;
  readonly ipv6?: boolean;
  readonly internal?: boolean;
}

let serial = 0;
const newId = () => (++serial).toString(16).padStart(64, 'a');

/** Docker's side of the plugin socket: sends what a real one was seen to send, in that order, and rolls back as it does. */
export class Dockerd extends EventEmitter implements DockerEngine {
  readonly socket = '/run/docker.sock';
  readonly known = new Map<string, Network>();
  readonly containers = new Map<string, Container>();
  /** Of running containers and of those that are being started: the network of each. */
  readonly endpoints = new Map<string, string>();
  /** As Docker's API: not while it starts. */
  listens = true;
  /** Requests until it is killed. */
  lifetime = Number.POSITIVE_INFINITY;
  readonly #plugin: string;

  constructor(plugin: string) {
    super();
    this.#plugin = plugin;
  }

  watchAll(): DockerEngine[] {
    return [this];
  }

  async running(): Promise<string[]> {
    return this.#answer([...this.containers.keys()]);
  }

  async inspect(id: string): Promise<DockerContainer | undefined> {
    return this.#answer(this.containers.get(id));
  }

  async imageLabels(): Promise<Record<string, string>> {
    return this.#answer({ 'com.docker.compose.project': 'of-the-image' });
  }

  async network(name: string): Promise<DockerNetwork | undefined> {
    const found = [...this.known.values()].find((network) => network.id === name || network.name === name);
    if (found === undefined) return this.#answer(undefined);
    const endpoints = [...this.endpoints].filter(([, network]) => network === found.id).map(([id]) => id);
    return this.#answer({ ...found, endpoints });
  }

  async networks(): Promise<Pick<DockerNetwork, 'id' | 'name'>[]> {
    return this.#answer([...this.known.values()]);
  }

  async createNetwork({ name, subnets, options, ipv6 }: NewDockerNetwork): Promise<unknown> {
    return await this.create(name, { subnets: subnets.map(({ subnet }) => subnet), options, ipv6 });
  }

  async removeNetwork(id: string): Promise<void> {
    await this.removeNetworkOf(id);
  }

  #answer<T>(value: T): T {
    if (this.listens) return value;
    throw new WeftError('engine-absent', 'Docker does not answer');
  }

  /** One request, as Docker sends it; gives what the plugin answered. */
  async call(method: string, body?: object): Promise<Answer> {
    if (this.lifetime-- <= 0) throw new Killed();
    const answer = await post(this.#plugin, method, body === undefined ? '' : `${JSON.stringify(body)}\n`);
    return answer;
  }

  /** As `call`; rejects with what the plugin says is wrong. */
  async ask(method: string, body?: object): Promise<Answer> {
    const answer = await this.call(method, body);
    if (answer.Err !== undefined) throw new Error(String(answer.Err));
    return answer;
  }

  /** `docker network create -d weft --ipam-driver weft` */
  async create(name: string, create: CreateOptions = {}): Promise<string> {
    const { options = {}, ipv6 = false, internal = false } = create;
    const id = newId();
    const pools: Pool[] = [];
    try {
      for (const v6 of ipv6 ? [false, true] : [false]) pools.push(await this.#pool(create, v6));
      const data = pools.map((pool) => ({
        AddressSpace: 'weftlocal',
        Pool: pool.subnet,
        Gateway: pool.gateway,
        ...(Object.keys(pool.aux).length > 0 && { AuxAddresses: pool.aux }),
      }));
      await this.ask('NetworkDriver.CreateNetwork', {
        NetworkID: id,
        Options: {
          'com.docker.network.enable_ipv6': ipv6,
          ...(internal && { 'com.docker.network.internal': true }),
          'com.docker.network.generic': options,
        },
        IPv4Data: data.slice(0, 1),
        IPv6Data: data.slice(1),
      });
    } catch (error) {
      if (error instanceof Killed) throw error;
      if (pools.length > 0) await this.call('NetworkDriver.DeleteNetwork', { NetworkID: id });
      await this.#release(pools);
      throw error;
    }
    const subnets = pools.map(({ subnet, gateway, aux }) => ({ subnet, gateway, aux }));
    this.known.set(id, { id, name, driver: 'weft', options, subnets, pools });
    return id;
  }

  async #pool(create: CreateOptions, v6: boolean): Promise<Pool> {
    const subnet = create.subnets?.find((text) => text.includes(':') === v6) ?? '';
    const { PoolID, Pool, Data } = await this.ask('IpamDriver.RequestPool', {
      AddressSpace: 'weftlocal',
      Pool: subnet,
      SubPool: v6 ? '' : (create.ipRange ?? ''),
      Options: create.ipamOptions ?? null,
      V6: v6,
    });
    const id = String(PoolID);
    const fixed = async (Address: string, Options: object | null) =>
      String((await this.ask('IpamDriver.RequestAddress', { PoolID: id, Address, Options })).Address);
    const told = (Data as Record<string, string>)['com.docker.network.gateway'] ?? '';
    const isGateway = { RequestAddressType: 'com.docker.network.gateway' };
    const gateway = create.gateway === undefined || v6 ? told : await fixed(create.gateway, isGateway);
    const aux: Record<string, string> = {};
    for (const [key, address] of v6 ? [] : Object.entries(create.aux ?? {}))
      aux[key] = await fixed(address, null);
    return { id, subnet: String(Pool), gateway, aux };
  }

  /** `docker network rm` */
  async removeNetworkOf(id: string): Promise<void> {
    await this.#release(this.known.get(id)?.pools ?? []);
    await this.call('NetworkDriver.DeleteNetwork', { NetworkID: id });
    this.known.delete(id);
  }

  async #release(pools: readonly Pool[]): Promise<void> {
    for (const { id, gateway, aux } of pools) {
      for (const address of [gateway, ...Object.values(aux)]) {
        await this.call('IpamDriver.ReleaseAddress', { PoolID: id, Address: address.split('/')[0] });
      }
      await this.call('IpamDriver.ReleasePool', { PoolID: id });
    }
  }

  /** `docker run -d --name NAME --network …` */
  async run(
    name: string,
    networks: readonly string[],
    { ip = '', mac = '', labels = {}, options = {}, started }: RunOptions = {},
  ): Promise<string> {
    const id = newId();
    const sandbox = `/var/run/docker/netns/${id.slice(-12)}`;
    const endpoints: Endpoint[] = [];
    for (const network of networks)
      endpoints.push(await this.#connect(network, sandbox, { ip, mac, options }));
    await started;
    const container = {
      id,
      name,
      pid: 1,
      hostname: id.slice(0, 12),
      image: 'bb',
      labels,
      endpoints,
      sandbox,
    };
    this.containers.set(id, { ...container, networks: endpoints.map(seen) });
    this.emit('started', this, this.containers.get(id));
    return id;
  }

  async #connect(networkId: string, sandbox: string, { ip, mac, options }: RunOptions): Promise<Endpoint> {
    const network = this.known.get(networkId);
    if (network === undefined) throw new Error(`no network ${networkId}`);
    const endpoint: Endpoint = { id: newId(), network, addresses: [] };
    const addresses: { pool: string; address: string }[] = [];
    const reference = { NetworkID: network.id, EndpointID: endpoint.id };
    try {
      for (const { id: PoolID, subnet } of network.pools) {
        const Address = subnet.includes(':') ? '' : ip;
        const { Address: address } = await this.ask('IpamDriver.RequestAddress', {
          PoolID,
          Address,
          Options: null,
        });
        addresses.push({ pool: PoolID, address: String(address) });
      }
      const [Address = '', AddressIPv6 = ''] = addresses.map(({ address }) => address);
      const Interface = { Address, AddressIPv6, MacAddress: mac };
      await this.ask('NetworkDriver.CreateEndpoint', { ...reference, Interface, Options: options });
      try {
        await this.ask('NetworkDriver.Join', { ...reference, SandboxKey: sandbox, Options: {} });
      } catch (error) {
        if (error instanceof Killed) throw error;
        await this.call('NetworkDriver.DeleteEndpoint', reference);
        throw error;
      }
    } catch (error) {
      if (!(error instanceof Killed)) await this.#releaseAll(addresses);
      throw error;
    }
    this.endpoints.set(endpoint.id, network.id);
    return { ...endpoint, addresses };
  }

  /** `docker stop`, `docker rm -f`; also what Docker does at its start for containers that it lost. */
  async stop(id: string): Promise<void> {
    const { endpoints = [] } = this.containers.get(id) ?? {};
    for (const endpoint of endpoints) {
      const reference = { NetworkID: endpoint.network.id, EndpointID: endpoint.id };
      await this.call('NetworkDriver.Leave', reference);
      await this.call('NetworkDriver.DeleteEndpoint', reference);
      await this.#releaseAll(endpoint.addresses);
      this.endpoints.delete(endpoint.id);
    }
    this.containers.delete(id);
  }

  async #releaseAll(addresses: Endpoint['addresses']): Promise<void> {
    for (const { pool, address } of addresses) {
      await this.call('IpamDriver.ReleaseAddress', { PoolID: pool, Address: address.split('/')[0] });
    }
  }
}

export interface RunOptions {
  readonly ip?: string;
  readonly mac?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, unknown>>;
  /** Its process starts no sooner. */
  readonly started?: Promise<void>;
}

function seen({ id, network }: Endpoint): DockerContainer['networks'][number] {
  return { networkId: network.id, endpointId: id, aliases: [`alias-${network.name}`] };
}

/** As Docker's client: no content type, and no host. */
export function post(socketPath: string, method: string, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      host: '',
      accept: 'application/vnd.docker.plugins.v1.2+json',
      'content-length': Buffer.byteLength(body),
    };
    const sent = request({ socketPath, method: 'POST', path: `/${method}`, headers }, (response) => {
      text(response).then((content) => resolve(JSON.parse(content) as Answer), reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
