import { systemCode, WeftError } from '../../../errors.js';
import { withoutLength } from '../../../net/index.js';
import type { PlatformAddresses, PlatformRange } from '../../platform/index.js';
import type { Grace } from '../grace.js';
import type {
  AddressReleaseRequest,
  AddressRequest,
  PoolReleaseRequest,
  PoolRequestBody,
} from '../server/index.js';
import type { Creations } from './creations.js';
import { choosePool, isOwn, lengthOf, parseFixed, parsePoolId, poolId } from './pools.js';

const GATEWAY = 'com.docker.network.gateway';

export interface PoolAnswer {
  readonly PoolID: string;
  readonly Pool: string;
  readonly Data: object;
}

export interface AddressAnswer {
  readonly Address: string;
  readonly Data: object;
}

/** Docker's questions about addresses. */
export interface IpamDriver {
  requestPool(request: PoolRequestBody): Promise<PoolAnswer>;
  releasePool(request: PoolReleaseRequest): Promise<object>;
  requestAddress(request: AddressRequest): Promise<AddressAnswer>;
  releaseAddress(request: AddressReleaseRequest): Promise<object>;
}

export interface IpamOptions {
  readonly ranges: PlatformRange;
  readonly addresses: PlatformAddresses;
  readonly creations: Creations;
  /** Of addresses that neither a network nor an endpoint has. */
  readonly grace: Grace;
  /** What has an address by the book, in words: such a one is not free. */
  readonly holder: (address: string) => string | undefined;
  /** What of this host is in the way of a subnet that Docker did not choose. */
  readonly inTheWay: (subnet: string) => Promise<string | undefined>;
}

/** Answers them for the networks of this host. */
export class Ipam implements IpamDriver {
  readonly #options: IpamOptions;

  constructor(options: IpamOptions) {
    this.#options = options;
  }

  async requestPool({ AddressSpace, Pool, SubPool, Options, V6 }: PoolRequestBody): Promise<PoolAnswer> {
    const { ranges, creations } = this.#options;
    const [unknown] = Object.keys(Options ?? {});
    if (unknown !== undefined) {
      throw new WeftError('bad-option', `weft knows no --ipam-opt "${unknown.slice(0, 64)}": leave it out`);
    }
    const request = { space: AddressSpace, subnet: Pool, part: SubPool ?? '', ipv6: V6 ?? false };
    const pool = choosePool(request, ranges);
    if (Pool === '') await this.#checkWay(pool.subnet);
    creations.begin(pool);
    // No container needs the gateway: Docker is told one that is nobody's.
    return { PoolID: poolId(pool), Pool: pool.subnet, Data: { [GATEWAY]: pool.subnet } };
  }

  async releasePool({ PoolID }: PoolReleaseRequest): Promise<object> {
    if (PoolID.startsWith('weft/')) this.#options.creations.end(parsePoolId(PoolID));
    return {};
  }

  async requestAddress({ PoolID, Address }: AddressRequest): Promise<AddressAnswer> {
    const pool = parsePoolId(PoolID);
    const { addresses, grace } = this.#options;
    if (Address === undefined || Address === '') {
      const taken = withoutLength(await addresses.take(pool.part ?? pool.subnet));
      grace.renew(taken);
      return { Address: `${taken}/${lengthOf(pool.subnet)}`, Data: {} };
    }
    const address = parseFixed(Address, pool);
    await this.#claim(address, this.#options.creations.isGoingOn(pool));
    return { Address: `${address}/${lengthOf(pool.subnet)}`, Data: {} };
  }

  /** What a network or an endpoint has stays; the pool's fake gateway is nothing that could be released. */
  async releaseAddress({ PoolID, Address }: AddressReleaseRequest): Promise<object> {
    const { addresses, grace, holder } = this.#options;
    const address = withoutLength(Address);
    const isFake = PoolID.startsWith('weft/') && isOwn(address, parsePoolId(PoolID).subnet);
    if (isFake || holder(address) !== undefined) return {};
    grace.forget(address);
    await addresses.release(address);
    return {};
  }

  /** `reserves`: for a network that is being made, of which there may be others with the same gateway. */
  async #claim(address: string, reserves: boolean): Promise<void> {
    const { addresses, grace, holder } = this.#options;
    const whose = holder(address);
    if (whose !== undefined && !reserves) {
      throw new WeftError('address-used', `${address} is in use (${whose}): choose another --ip`);
    }
    grace.renew(address);
    try {
      await addresses.claim(address);
      grace.renew(address);
    } catch (error) {
      if (!reserves || systemCode(error) !== 'address-used') throw error;
    }
  }

  /** Docker would ask again and again for a pool that it likes better. */
  async #checkWay(subnet: string): Promise<void> {
    const found = await this.#options.inTheWay(subnet);
    if (found === undefined) return;
    throw new WeftError(
      'bad-subnet',
      `this host has ${found}, and Docker takes no subnet that overlaps it unless it is told which: give \`--subnet ${subnet}\`, or a part of that`,
    );
  }
}
