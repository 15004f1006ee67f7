import { WeftError } from '../../errors.js';
import { isInSubnets, parseCidr } from '../../hostnet/index.js';
import { isIpv6, withoutLength } from '../../net/index.js';
import { allEnded, SerialByKey } from '../../order.js';
import type { PlacedEndpoint, PlatformHost, PlatformPlace, PlatformRoute } from '../platform/index.js';

const MAX_INTERFACES = 4_096;
const EVERYWHERE = ['0.0.0.0/0', '::/0'] as const;

/** An interface that a runtime asks for. */
export interface Wish {
  /** On this host no other has it. */
  readonly id: string;
  readonly network: string;
  /** Chosen ones, with prefix length or with that of their subnet; none: one of each subnet of the network. */
  readonly addresses: readonly string[];
  readonly mac: string | undefined;
  readonly place: Omit<PlatformPlace, 'routes'>;
  readonly routes: readonly PlatformRoute[];
  /** The way out leads through this host. */
  readonly isDefaultGateway: boolean;
}

/** An interface as a runtime is told of it. */
export interface Made {
  readonly endpoint: PlacedEndpoint;
  readonly routes: readonly PlatformRoute[];
}

/** The interfaces of containers whose runtime calls for each of them, and their addresses. */
export class Interfaces {
  readonly #host: PlatformHost;
  /** One thing at a time for each interface. */
  readonly #serial = new SerialByKey();
  /** Chosen addresses of those that are being made, and all of those that are being removed. */
  readonly #reserved = new Set<string>();
  /** How many are being made or removed. */
  #changing = 0;

  constructor(host: PlatformHost) {
    this.#host = host;
  }

