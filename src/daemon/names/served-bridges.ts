import type { DnsServer, DnsSockets } from '../../dns/index.js';
import {
  closeResolver,
  type LinkStates,
  openResolver,
  plugResolver,
  portFlaw,
  RESOLVER_ADDRESS,
  type ResolverOptions,
  resolverPort,
} from '../../hostnet/index.js';
import type { Identity } from '../../identity/index.js';
import { errorFields, type Log } from '../logging/index.js';
import { type Fault, faultOf } from '../repairs/index.js';
import type { Networks } from '../segments/index.js';

export interface ServedBridgesOptions {
  readonly identity: Identity;
  /** Of the containers. */
  readonly mtu: number;
  readonly networks: Pick<Networks, 'list'>;
  readonly server: DnsServer;
  readonly log: Log;
}

/** A bridge on which the server stands. */
interface Place {
  readonly options: ResolverOptions;
  sockets: DnsSockets | undefined;
}

/** The bridges of this host's networks on which the DNS server stands, each with a port of its own. */
export class ServedBridges {
  readonly #options: ServedBridgesOptions;
  readonly #places = new Map<number, Place>();
  #working = Promise.resolve();

  constructor(options: ServedBridgesOptions) {
    this.#options = options;
  }

  /**
   * Stands on the bridges of all networks that this host has, soon, and on no others; does what is missing. `interfaces` are
   * those of the host now, when it is to be looked at, too.
   */
  check(interfaces?: ReadonlySet<string>): void {
    const { networks, identity, mtu } = this.#options;
    const wanted = new Map(networks.list().map(({ number, bridge }) => [number, bridge]));
    for (const [network, { options }] of this.#places) {
      if (wanted.get(network) !== options.bridge) this.#leave(network);
    }
    for (const [network, bridge] of wanted) {
      const place = this.#places.get(network);
      const lost =
        place?.sockets !== undefined && interfaces?.has(resolverPort(place.options.bridge)) === false;
      if (bridge === null || (place !== undefined && !lost)) continue;
      const opened: Place = { options: { bridge, owner: identity.peer, mtu }, sockets: undefined };
      this.#leave(network);
      this.#places.set(network, opened);
      void this.soon(() => this.#open(network, opened));
    }
  }

  /** Puts the ports onto bridges that were made anew. */
  plugAgain(): void {
    for (const { options, sockets } of this.#places.values()) {
      if (sockets !== undefined) void this.soon(() => plugResolver(options));
    }
  }

  /** Resolves once everything that was begun is done. */
  async settled(): Promise<void> {
    await this.#working;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#places.values()].map(({ options }) => closeResolver(options.bridge)));
  }

  /** Where names are answered now, in words. */
  listening(): string[] {
    const open = [...this.#places.values()].filter(({ sockets }) => sockets !== undefined);
    return open.map(({ options }) => `${RESOLVER_ADDRESS} on ${options.bridge}`);
  }

  /** Ports of the server that are there, but not as they should be. */
  faults(links: LinkStates): Fault[] {
    return [...this.#places.values()].flatMap(({ options, sockets }) => {
      const { bridge, mtu } = options;
      const state = sockets === undefined ? undefined : links.of(resolverPort(bridge));
      const flaw = state && portFlaw(state, { bridge, mtu, isIsolated: true });
      if (flaw === undefined) return [];
      return [
        faultOf(`the port of the DNS server on ${bridge} is ${flaw}`, () =>
          this.soon(() => plugResolver(options)),
        ),
      ];
    });
  }

  #leave(network: number): void {
    const place = this.#places.get(network);
    if (place === undefined) return;
    this.#places.delete(network);
    void this.soon(async () => {
      await closeResolver(place.options.bridge);
      if (place.sockets !== undefined) this.#options.server.drop(place.sockets);
    });
  }

  async #open(network: number, place: Place): Promise<void> {
    const sockets = await openResolver(place.options);
    place.sockets = sockets;
    this.#options.server.serve(sockets, network);
  }

  /** One change of our ports at a time. A failure leaves containers without names, but with everything else. */
  soon(work: () => Promise<void>): Promise<void> {
    this.#working = this.#working.then(work).catch((error: unknown) => {
      this.#options.log.error(`names are not answered: ${String(error)}`, errorFields(error));
    });
    return this.#working;
  }
}
