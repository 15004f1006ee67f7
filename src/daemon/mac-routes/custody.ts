import { type Holding, PortGuard } from '../../hostnet/index.js';
import { errorFields, type Log } from '../logging/index.js';

/** What changes is gathered for so long, ms: containers and hosts come many at a time, and each change is a command. */
const GATHERING = 100;
/** So many claims are remembered as told. */
const MAX_TOLD = 1_024;

export interface CustodyOptions {
  /** Of the default network. */
  readonly bridge: string;
  /** Who is at a port, in words. */
  readonly atPort: (port: string) => string;
  /** Whose a MAC or an address is, in words. */
  readonly holder: (claimed: string) => string;
  readonly log: Log;
}

/**
 * Keeps MACs and addresses to the containers that they were given to, on this host's bridges: what was given to whom goes to the packet filter, and who
 * claims what is another's is told once.
 */
export class Custody {
  readonly #options: CustodyOptions;
  readonly #guard: PortGuard;
  /** What is in force, and what will be: one change at a time, and all that is wanted by then in it. */
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #gathering: NodeJS.Timeout | undefined;
  /** The kernel and nft can do this. */
  #isPossible = true;
  readonly #told = new Set<string>();

  constructor(options: CustodyOptions) {
    this.#options = options;
    this.#guard = new PortGuard(options.bridge);
  }

  put(holding: Holding): void {
    this.#guard.put(holding);
    this.#settleSoon();
  }

  remove(network: number, mac: string): void {
    this.#guard.remove(network, mac);
    this.#settleSoon();
  }

  /** Whether the packet filter may still refuse what a container is to have, because it was another's. */
  refuses(holding: Omit<Holding, 'ports'>): boolean {
    return this.#guard.refuses(holding);
  }

  /** Resolves when what is wanted now is in force. */
  settle(): Promise<void> {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    if (!this.#isPossible) return this.#last;
    this.#next ??= this.#last.then(async () => {
      this.#next = undefined;
      await this.#guard.apply().catch((error: unknown) => this.#giveUp(error));
    });
    this.#last = this.#next;
    return this.#next;
  }

  /** Makes again what somebody removed, and tells who claimed what is not theirs. */
  async check(): Promise<void> {
    if (!this.#guard.isWritten) await this.settle(); // what an earlier run wrote holds no longer
    if (!this.#isPossible) return;
    const { repaired, refusals } = await this.#guard.look();
    if (repaired)
      this.#options.log.warn('the rules of the bridges were changed by somebody, making them again');
    for (const { port, claimed } of refusals ?? []) this.refused(this.#options.atPort(port), claimed);
  }

  /** Somebody of this host claimed what is another's. */
  refused(who: string, claimed: string): void {
    const key = `${who} ${claimed}`;
    if (this.#told.has(key)) return;
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.add(key);
    const { log, holder } = this.#options;
    log.warn(`${who} claims ${claimed}, which is that of ${holder(claimed)}: refused`, { claimed });
  }

  /** Frames that were refused, by what they claimed. */
  get counters(): Readonly<Record<string, number>> {
    return this.#guard.counters;
  }

  async drop(): Promise<void> {
    clearTimeout(this.#gathering);
    await this.#last;
    if (this.#isPossible) await this.#guard.drop().catch(() => {}); // there is no nft, so no table either
  }

  #settleSoon(): void {
    this.#gathering ??= setTimeout(() => void this.settle(), GATHERING);
  }

  #giveUp(error: unknown): void {
    this.#isPossible = false;
    this.#options.log.warn(
      `containers of this host are not kept from claiming each other's addresses: ${String(error)}`,
      errorFields(error),
    );
  }
}
