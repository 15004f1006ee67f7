import type { RouterControl } from '../../api/index.js';
import { messageOf } from '../../errors.js';

/** Runs a command to its end, with nothing else in its environment; rejects when it fails. */
export type Run = (
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
) => Promise<unknown>;

/** A router that a service manager hears of. */
export interface Managed {
  readonly control: Pick<RouterControl, 'peers'>;
  /** Resolves when it begins to stop. */
  readonly stopping: Promise<void>;
  /** Resolves when it has stopped. */
  readonly stopped: Promise<void>;
}

/** How often the manager hears of us where nothing has to be sooner, ms. */
const BEAT = 10_000;
/** How often we say that we are alive within the time after which the manager takes us for dead. */
const BEATS_WITHIN = 3;
const VARIABLES = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'] as const;

/**
 * The service manager that started this process: systemd, or who else follows sd_notify(3). It hears when the router works and
 * when it stops, how many peers it has, and that the event loop turns. `systemd-notify` tells it, in our name: Node.js has no
 * datagrams on unix sockets, and to say something every ten seconds is no reason for a native addon.
 */
export class ServiceManager {
  readonly #socket: string;
  /** Within how many ms it wants to hear of us; undefined: it does not watch. */
  readonly #patience: number | undefined;
  readonly #run: Run;
  readonly #pid: number;
  #status: string | undefined;
  #telling = false;
  #failed = false;

  private constructor(socket: string, patience: number | undefined, run: Run, pid: number) {
    this.#socket = socket;
    this.#patience = patience;
    this.#run = run;
    this.#pid = pid;
  }

  /** That of an environment, if it names one; it is taken out of there, since no program that we start may speak for us. */
  static take(environment: NodeJS.ProcessEnv, run: Run, pid = process.pid): ServiceManager | undefined {
    const [socket = '', patience = '', watched = `${pid}`] = VARIABLES.map((name) => environment[name]);
    for (const name of VARIABLES) delete environment[name];
    if (socket === '') return undefined;
    const isWatched = watched === `${pid}` && /^[1-9]\d{0,14}$/.test(patience);
    return new ServiceManager(socket, isWatched ? Number(patience) / 1000 : undefined, run, pid);
  }

  /**
   * Tells it that the router works, and all that follows until it has stopped. Resolves when the first is told, or could not be:
   * `onFailure` hears why, once for many times.
   */
  async follow(router: Managed, onFailure: (what: string) => void): Promise<void> {
    const beat = async () => await this.#beat(statusOf(router), onFailure);
    await beat();
    const timer = setInterval(() => void beat(), Math.min(BEAT, (this.#patience ?? BEAT) / BEATS_WITHIN));
    void router.stopping.then(() => this.#tell(['STOPPING=1'], onFailure));
    void router.stopped.then(() => clearInterval(timer));
  }

  /** All that there is to say, each time: what was lost once is made good. */
  async #beat(status: string, onFailure: (what: string) => void): Promise<void> {
    const isNews = status !== this.#status;
    if (this.#telling || !(isNews || this.#patience !== undefined)) return;
    this.#telling = true;
    const alive = this.#patience === undefined ? [] : ['WATCHDOG=1'];
    const isTold = await this.#tell(['READY=1', `STATUS=${status}`, ...alive], onFailure);
    this.#status = isTold ? status : undefined;
    this.#telling = false;
  }

  async #tell(assignments: readonly string[], onFailure: (what: string) => void): Promise<boolean> {
    try {
      await this.#run(['systemd-notify', '--no-block', `--pid=${this.#pid}`, ...assignments], {
        NOTIFY_SOCKET: this.#socket,
      });
      this.#failed = false;
      return true;
    } catch (error) {
      if (!this.#failed) onFailure(`the service manager does not hear of this router: ${messageOf(error)}`);
      this.#failed = true;
      return false;
    }
  }
}

/** That a router works never depends on others; how many it has is told. */
function statusOf({ control }: Managed): string {
  const others = control.peers().filter(({ state }) => state !== 'self');
  return `${others.filter(({ state }) => state === 'linked').length} of ${others.length} peers linked`;
}
