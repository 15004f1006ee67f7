import { systemCode, WeftError } from '../errors.js';
import type { AddressAllocator } from '../ipam/index.js';
import { DEFAULT_NETWORK } from '../networks/index.js';
import type { AddressRequest } from './address-request.js';
import type { Networks } from './networks.js';

/** An answer is given within so many ms: who asked waits for no longer. */
const PATIENCE = 9_000;

/** Whose addresses they are, and on which network. */
export interface Holder {
  readonly id: string;
  readonly network: string;
}

/** Gives addresses to containers and to the host: those that were chosen, and free ones of the ring. */
export class AddressSource {
  readonly #networks: Networks;
  readonly #allocator: AddressAllocator;

  constructor(networks: Networks, allocator: AddressAllocator) {
    this.#networks = networks;
    this.#allocator = allocator;
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

  /** Which of these addresses are meant: this one, or those of the subnet with the IPv6 ones that came with them. Throws `bad-subnet`. */
  meant(request: AddressRequest, network: string, addresses: readonly string[]): readonly string[] {
    if (request.kind === 'fixed') return addresses.filter((address) => address === request.cidr);
    return this.#allocator.within(addresses, request.subnet ?? this.#defaultSubnet(network));
  }

  async release(holder: Holder, addresses: readonly string[]): Promise<void> {
    if (addresses.length > 0) await this.#allocator.release(ownerOf(holder), addresses);
  }

  async #take(holder: Holder, request: AddressRequest): Promise<readonly string[]> {
    const signal = AbortSignal.timeout(PATIENCE);
    const owner = ownerOf(holder);
    if (request.kind === 'any') {
      const subnet = request.subnet ?? this.#defaultSubnet(holder.network);
      return await this.#allocator.allocate(owner, subnet, signal);
    }
    try {
      await this.#allocator.claim(owner, request.cidr, signal);
    } catch (error) {
      // The same address may exist in two networks; claimed or not, nobody is given it any more.
      if (holder.network === DEFAULT_NETWORK || systemCode(error) !== 'address-used') throw error;
    }
    return [request.cidr];
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

/** On each network the same container has addresses of its own. */
function ownerOf({ id, network }: Holder): string {
  return network === DEFAULT_NETWORK ? id : `${id}@${network}`;
}
