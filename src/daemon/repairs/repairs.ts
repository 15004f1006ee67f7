/** Something of this router's on the host that somebody else changed. */
export interface Fault {
  /** The same for as long as it is the same fault. */
  readonly key: string;
  /** A sentence about what is wrong. */
  readonly what: string;
  readonly repair: () => Promise<unknown>;
}

/** A fault that is told by the same words for as long as it lasts. */
export function faultOf(what: string, repair: Fault['repair']): Fault {
  return { key: what, what, repair };
}

/** So often a thing is put right at once; then somebody is at work who does it again and again. */
const PATIENCE = 6;
/** A thing that was left alone for so long (ms) beyond its pause begins anew. */
const CALM = 60_000;
const FIRST_PAUSE = 10_000;
const LONGEST_PAUSE = 300_000;

export interface RepairsOptions {
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  readonly onRepaired: (what: string) => void;
  /** From now on it is put right after growing pauses only. */
  readonly onContested: (what: string) => void;
  /** Told from the second time on: what went away with something greater as it was repaired is not found again. */
  readonly onFailed: (what: string, error: unknown) => void;
}

interface History {
  readonly count: number;
  readonly last: number;
  readonly pause: number;
  /** Whether the last repair failed. */
  hasFailed: boolean;
}

/** Puts right what somebody else changed, and does not fight for ever with who changes it again. */
export class Repairs {
  readonly #options: RepairsOptions;
  readonly #histories = new Map<string, History>();

  constructor(options: RepairsOptions) {
    this.#options = options;
  }

  /** One after the other. True when anything was done. */
  async mend(faults: readonly Fault[]): Promise<boolean> {
    this.#forget();
    let done = false;
    for (const fault of faults) {
      const history = this.#histories.get(fault.key);
      if (history !== undefined && this.#options.now() < history.last + history.pause) continue;
      await this.#mend(fault, this.#counted(fault.key, history));
      done = true;
    }
    return done;
  }

  #counted(key: string, former: History | undefined): History {
    const count = (former?.count ?? 0) + 1;
    const pause = count < PATIENCE ? 0 : Math.min(FIRST_PAUSE * 2 ** (count - PATIENCE), LONGEST_PAUSE);
    const history = { count, pause, last: this.#options.now(), hasFailed: former?.hasFailed ?? false };
    this.#histories.set(key, history);
    return history;
  }

  /** Told of are the repairs before patience ends, and once that it has. */
  async #mend({ what, repair }: Fault, history: History): Promise<void> {
    const { onRepaired, onContested, onFailed } = this.#options;
    const isTold = history.count < PATIENCE;
    try {
      await repair();
      history.hasFailed = false;
      if (isTold) onRepaired(what);
    } catch (error) {
      if (isTold && history.hasFailed) onFailed(what, error);
      history.hasFailed = true;
    }
    if (history.count === PATIENCE) onContested(what);
  }

  #forget(): void {
    const now = this.#options.now();
    for (const [key, { last, pause }] of this.#histories) {
      if (now - last > pause + CALM) this.#histories.delete(key);
    }
  }
}
