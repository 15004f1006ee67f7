import type { Log } from '../logging/index.js';

/** Maximum number of claims that are remembered as told. */
const MAX_TOLD = 1_024;

export interface RefusalsOptions {
  /** Who has a MAC or an address, in words. */
  readonly holder: (claimed: string) => string;
  readonly log: Log;
}

/** Tells the log once of each container that claimed what is another's. */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #told = new Set<string>();

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  /** `who`, in words, claimed a MAC or an address. */
  tell(who: string, claimed: string): void {
    const key = `${who} ${claimed}`;
    if (this.#told.has(key)) return;
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.add(key);
    const { log, holder } = this.#options;
    log.warn(`${who} claims ${claimed}, which is that of ${holder(claimed)}: refused`, { claimed });
  }
}
