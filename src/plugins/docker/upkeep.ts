import type { Clock } from '../../clock.js';
import { messageOf, systemCode } from '../../errors.js';
import { Serial } from '../../order.js';
import type { PlatformHost } from '../platform/index.js';
import type { Book } from './book.js';
import type { DockerEndpoints, DockerNetworks } from './driver/index.js';
import type { DockerContainer, DockerEngine } from './engine.js';
import { Names } from './names.js';
import { type Graces, reconcile } from './reconcile.js';
import { ensureWeftNetwork, WEFT } from './weft-network.js';

/** Docker is asked again when the grace of what nobody has is surely over, in milliseconds. */
const AGAIN = 31_000;

export interface UpkeepOptions {
  readonly host: PlatformHost;
  readonly book: Book;
  readonly networks: DockerNetworks;
  readonly endpoints: DockerEndpoints;
  readonly graces: Graces;
  readonly clock: Clock;
  /** This host's Docker; undefined where none is known. */
  readonly engine: () => DockerEngine | undefined;
  /** Docker reaches weft, so that it can make a network. */
  readonly isServed: () => Promise<boolean>;
  /** Networks are those of a swarm, which makes them itself. */
  readonly swarm: boolean;
  readonly onNotice: (what: string) => void;
  readonly onFailure: (what: string, error: unknown) => void;
}

/** Keeps names, networks and what is gone as Docker has them: when it is heard (again), and a while after each of its requests. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #names: Names;
  readonly #work = new Serial();
  /** Calls off what is to be looked at again. */
  #callOff: (() => void) | undefined;
  #stopped = false;
  #weftFault: string | null = null;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#names = new Names(options.host.endpoints);
  }

  /** What is wrong with the Docker network `weft`. */
  get weftFault(): string | null {
    return this.#weftFault;
  }

  /** Looks at everything; `unheard`: anything may have happened before. */
  look({ unheard }: { readonly unheard: boolean }): Promise<void> {
    return this.#work.run(async () => {
      const engine = this.#options.engine();
      if (engine === undefined || this.#isOver) return;
      await this.#attempt('the names of containers are not known', () =>
        unheard ? this.#names.bindAll(engine) : this.#names.bindUnknown(engine),
      );
      await this.#attempt(`the Docker network ${WEFT} cannot be made`, () => this.#ensureWeft(engine));
      await this.#options.networks.learnAll();
      await this.#attempt('what Docker has no more is not known', () => this.#reconcile(engine));
    });
  }

  /** Looks again when Docker has had its time; once for all that is asked for until then. */
  lookLater(): void {
    if (this.#isOver) return;
    this.#callOff ??= this.#options.clock.after(AGAIN, () => {
      this.#callOff = undefined;
      void this.look({ unheard: false });
    });
  }

  /** A container runs now, or is on other networks. */
  async started(engine: DockerEngine, container: DockerContainer): Promise<void> {
    if (engine !== this.#options.engine() || this.#isOver) return;
    await this.#attempt(`${container.name} has no names on weft`, async () => {
      await this.#names.bind(engine, container);
      await this.#options.endpoints.route(container.networks.map(({ endpointId }) => endpointId));
    });
  }

  /** Docker is served no more, until it is again. */
  pause(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    this.#weftFault = null;
  }

  /** Resolves when nothing is asked any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#callOff?.();
    await this.#work.run(async () => {});
  }

  get #isOver(): boolean {
    return this.#stopped || !this.#options.book.enabled;
  }

  async #ensureWeft(engine: DockerEngine): Promise<void> {
    const { swarm, isServed, host, onNotice } = this.#options;
    if (swarm || !(await isServed())) return;
    const before = this.#weftFault;
    this.#weftFault = await ensureWeftNetwork(engine, host.networks.ranges).catch((error: unknown) => {
      if (systemCode(error) !== 'engine-absent') this.#weftFault = messageOf(error);
      throw error;
    });
    if (this.#weftFault !== null && this.#weftFault !== before) onNotice(this.#weftFault);
  }

  async #reconcile(engine: DockerEngine): Promise<void> {
    if (await reconcile(engine, this.#options)) this.lookLater();
  }

  /** A Docker that is absent tells when it is there; otherwise it is asked again. */
  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (systemCode(error) === 'engine-absent') return;
      this.#options.onFailure(what, error);
      this.lookLater();
    }
  }
}
