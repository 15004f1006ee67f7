import { randomBytes } from 'node:crypto';
import type { DockerControl, DockerNetworkStatus, DockerStatus } from '../../api/index.js';
import { type Clock, SystemClock } from '../../clock.js';
import { messageOf, systemCode, WeftError } from '../../errors.js';
import { Serial } from '../../order.js';
import { shortId } from '../../short-id.js';
import type { PlatformHost } from '../platform/index.js';
import { Book, type BookFile, weftName } from './book.js';
import { DockerEndpoints, DockerNetworks } from './driver/index.js';
import type { DockerContainer, DockerEngine, DockerEngines } from './engine.js';
import { Grace } from './grace.js';
import { Creations, Ipam, type IpamDriver, inTheWay, SwarmIpam } from './ipam/index.js';
import { methodsOf } from './methods.js';
import { Names } from './names.js';
import { type Graces, reconcile } from './reconcile.js';
import { type Methods, PluginServer } from './server/index.js';
import { ensureWeftNetwork, removeWeftNetwork, WEFT } from './weft-network.js';

/** Where Docker looks for a network driver called `weft`. */
export const PLUGIN_SOCKET = '/run/docker/plugins/weft.sock';
/** How long what nobody has is left alone, in milliseconds. */
const GRACE = 30_000;
/** Tells pools of a swarm apart. */
const nonce = () => randomBytes(4).toString('hex');
/** Docker is asked again when that is surely over, in milliseconds. */
const AGAIN = 31_000;

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
  readonly #clock: Clock;
  readonly #book: Book;
  readonly #graces: Graces;
  readonly #networks: DockerNetworks;
  readonly #endpoints: DockerEndpoints;
  readonly #names: Names;
  readonly #server: PluginServer;
  readonly #switching = new Serial();
  readonly #settling = new Serial();
  #engine: DockerEngine | undefined;
  /** Calls off what is to be asked again. */
  #callOff: (() => void) | undefined;
  #stopped = false;
  /** Why the socket is not there, and what is wrong with the Docker network `weft`. */
  #socketFault: string | null = null;
  #weftFault: string | null = null;

  constructor(options: DockerPluginOptions) {
    const { host, file, swarm, onFailure } = options;
    this.#clock = options.clock ?? new SystemClock();
    const now = () => this.#clock.now();
    const grace = () => new Grace(GRACE, now);
    this.#options = options;
    this.#graces = { endpoints: grace(), networks: grace(), addresses: grace() };
    this.#book = new Book(file, (error) => onFailure('what Docker has no more is still on the disk', error));
    const book = this.#book;
    const creations = new Creations(now);
    const engine = () => this.#engine;
    this.#networks = new DockerNetworks({
      host,
      book,
      creations,
      grace: this.#graces.networks,
      engine,
      onFailure,
    });
    this.#endpoints = new DockerEndpoints({
      host,
      book,
      networks: this.#networks,
      grace: this.#graces.endpoints,
      claims: !swarm,
    });
    this.#names = new Names(host.endpoints);
    const drivers = {
      ipam: this.#ipam(creations),
      networks: this.#networks,
      endpoints: this.#endpoints,
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
    engines.on('started', (engine, container) => void this.#started(engine, container));
    engines.on('connected', (engine) => {
      if (engine === this.#engine) void this.#settle({ unheard: true });
    });
    [this.#engine] = engines.watchAll();
    if (enable) await this.#enable();
    else await this.check();
    if (this.#book.enabled) void this.#settle({ unheard: true });
  }

  /** Removes the socket. Docker's containers keep what they have. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#callOff?.();
    await this.#switching.run(() => this.#server.close());
    await Promise.all([this.#networks.stop(), this.#settling.run(async () => {})]);
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
      void this.#settle({ unheard: true });
    } else await this.#disable();
    return await this.status();
  }

  async status(): Promise<DockerStatus> {
    const [listening, found] = await Promise.all([this.#server.stands(), this.#askNetworks()]);
    const socket = this.#engine?.socket ?? null;
    const faults = [this.#socketFault, this.#weftFault, socket === null ? NO_ENGINE : null];
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

  /** For a swarm Docker takes any subnet, whatever is in its way on some host. */
  #ipam(creations: Creations): IpamDriver {
    const { host, swarm, inTheWay: asked = inTheWay } = this.#options;
    const { addresses, networks } = host;
    const ipam = new Ipam({
      ranges: networks.ranges,
      addresses,
      creations,
      grace: this.#graces.addresses,
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
      this.#weftFault = null;
      this.#socketFault = null;
      this.#callOff?.();
      this.#callOff = undefined;
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

  /** Names, networks and what is gone; `unheard`: anything may have happened before. */
  #settle({ unheard }: { readonly unheard: boolean }): Promise<void> {
    return this.#settling.run(async () => {
      const engine = this.#engine;
      if (engine === undefined || this.#stopped || !this.#book.enabled) return;
      await this.#attempt('the names of containers are not known', () =>
        unheard ? this.#names.bindAll(engine) : this.#names.bindUnknown(engine),
      );
      await this.#attempt(`the Docker network ${WEFT} cannot be made`, () => this.#ensureWeft(engine));
      await this.#networks.learnAll();
      await this.#attempt('what Docker has no more is not known', () => this.#reconcile(engine));
    });
  }

  async #ensureWeft(engine: DockerEngine): Promise<void> {
    if (this.#options.swarm || !(await this.#server.stands())) return;
    const before = this.#weftFault;
    this.#weftFault = await ensureWeftNetwork(engine, this.#options.host.networks.ranges).catch(
      (error: unknown) => {
        if (systemCode(error) !== 'engine-absent') this.#weftFault = messageOf(error);
        throw error;
      },
    );
    if (this.#weftFault !== null && this.#weftFault !== before) this.#options.onNotice(this.#weftFault);
  }

  async #reconcile(engine: DockerEngine): Promise<void> {
    const more = await reconcile(engine, {
      host: this.#options.host,
      book: this.#book,
      endpoints: this.#endpoints,
      networks: this.#networks,
      graces: this.#graces,
    });
    if (more) this.#reconcileLater();
  }

  /** A Docker that is absent tells when it is there; otherwise it is asked again. */
  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (systemCode(error) === 'engine-absent') return;
      this.#options.onFailure(what, error);
      this.#reconcileLater();
    }
  }

  /** Once for all changes until then. */
  #reconcileLater(): void {
    if (this.#stopped || !this.#book.enabled) return;
    this.#callOff ??= this.#clock.after(AGAIN, () => {
      this.#callOff = undefined;
      void this.#settle({ unheard: false });
    });
  }

  async #started(engine: DockerEngine, container: DockerContainer): Promise<void> {
    if (engine !== this.#engine || !this.#book.enabled) return;
    await this.#attempt(`${container.name} has no names on weft`, async () => {
      await this.#names.bind(engine, container);
      await this.#endpoints.route(container.networks.map(({ endpointId }) => endpointId));
    });
  }

  /** Whatever Docker asks for may be given up without a word. */
  #noticed(methods: Methods): Methods {
    const entries = Object.entries(methods).map(([name, { body, answer }]) => {
      const noticed = async (request: unknown) => {
        if (body !== null) this.#reconcileLater();
        return await answer(request);
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
