import { type Holding, PortGuard, type Refusal, type Reserved } from '../../hostnet/index.js';
import { errorFields, type Log } from '../logging/index.js';

/**
 * Time for which changes are gathered, in milliseconds: containers come many at a time, and each change is a command. What is another
 * host's waits longer, since the forwarder keeps it from the tunnel at once.
 */
const GATHERING = { here: 100, elsewhere: 2_000 };

/** Least time between two looks at the rules, in milliseconds: each starts a command, which costs an idle router more than all else. */
const LOOK_INTERVAL = 3_500;

export interface CustodyOptions {
  /** Of the default network. */
  readonly bridge: string;
  readonly reserved: Reserved;
  readonly log: Log;
}

/**
 * Keeps MACs and addresses to the containers that they were given to, on this host's bridges: what was given to whom goes to the packet
 * filter.
 */
export class Custody {
  readonly #options: CustodyOptions;
  readonly #guard: PortGuard;
  /** What is in force, and what will be: one change at a time, and all that is wanted by then in it. */
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #due = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** The kernel and nft can do this. */
  #isPossible = true;

  constructor(options: CustodyOptions) {
    this.#options = options;
    this.#guard = new PortGuard(options.bridge, options.reserved);
  }

  put(holding: Holding): void {
    this.#guard.put(holding);
    this.#settleWithin(holding.ports.length > 0 ? GATHERING.here : GATHERING.elsewhere);
  }

  remove(network: number, mac: string): void {
    this.#guard.remove(network, mac);
    this.#settleWithin(GATHERING.here);
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

  /** Makes again what somebody removed. Gives who claimed what is not theirs, in the last minutes. */
  async check(): Promise<readonly Refusal[]> {
    if (!this.#guard.isWritten) await this.settle(); // what an earlier run wrote holds no longer
    if (!this.#isPossible || performance.now() - this.#lookedAt < LOOK_INTERVAL) return [];
    this.#lookedAt = performance.now();
    const { repaired, refusals } = await this.#guard.look();
    if (repaired)
      this.#options.log.warn('the rules of the bridges were changed by somebody, making them again');
    return refusals ?? [];
  }

  /** Frames that were refused, by what they claimed. */
  get counters(): Readonly<Record<string, number>> {
    return this.#guard.counters;
  }

  /** Takes the rules away; nothing is kept from now on. */
  async drop(): Promise<void> {
    const mayBeThere = this.#isPossible;
    this.#isPossible = false;
    clearTimeout(this.#gathering);
    await this.#last;
    if (mayBeThere) await this.#guard.drop().catch(() => {}); // there is no nft, so no table either
  }

  #settleWithin(time: number): void {
    const due = performance.now() + time;
    if (this.#gathering !== undefined && this.#due <= due) return;
    clearTimeout(this.#gathering);
    this.#due = due;
    this.#gathering = setTimeout(() => void this.settle(), time);
  }

  #giveUp(error: unknown): void {
    this.#isPossible = false;
    this.#options.log.warn(
      `containers of this host are not kept from claiming each other's addresses: ${String(error)}`,
      errorFields(error),
    );
  }
}
