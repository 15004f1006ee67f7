import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises';
import { messageOf, systemCode, WeftError } from '../../../errors.js';
import { withoutLength } from '../../../net/index.js';
import { DEFAULT_NETWORK } from '../../../networks/index.js';
import { SerialByKey, withinTime } from '../../../order.js';
import { shortId } from '../../../text/index.js';
import type { PlatformHost } from '../../platform/index.js';
import { type Book, type BookedNetwork, weftName } from '../book.js';
import type { DockerEngine, DockerNetwork } from '../engine.js';
import type { Grace } from '../grace.js';
import { type Creations, isOwn, parseSubnet } from '../ipam/index.js';
import type { IpamData, NetworkReference, NetworkRequest } from '../server/index.js';
import { GENERIC, NETWORK, networkOptions } from './options.js';

/** The name under which Docker knows this driver, which is that of its socket. */
export const DRIVER = 'weft';
/** Docker's API answers within milliseconds, or does not listen yet. */
const PATIENCE = 2_000;
const POLL = 100;

export interface DockerNetworksOptions {
  readonly host: Pick<PlatformHost, 'networks' | 'addresses'>;
  readonly book: Book;
  readonly creations: Creations;
  /** Of networks that the engine does not have. */
  readonly grace: Grace;
  readonly engine: () => DockerEngine | undefined;
  readonly onFailure: (what: string, error: unknown) => void;
}

/** The networks that Docker has on weft, and what each is called there. */
export class DockerNetworks {
  readonly #options: DockerNetworksOptions;
  readonly #serial = new SerialByKey();
  /** What is wrong with a network, by its id. */
  readonly #faults = new Map<string, string>();
  readonly #learning = new Set<Promise<void>>();
  #stopped = false;

  constructor(options: DockerNetworksOptions) {
    this.#options = options;
  }

  /** What is wrong with a network; null: nothing is known to be. */
  fault(id: string): string | null {
    return this.#faults.get(id) ?? null;
  }

