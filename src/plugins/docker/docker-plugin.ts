import { randomBytes } from 'node:crypto';
import type { DockerControl, DockerNetworkStatus, DockerStatus } from '../../api/index.js';
import { type Clock, SystemClock } from '../../clock.js';
import { messageOf, systemCode, WeftError } from '../../errors.js';
import { Serial } from '../../order.js';
import { shortId } from '../../text/index.js';
import type { PlatformHost } from '../platform/index.js';
import { Book, type BookFile, weftName } from './book.js';
import { DockerEndpoints, DockerNetworks } from './driver/index.js';
import type { DockerEngine, DockerEngines } from './engine.js';
import { Grace } from './grace.js';
import { Creations, Ipam, type IpamDriver, inTheWay, SwarmIpam } from './ipam/index.js';
import { methodsOf } from './methods.js';
import { type Methods, PluginServer } from './server/index.js';
import { Upkeep } from './upkeep.js';
import { removeWeftNetwork, WEFT } from './weft-network.js';

/** Where Docker looks for a network driver called `weft`. */
export const PLUGIN_SOCKET = '/run/docker/plugins/weft.sock';
/** How long what nobody has is left alone, in milliseconds. */
const GRACE = 30_000;
/** How long a container may take to start, in milliseconds. */
const LONGEST_START = 600_000;
/** Tells pools of a swarm apart. */
const nonce = () => randomBytes(4).toString('hex');

export interface DockerPluginOptions {
  readonly host: PlatformHost;
  readonly file: BookFile;
  readonly engines: DockerEngines;
  /** As a managed plugin, whose networks are those of a swarm. */
  readonly swarm: boolean;
  /** Default: `PLUGIN_SOCKET`. */
  readonly socketPath?: string;
  /** Default: real time. */
  readonly clock?: Clock;
  /** What of this host is in the way of a subnet; default: what its routes say. */
  readonly inTheWay?: (subnet: string) => Promise<string | undefined>;
  /** Something that users are to know. */
  readonly onNotice: (what: string) => void;
  readonly onFailure: (what: string, error: unknown) => void;
}

type KnownNetworks = Awaited<ReturnType<DockerEngine['networks']>>;

/** Weft as network plugin of this host's Docker: off until somebody enables it, then on over restarts. */
export class DockerPlugin implements DockerControl {
  readonly #options: DockerPluginOptions;
  readonly #book: Book;
  readonly #networks: DockerNetworks;
  readonly #upkeep: Upkeep;
  readonly #server: PluginServer;
  readonly #switching = new Serial();
  #engine: DockerEngine | undefined;
  #stopped = false;
  #requests = 0;
  #failures = 0;
  /** Why the socket is not there. */
  #socketFault: string | null = null;