  /**
   * Rejects with `interface-taken`, `too-many-interfaces`, and as the platform's `take`, `claim`, `gateways` and `attach` do: then it has
   * no addresses, and nothing is left in the container.
   */
  async add(wish: Wish): Promise<Made> {
    return await this.#change(wish.id, async () => {
      this.#check(wish);
      return await this.#add(wish);
    });
  }

  /** One that is not there is left alone. */
  async remove(id: string): Promise<void> {
    const { endpoints } = this.#host;
    await this.#change(id, async () => {
      const found = endpoints.list().find((endpoint) => endpoint.id === id);
      const addresses = found?.addresses.map(withoutLength) ?? [];
      for (const address of addresses) this.#reserved.add(address);
      try {
        await endpoints.remove(id);
        await this.#release(addresses);
      } finally {
        for (const address of addresses) this.#reserved.delete(address);
      }
    });
  }

  /** What of an interface is not as it was added, in words. Rejects with `no-such-endpoint` or `no-such-namespace`. */
  flaws(id: string): Promise<readonly string[]> {
    return this.#host.endpoints.flaws(id);
  }

  /** Of all that are noted, their addresses with prefix length. */
  list(): ReadonlyMap<string, readonly string[]> {
    return new Map(this.#host.endpoints.list().map(({ id, addresses }) => [id, addresses]));
  }

  /** Gives back the addresses of interfaces that went with their container, or that were never made. */
  async settle(): Promise<void> {
    if (this.#changing > 0) return; // some of what is taken now is about to be an interface's, or was one's and is given back
    const used = new Set([...this.list().values()].flat().map(withoutLength));
    await this.#release(this.#host.addresses.held().filter((address) => !used.has(address)));
  }

  #change<T>(id: string, work: () => Promise<T>): Promise<T> {
    return this.#serial.run(id, async () => {
      this.#changing += 1;
      try {
        return await work();
      } finally {
        this.#changing -= 1;
      }
    });
  }

  #check({ id, place }: Wish): void {
    const made = this.#host.endpoints.list();
    if (made.some((endpoint) => endpoint.id === id && endpoint.present)) {
      throw new WeftError(
        'interface-taken',
        `the container ${place.container} has the interface ${place.interface} already`,
      );
    }
    if (made.length < MAX_INTERFACES) return;
    throw new WeftError(
      'too-many-interfaces',
      `containers of this host have ${MAX_INTERFACES} interfaces on weft already: remove some`,
    );
  }

  async #add(wish: Wish): Promise<Made> {
    const chosen = wish.addresses.map((address) => this.#withLength(address, wish.network));
    this.#reserve(chosen);
    try {
      const addresses = chosen.length > 0 ? await this.#claim(chosen) : await this.#take(wish.network);
      return await this.#make(wish, addresses).catch(async (error: unknown) => {
        await this.#release(addresses.map(withoutLength));
        throw error;
      });
    } finally {
      for (const address of chosen) this.#reserved.delete(withoutLength(address));
    }
  }

  async #make(wish: Wish, addresses: readonly string[]): Promise<Made> {
    const { id, network, mac, place } = wish;
    const waysOut = wish.isDefaultGateway ? await this.#waysOut(network, addresses) : [];
    const routes = [...wish.routes, ...waysOut];
    const request = { id, network, addresses, ...(mac !== undefined && { mac }) };
    return { endpoint: await this.#host.endpoints.attach(request, { ...place, routes }), routes };
  }

  /** Nobody else asks for them meanwhile. What the platform holds may be another container's. Throws `address-used`. */
  #reserve(addresses: readonly string[]): void {
    const used = new Set([...this.list().values()].flat().map(withoutLength));
    for (const address of addresses.map(withoutLength)) {
      if (!used.has(address) && !this.#reserved.has(address)) continue;
      throw new WeftError('address-used', `a container of this host has ${address}: choose another address`);
    }
    for (const address of addresses.map(withoutLength)) this.#reserved.add(address);
  }

  async #claim(addresses: readonly string[]): Promise<readonly string[]> {
    return await this.#allOrNone(
      addresses.map(async (address) => {
        await this.#host.addresses.claim(withoutLength(address));
        return address;
      }),
    );
  }

  /** One of each subnet. */
  async #take(network: string): Promise<readonly string[]> {
    const { addresses, networks } = this.#host;
    const subnets = networks.subnets(network);
    if (subnets.length === 0) {
      throw new WeftError(
        'bad-subnet',
        `the network ${network} has no subnet to take an address from: make it with --subnet, or choose addresses`,
      );
    }
    return await this.#allOrNone(subnets.map((subnet) => addresses.take(subnet)));
  }

  async #allOrNone(taking: readonly Promise<string>[]): Promise<readonly string[]> {
    const ended = await Promise.allSettled(taking);
    const taken = ended.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    if (taken.length < taking.length) await this.#release(taken.map(withoutLength));
    return await Promise.all(taking);
  }

  /** For each family of the addresses, through an address of this host in the same subnet. */
  async #waysOut(network: string, addresses: readonly string[]): Promise<PlatformRoute[]> {
    const gateways = await this.#host.networks.gateways(network);
    return EVERYWHERE.flatMap((destination) => {
      const own = addresses.filter((address) => isIpv6(address) === isIpv6(destination));
      const gateway = gateways.map(withoutLength).find((address) => isInSubnets(address, own));
      return gateway === undefined ? [] : [{ destination, gateway }];
    });
  }

  /** Throws `bad-cidr` for an address that is in no subnet of the network and has no prefix length. */
  #withLength(address: string, network: string): string {
    if (address.includes('/')) return parseCidr(address).text;
    const host = parseCidr(`${address}/${isIpv6(address) ? 128 : 32}`).address;
    const subnet = this.#host.networks.subnets(network).find((text) => isInSubnets(host, [text]));
    if (subnet !== undefined) return `${host}/${subnet.split('/')[1]}`;
    throw new WeftError(
      'bad-cidr',
      `${host} is in no subnet of the network ${network}: give its prefix length, too`,
    );
  }

  async #release(addresses: readonly string[]): Promise<void> {
    await allEnded(addresses.map((address) => this.#host.addresses.release(address)));
  }
}