  /**
   * A manager of a swarm is asked what all its hosts are to know of a network: what weft calls it, since an id is all that they have in common
   * when the first of them makes it.
   */
  async allocate({ NetworkID, Options }: NetworkRequest): Promise<object> {
    const { chosen } = networkOptions({ [GENERIC]: Options ?? {} }, this.#options.host.networks.mtu);
    return { Options: { ...Options, [NETWORK]: chosen ?? `swarm-${shortId(NetworkID)}` } };
  }

  /** Docker says neither the name nor the labels, which are asked for once it has the answer. */
  async create(request: NetworkRequest): Promise<object> {
    const { book, host, grace, creations } = this.#options;
    const id = request.NetworkID;
    const data = [...(request.IPv4Data ?? []), ...(request.IPv6Data ?? [])];
    const options = networkOptions(request.Options, host.networks.mtu);
    return await this.#serial.run(id, async () => {
      grace.renew(id);
      const network = { id, name: null, ...options, ...poolsOf(data) };
      const before = book.network(id);
      await book.putNetwork({ ...network, name: before?.name ?? null });
      try {
        if (network.chosen !== null) await this.#ensure(network.chosen, network.pools);
      } catch (error) {
        if (before === undefined) await book.removeNetwork(id);
        throw error;
      }
      for (const { AddressSpace = '', Pool = '' } of data) {
        creations.end({ space: AddressSpace, subnet: parseSubnet(Pool) });
      }
      if ((before?.name ?? null) === null) this.#learnSoon(id);
      return {};
    });
  }

  /** Also when Docker forgot it without a word. */
  async remove({ NetworkID: id }: NetworkReference): Promise<object> {
    await this.#serial.run(id, () => this.#remove(id));
    return {};
  }

  /** The name of the weft network that a Docker network is, which is there then. Rejects with `no-such-network` and what `ensure` rejects with. */
  async ready(id: string): Promise<string> {
    return await this.#serial.run(id, async () => {
      const booked = this.#options.book.network(id);
      const network = booked !== undefined && weftName(booked) !== null ? booked : await this.#learn(id);
      const name = weftName(network) ?? network.id;
      await this.#ensure(name, network.pools);
      this.#faults.delete(id);
      return name;
    });
  }

  /** Asks Docker for the names of all networks that it did not tell, and sees to it that weft has them. */
  async learnAll(): Promise<void> {
    for (const { id, name } of this.#options.book.networks) if (name === null) await this.#learnLater(id);
  }

  /** Resolves when nothing is asked or written any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#learning);
  }

  /** Once Docker has its answer. */
  #learnSoon(id: string): void {
    const learning = immediate().then(() => this.#learnLater(id));
    this.#learning.add(learning);
    void learning.then(() => this.#learning.delete(learning));
  }

  async #remove(id: string): Promise<void> {
    const { book, host, onFailure } = this.#options;
    const network = book.network(id);
    if (network === undefined) return;
    await book.removeNetwork(id);
    this.#faults.delete(id);
    const kept = new Set(book.networks.flatMap(({ reserved }) => reserved));
    const isFree = (address: string) => !kept.has(address);
    try {
      for (const address of network.reserved.filter(isFree)) await host.addresses.release(address);
      const name = weftName(network);
      if (
        name === null ||
        name === DEFAULT_NETWORK ||
        book.networks.some((other) => weftName(other) === name)
      )
        return;
      await host.networks.release(name);
    } catch (error) {
      onFailure(`what the Docker network ${network.name ?? id} had is not free`, error);
    }
  }

  /** Resolves when Docker has told the name, or does not. What is wrong is told then, and when a container comes. */
  async #learnLater(id: string): Promise<void> {
    const { book, onFailure } = this.#options;
    try {
      await this.#serial.run(id, async () => {
        if (book.network(id)?.name === null) await this.#learn(id);
      });
      if (book.network(id) !== undefined) await this.ready(id);
    } catch (error) {
      const isOver = this.#stopped || book.network(id) === undefined;
      if (isOver || systemCode(error) === 'engine-absent') return;
      this.#faults.set(id, messageOf(error));
      onFailure(`the Docker network ${shortId(id)} cannot be used`, error);
    }
  }

  /** Notes how Docker calls it, and all else if nothing is known of it: its file was lost. */
  async #learn(id: string): Promise<BookedNetwork> {
    const { book } = this.#options;
    const booked = book.network(id);
    const found = await this.#ask(id, booked === undefined ? 0 : PATIENCE);
    if (found === undefined) throw unknownNetwork(id);
    const network = booked === undefined ? adopted(found) : { ...booked, name: found.name };
    await book.putNetwork(network);
    return network;
  }

  /** Docker lists a network some milliseconds after it was told that it is made. */
  async #ask(id: string, patience: number): Promise<DockerNetwork | undefined> {
    const engine = this.#options.engine();
    const [deadline, until] = [performance.now() + PATIENCE, performance.now() + patience];
    for (;;) {
      const asked = engine?.network(id) ?? Promise.resolve(undefined);
      const found = await withinTime(asked, Math.max(0, deadline - performance.now()), silent);
      const isOver = this.#stopped || performance.now() + POLL > until;
      if (found !== undefined || engine === undefined || isOver) return found;
      await delay(POLL);
    }
  }

  async #ensure(name: string, pools: readonly string[]): Promise<void> {
    if (name !== DEFAULT_NETWORK) await this.#options.host.networks.ensure(name, pools);
  }
}

/** Subnets and reserved addresses of a network as Docker makes it. Throws `bad-subnet` for one without. */
function poolsOf(data: readonly IpamData[]): Pick<BookedNetwork, 'pools' | 'reserved'> {
  const pools = data.map(({ Pool = '' }) => parseSubnet(Pool));
  if (pools.length === 0 || pools.some((pool) => pool.endsWith('/0'))) {
    throw new WeftError('bad-subnet', 'a weft network needs a subnet: leave `--ipam-driver null` out');
  }
  const reserved = data.flatMap(({ Gateway = '', AuxAddresses }) => [
    Gateway,
    ...Object.values(AuxAddresses ?? {}),
  ]);
  return { pools, reserved: reservedOf(reserved, pools) };
}

/** Without the gateway that is nobody's. */
function reservedOf(addresses: readonly string[], pools: readonly string[]): string[] {
  const hosts = addresses.filter((address) => address !== '').map(withoutLength);
  return [...new Set(hosts)].filter((host) => !pools.some((pool) => isOwn(host, pool)));
}

function adopted({ id, name, options, subnets }: DockerNetwork): BookedNetwork {
  const pools = subnets.map(({ subnet }) => parseSubnet(subnet));
  const reserved = subnets.flatMap(({ gateway = '', aux }) => [gateway, ...Object.values(aux)]);
  const chosen = options[NETWORK] ?? null;
  return { id, name, chosen, pools, reserved: reservedOf(reserved, pools) };
}

/** Docker's API may take connections before it answers, and waits for this very answer then. */
function silent(): WeftError {
  return new WeftError('engine-failed', `Docker's API does not answer within ${PATIENCE / 1000} s`);
}

function unknownNetwork(id: string): WeftError {
  return new WeftError(
    'no-such-network',
    `neither weft nor Docker's API says what the Docker network ${shortId(id)} is called: try again when Docker has started, or make it anew`,
  );
}
