import { systemCode, WeftError } from '../../errors.js';
import type { AddressAllocator } from '../../ipam/index.js';
import { DEFAULT_NETWORK } from '../../networks/index.js';
import type { Networks } from '../segments/index.js';
import type { AddressRequest } from './address-request.js';

/** Time within which whoever asked gets an answer, in milliseconds. */
const PATIENCE = 9_000;

/** Whose addresses they are, and on which network. */
export interface Holder {
  readonly id: string;
  readonly network: string;
}

/** All that a platform of containers has taken, whatever the network. */
export function platformHolder(platform: string): Holder {
  return { id: `${platform} containers`, network: DEFAULT_NETWORK };
}

export interface AddressSourceOptions {
  readonly networks: Networks;
  readonly allocator: AddressAllocator;
  /** Somebody has an address that cannot be its own again. */
  readonly onRefused: (what: string, error: unknown) => void;
}

/** Gives addresses to containers and to the host: those that were chosen, and free ones of the ring. */
export class AddressSource {
  readonly #networks: Networks;
  readonly #allocator: AddressAllocator;
  readonly #onRefused: AddressSourceOptions['onRefused'];
  /** What is being claimed again, by owner and address. */
  readonly #reclaims = new Map<string, AbortController>();

  constructor({ networks, allocator, onRefused }: AddressSourceOptions) {
    this.#networks = networks;
    this.#allocator = allocator;
    this.#onRefused = onRefused;
  }

  /** Addresses with the length of their subnet. When one cannot be had, those that were new are free again. */
  async take(holder: Holder, requests: readonly AddressRequest[]): Promise<string[]> {
    const owner = ownerOf(holder);
    const before = new Set(this.#allocator.lookup(owner));
    const taken: string[] = [];
    try {
      for (const request of requests) taken.push(...(await this.#take(holder, request)));
      return taken;
    } catch (error) {
      const added = taken.filter((address) => !before.has(address));
      if (added.length > 0) await this.#allocator.release(owner, added);
      throw error;
    }
  }

  /** One more address of a subnet, of its family alone, with the subnet's prefix length. */
  takeOne(holder: Holder, subnet: string): Promise<string> {
    return this.#allocator.allocateOne(ownerOf(holder), subnet, AbortSignal.timeout(PATIENCE));
  }

  /** Nobody else is given this address from now on. */
  claim(holder: Holder, address: string): Promise<void> {
    return this.#claim(holder, address, AbortSignal.timeout(PATIENCE));
  }

  /** What somebody has, with prefix length. */
  held(holder: Holder): readonly string[] {
    return this.#allocator.lookup(ownerOf(holder));
  }

  /** Which of these addresses are meant: this one, or those of the subnet with the IPv6 ones that came with them. Throws `bad-subnet`. */
  meant(request: AddressRequest, network: string, addresses: readonly string[]): readonly string[] {
    if (request.kind === 'fixed') return addresses.filter((address) => address === request.cidr);
    return this.#allocator.within(addresses, request.subnet ?? this.#defaultSubnet(network));
  }

  /** Claims what somebody has and the ring does not know of: from now on nobody else here is given it, and its owner is asked for as long as it takes. */
  reclaim(holder: Holder, target: string, addresses: readonly string[]): void {
    const held = this.#allocator.lookup(ownerOf(holder));
    for (const address of addresses) if (!held.includes(address)) void this.#reclaim(holder, target, address);
  }

  async release(holder: Holder, addresses: readonly string[]): Promise<void> {
    const owner = ownerOf(holder);
    for (const address of addresses) this.#reclaims.get(reclaimKey(owner, address))?.abort();
    if (addresses.length > 0) await this.#allocator.release(owner, addresses);
  }

  async #reclaim(holder: Holder, target: string, address: string): Promise<void> {
    const key = reclaimKey(ownerOf(holder), address);
    if (this.#reclaims.has(key)) return;
    const unwanted = new AbortController();
    this.#reclaims.set(key, unwanted);
    try {
      await this.#claim(holder, address, unwanted.signal);
    } catch (error) {
      const isOver = ['cancelled', 'not-in-time', 'no-addresses'].includes(systemCode(error) ?? '');
      if (!isOver) this.#onRefused(`${target} has ${address}, which cannot be claimed again`, error);
    } finally {
      this.#reclaims.delete(key);
    }
  }

  async #take(holder: Holder, request: AddressRequest): Promise<readonly string[]> {
    const signal = AbortSignal.timeout(PATIENCE);
    if (request.kind === 'any') {
      const subnet = request.subnet ?? this.#defaultSubnet(holder.network);
      return await this.#allocator.allocate(ownerOf(holder), subnet, signal);
    }
    await this.#claim(holder, request.cidr, signal);
    return [request.cidr];
  }

  async #claim(holder: Holder, cidr: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#allocator.claim(ownerOf(holder), cidr, signal);
    } catch (error) {
      // The same address may exist in two networks; claimed or not, nobody is given it any more.
      if (holder.network === DEFAULT_NETWORK || systemCode(error) !== 'address-used') throw error;
    }
  }

  #defaultSubnet(network: string): string | undefined {
    if (network === DEFAULT_NETWORK) return undefined;
    const subnets = this.#networks.subnets(network);
    const subnet = subnets.find((text) => !text.includes(':')) ?? subnets[0];
    if (subnet !== undefined) return subnet;
    throw new WeftError(
      'bad-subnet',
      `the network ${network} has no subnet to take an address from: give one, such as 10.40.0.1/16`,
    );
  }
}

/** With prefix length or without, it is the same address. */
function reclaimKey(owner: string, address: string): string {
  return `${owner} ${address.split('/', 1)}`;
}

/** On each network the same container has addresses of its own. */
function ownerOf({ id, network }: Holder): string {
  return network === DEFAULT_NETWORK ? id : `${id}@${network}`;
}