  constructor(options: DockerPluginOptions) {
    const { host, file, swarm, onFailure } = options;
    const clock = options.clock ?? new SystemClock();
    const now = () => clock.now();
    const grace = (period = GRACE) => new Grace(period, now);
    this.#options = options;
    const graces = {
      endpoints: grace(),
      starting: grace(LONGEST_START),
      networks: grace(),
      addresses: grace(),
    };
    this.#book = new Book(file, (error) => onFailure('what Docker has no more is still on the disk', error));
    const book = this.#book;
    const creations = new Creations(now);
    const engine = () => this.#engine;
    this.#networks = new DockerNetworks({
      host,
      book,
      creations,
      grace: graces.networks,
      engine,
      onFailure,
    });
    const endpoints = new DockerEndpoints({
      host,
      book,
      networks: this.#networks,
      grace: graces.endpoints,
      claims: !swarm,
    });
    this.#upkeep = new Upkeep({
      ...options,
      book,
      networks: this.#networks,
      endpoints,
      graces,
      clock,
      engine,
      isServed: () => this.#server.stands(),
    });
    const drivers = {
      ipam: this.#ipam(creations, graces.addresses),
      networks: this.#networks,
      endpoints,
      swarm,
    };
    this.#server = new PluginServer({
      path: this.#socketPath,
      methods: this.#noticed(methodsOf(drivers)),
      onFault: (what, error) => onFailure(`Docker's request ${what} failed`, error),
    });
  }

  /** `enable`: from now on. Otherwise a socket that cannot be made is tried again with each `check`. */
  async start({ enable }: { readonly enable: boolean }): Promise<void> {
    const { engines } = this.#options;
    await this.#book.open();
    engines.on('started', (engine, container) => void this.#upkeep.started(engine, container));
    engines.on('connected', (engine) => {
      if (engine === this.#engine) void this.#upkeep.look({ unheard: true });
    });
    [this.#engine] = engines.watchAll();
    if (enable) await this.#enable();
    else await this.check();
    if (this.#book.enabled) void this.#upkeep.look({ unheard: true });
  }

  /** Removes the socket. Docker's containers keep what they have. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const idle = this.#upkeep.stop();
    await this.#switching.run(() => this.#server.close());
    await Promise.all([this.#networks.stop(), idle]);
  }

  /** Puts the socket back if somebody removed it. To be called again and again. */
  async check(): Promise<void> {
    await this.#switching.run(async () => {
      if (!this.#book.enabled || this.#stopped || (await this.#server.stands())) return;
      try {
        await this.#server.listen();
        this.#socketFault = null;
        this.#options.onNotice(`Docker finds its network plugin at ${this.#socketPath}`);
      } catch (error) {
        if (this.#socketFault === messageOf(error)) return;
        this.#socketFault = messageOf(error);
        this.#options.onFailure('Docker cannot be served', error);
      }
    });
  }

  async setEnabled(enabled: boolean): Promise<DockerStatus> {
    if (enabled) {
      await this.#enable();
      void this.#upkeep.look({ unheard: true });
    } else await this.#disable();
    return await this.status();
  }

  async status(): Promise<DockerStatus> {
    const [listening, found] = await Promise.all([this.#server.stands(), this.#askNetworks()]);
    const socket = this.#engine?.socket ?? null;
    const faults = [this.#socketFault, this.#upkeep.weftFault, socket === null ? NO_ENGINE : null];
    return {
      enabled: this.#book.enabled,
      socket: this.#socketPath,
      listening,
      engine: { socket, reachable: found !== undefined },
      networks: this.#networkStatus(found),
      ready: listening && (this.#options.swarm || this.#hasWeft(found ?? [])),
      faults: this.#book.enabled ? faults.filter((fault) => fault !== null) : [],
    };
  }

  /** What Docker asked for until now. */
  get activity(): { readonly enabled: boolean; readonly requests: number; readonly failures: number } {
    return { enabled: this.#book.enabled, requests: this.#requests, failures: this.#failures };
  }

  /** For a swarm Docker takes any subnet, whatever is in its way on some host. */
  #ipam(creations: Creations, grace: Grace): IpamDriver {
    const { host, swarm, inTheWay: asked = inTheWay } = this.#options;
    const { addresses, networks } = host;
    const ipam = new Ipam({
      ranges: networks.ranges,
      addresses,
      creations,
      grace,
      holder: (address) => this.#holder(address),
      inTheWay: swarm ? async () => undefined : asked,
    });
    return swarm ? new SwarmIpam({ ipam, addresses, book: this.#book, nonce }) : ipam;
  }

  get #socketPath(): string {
    return this.#options.socketPath ?? PLUGIN_SOCKET;
  }

  async #enable(): Promise<void> {
    await this.#switching.run(async () => {
      await this.#server.listen();
      this.#socketFault = null;
      if (this.#book.enabled) return;
      await this.#book.setEnabled(true).catch(async (error: unknown) => {
        await this.#server.close();
        throw error;
      });
    });
  }

  async #disable(): Promise<void> {
    await this.#switching.run(async () => {
      if (!this.#book.enabled) return;
      await this.#refuseWhileUsed();
      if (this.#engine !== undefined) await removeWeftNetwork(this.#engine).catch(unlessAbsent);
      await this.#book.setEnabled(false);
      await this.#server.close();
      this.#socketFault = null;
      this.#upkeep.pause();
    });
  }

  async #refuseWhileUsed(): Promise<void> {
    const endpoints = this.#options.host.endpoints.list();
    if (endpoints.length === 0) return;
    const names = await Promise.all(
      endpoints.map(async ({ id, container }) => {
        const found =
          container === null ? undefined : await this.#engine?.inspect(container).catch(() => undefined);
        return found?.name ?? shortId(container ?? id);
      }),
    );
    throw new WeftError(
      'docker-used',
      `${[...new Set(names)].join(', ')} ${names.length === 1 ? 'is' : 'are'} on Docker networks of weft: stop them, or take them off with \`docker network disconnect\``,
    );
  }

  /** Whatever Docker asks for may be given up without a word. */
  #noticed(methods: Methods): Methods {
    const entries = Object.entries(methods).map(([name, { body, answer }]) => {
      const noticed = async (request: unknown) => {
        if (body !== null) this.#upkeep.lookLater();
        this.#requests += 1;
        try {
          return await answer(request);
        } catch (error) {
          this.#failures += 1;
          throw error;
        }
      };
      return [name, { body, answer: noticed }];
    });
    return Object.fromEntries(entries);
  }

  #holder(address: string): string | undefined {
    const network = this.#book.networks.find(({ reserved }) => reserved.includes(address));
    if (network !== undefined) return `the Docker network ${network.name ?? shortId(network.id)} reserves it`;
    const isIts = ({ addresses }: { readonly addresses: readonly string[] }) =>
      addresses.some((text) => text.startsWith(`${address}/`));
    const endpoint = this.#options.host.endpoints.list().find(isIts);
    if (endpoint === undefined) return undefined;
    return `a container of this host has it, ${shortId(endpoint.container ?? endpoint.id)}`;
  }

  async #askNetworks(): Promise<KnownNetworks | undefined> {
    return await this.#engine?.networks().catch(() => undefined);
  }

  #hasWeft(found: KnownNetworks): boolean {
    return found.some(({ id, name }) => name === WEFT && this.#book.network(id) !== undefined);
  }

  #networkStatus(found: KnownNetworks | undefined): DockerNetworkStatus[] {
    const ofDocker = (id: string) => found?.find((network) => network.id === id);
    const isGone = (id: string) => found !== undefined && ofDocker(id) === undefined;
    return this.#book.networks.map((network) => ({
      id: network.id,
      name: network.name ?? ofDocker(network.id)?.name ?? null,
      network: weftName(network),
      subnets: [...network.pools],
      endpoints: this.#book.endpoints.filter((endpoint) => endpoint.network === network.id).length,
      fault: this.#networks.fault(network.id) ?? (isGone(network.id) ? 'Docker has it no more' : null),
    }));
  }
}

const NO_ENGINE =
  'DOCKER_HOST of the router is no unix socket: containers get no names, and networks are not looked after';

function unlessAbsent(error: unknown): void {
  if (systemCode(error) !== 'engine-absent') throw error;
}
