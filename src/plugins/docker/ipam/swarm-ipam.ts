import { systemCode, WeftError } from '../../../errors.js';
import { withoutLength } from '../../../net/index.js';
import type { PlatformAddresses } from '../../platform/index.js';
import type {
  AddressReleaseRequest,
  AddressRequest,
  PoolReleaseRequest,
  PoolRequestBody,
} from '../server/index.js';
import type { AddressAnswer, Ipam, IpamDriver, PoolAnswer } from './ipam.js';
import { GLOBAL_SPACE, isOwn, lengthOf, parseFixed, parsePoolId } from './pools.js';

/** What the swarm has of this manager, on the disk: addresses, and the pool of each. */
export interface Given {
  readonly given: ReadonlyMap<string, string>;
  putGiven(address: string, pool: string): Promise<void>;
  removeGiven(addresses: readonly string[]): Promise<void>;
}

export interface SwarmIpamOptions {
  readonly ipam: Ipam;
  readonly addresses: PlatformAddresses;
  readonly book: Given;
  /** Hexadecimal digits that were not there before. */
  readonly nonce: () => string;
}

/**
 * The same in a swarm. Its manager asks in the global space, for containers and services of all hosts; on the host of a container Docker names the
 * address once more, in the local space, where nothing is taken or given back.
 */
export class SwarmIpam implements IpamDriver {
  readonly #options: SwarmIpamOptions;

  constructor(options: SwarmIpamOptions) {
    this.#options = options;
  }

  /** A manager that becomes the leader asks again for each pool, and then for all that the swarm has of it. */
  async requestPool(request: PoolRequestBody): Promise<PoolAnswer> {
    const { ipam, nonce } = this.#options;
    const answer = await ipam.requestPool(request);
    return isGlobal(answer.PoolID) ? { ...answer, PoolID: `${answer.PoolID}/${nonce()}` } : answer;
  }

  /** Docker releases no address of a container that is still to end: those go when nobody has had them for a while. */
  async releasePool(request: PoolReleaseRequest): Promise<object> {
    const { ipam, book } = this.#options;
    const ofIt = [...book.given].filter(([, pool]) => pool === request.PoolID);
    await book.removeGiven(ofIt.map(([address]) => address));
    return await ipam.releasePool(request);
  }

  async requestAddress(request: AddressRequest): Promise<AddressAnswer> {
    const { PoolID, Address = '' } = request;
    const pool = parsePoolId(PoolID);
    if (Address === '') return await this.#take(request);
    const answer = { Address: `${withoutLength(Address)}/${lengthOf(pool.subnet)}`, Data: {} };
    if (isOwn(withoutLength(Address), pool.subnet)) return answer; // the gateway that is nobody's
    const address = parseFixed(Address, pool);
    if (isGlobal(PoolID)) await this.#claim(PoolID, address);
    return answer;
  }

  async releaseAddress(request: AddressReleaseRequest): Promise<object> {
    const { book, ipam } = this.#options;
    const address = withoutLength(request.Address);
    const pool = book.given.get(address);
    if (pool !== undefined && pool !== request.PoolID) return {};
    await book.removeGiven([address]);
    return await ipam.releaseAddress(request);
  }

  async #take(request: AddressRequest): Promise<AddressAnswer> {
    const { ipam, addresses } = this.#options;
    const answer = await ipam.requestAddress(request);
    const address = withoutLength(answer.Address);
    if (isGlobal(request.PoolID)) {
      await this.#options.book.putGiven(address, request.PoolID).catch(async (error: unknown) => {
        await addresses.release(address);
        throw error;
      });
    }
    return answer;
  }

  /** One that somebody else has was given by another manager, which led the swarm before. */
  async #claim(pool: string, address: string): Promise<void> {
    const { addresses, book } = this.#options;
    if (book.given.get(address) === pool) {
      throw new WeftError('address-used', `the swarm has given ${address} already: choose another --ip`);
    }
    await book.putGiven(address, pool);
    await addresses.claim(address).catch(async (error: unknown) => {
      if (systemCode(error) === 'address-used') return;
      await book.removeGiven([address]);
      throw error;
    });
  }
}

function isGlobal(pool: string): boolean {
  return parsePoolId(pool).space === GLOBAL_SPACE;
}
