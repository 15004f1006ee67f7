import type { Observe, StatusRoutes, StatusServer } from '../../api/status/index.js';
import { systemCode, WeftError } from '../../errors.js';
import { formatHostPort, type HostPort, parseStatusAddress } from '../../net/index.js';
import { errorFields, type Log } from '../logging/index.js';

export interface StatusPlaceOptions {
  /** As the user wrote it, or `none`. */
  readonly address: string;
  /** This launch names it: one that cannot be had is refused. Else it is waited for, since nobody sits there to choose another. */
  readonly chosenNow: boolean;
  readonly log: Log;
}

/** The address at which this router can be watched. */
export class StatusPlace {
  readonly #options: StatusPlaceOptions;
  readonly #at: HostPort | undefined;
  readonly #routes: StatusRoutes[] = [];
  #server: StatusServer | undefined;
  /** Why it is not served, as the system calls it. */
  #obstacle: string | undefined;

  constructor(options: StatusPlaceOptions) {
    this.#options = options;
    this.#at = parseStatusAddress(options.address);
  }

  /** Null: nowhere. */
  get address(): string | null {
    return this.#at === undefined ? null : formatHostPort(this.#at);
  }

  /** Has something more served there. To be called before `start`. */
  add(routes: StatusRoutes): void {
    this.#routes.push(routes);
  }

  /** Rejects with `status-address` where this launch asked for an address that cannot be had. The page is loaded where it is served only. */
  async start(observe: Observe, page: () => Promise<StatusRoutes>): Promise<void> {
    if (this.#at === undefined) return;
    const { observationRoutes } = await import('../../api/status/index.js');
    this.add(observationRoutes(observe));
    this.add(await page());
    await this.check();
    if (this.#obstacle === undefined || !this.#options.chosenNow) return;
    throw new WeftError(
      'status-address',
      `metrics cannot be served at ${this.address}: ${reasonOf(this.#obstacle)}: choose another --status-addr, or none`,
    );
  }

  /** Serves there if that is not so yet. To be called again and again. */
  async check(): Promise<void> {
    if (this.#at === undefined || this.#server !== undefined) return;
    const { serveStatus } = await import('../../api/status/index.js');
    const { log } = this.#options;
    try {
      this.#server = await serveStatus({
        at: this.#at,
        routes: this.#routes,
        onFault: (error, what) => log.error(`${what} failed: ${error.message}`, errorFields(error)),
      });
      if (this.#obstacle !== undefined) log.info(`metrics are served at ${this.address} now`);
      this.#obstacle = undefined;
    } catch (error) {
      const obstacle = systemCode(error) ?? String(error);
      if (obstacle === this.#obstacle) return;
      this.#obstacle = obstacle;
      log.warn(`metrics are not served at ${this.address} yet: ${reasonOf(obstacle)}`);
    }
  }

  faults(): string[] {
    if (this.#obstacle === undefined) return [];
    return [
      `metrics are not served at ${this.address}: ${reasonOf(this.#obstacle)} (\`weft launch --status-addr\`)`,
    ];
  }

  async stop(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }
}

function reasonOf(obstacle: string): string {
  if (obstacle === 'EADDRNOTAVAIL') return 'this host does not have the address';
  return obstacle === 'EADDRINUSE' ? 'another program listens there' : obstacle;
}
