import { Backoff } from '../../backoff.js';
import { messageOf, WeftError } from '../../errors.js';
import { loggable } from '../../text/index.js';
import { Findings } from './findings.js';
import type { Pause, Snapshot, Source } from './source.js';
import { readTargets } from './targets.js';

/** A target that a source names no more is kept for so long, in milliseconds. */
export const GRACE = 300_000;
/** The most targets of one source. */
export const MAX_TARGETS = 1_000;
/** Before a source that failed is tried again, in milliseconds. */
const RETRY = { initial: 2_000, max: 15_000 } as const;
/** A source that worked for so long, in milliseconds, is tried at once when it fails. */
const STABLE = 60_000;
/** Between two snapshots, in milliseconds: a source that changes all the time costs no more, and logs no more. */
const REST = 1_000;
/** How often is looked whether a time of grace is over, in milliseconds. */
const TIDY = 10_000;

/** How a source does. */
export interface SourceStatus {
  readonly source: string;
  readonly state: 'waiting' | 'working' | 'failing';
  /** Targets that are kept. */
  readonly targets: number;
  /** Those of its last snapshot. */
  readonly found: number;
  /** Unix time in milliseconds of its last snapshot. */
  readonly answeredAt?: number;
  readonly lastError?: { readonly code: string; readonly message: string };
}

export interface FollowerOptions {
  readonly source: Source;
  /** Milliseconds since some moment; never goes back. */
  readonly now: () => number;
  readonly random: () => number;
  readonly pause: Pause;
  /** Other targets than before. */
  readonly onChange: () => void;
  readonly onNotice: (text: string) => void;
  readonly onTrouble: (text: string) => void;
}

/** Follows one source, for as long as it takes, and keeps what it found. */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #findings = new Findings(GRACE, MAX_TARGETS);
  readonly #backoff: Backoff;
  #state: SourceStatus['state'] = 'waiting';
  #found = 0;
  #answeredAt: number | undefined;
  #error: WeftError | undefined;
  /** What was last told of its targets. */
  #told = '';

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#backoff = new Backoff(RETRY.initial, RETRY.max, options.random);
  }

  get targets(): readonly string[] {
    return this.#findings.targets;
  }

  names(target: string): boolean {
    return this.#findings.has(target);
  }

  status(): SourceStatus {
    return {
      source: this.#options.source.name,
      state: this.#state,
      targets: this.#findings.targets.length,
      found: this.#found,
      ...(this.#answeredAt !== undefined && { answeredAt: this.#answeredAt }),
      ...(this.#error !== undefined && {
        lastError: { code: this.#error.code, message: this.#error.message },
      }),
    };
  }

  /** Resolves once the signal came and the source has ended. */
  async run(signal: AbortSignal): Promise<void> {
    const { now, pause } = this.#options;
    const forgetting = this.#forgetInTime(signal);
    while (!signal.aborted) {
      const began = now();
      const error = await this.#follow(signal).catch((reason: unknown) => reason);
      if (signal.aborted) break;
      this.#failed(error);
      if (now() - began >= STABLE) this.#backoff.reset();
      await pause(this.#backoff.next(), signal);
    }
    await forgetting;
  }

  /** Gives why it ended. */
  async #follow(signal: AbortSignal): Promise<unknown> {
    const { source, pause } = this.#options;
    for await (const snapshot of source.follow(signal)) {
      if (signal.aborted) break;
      this.#accept(snapshot);
      await pause(REST, signal);
    }
    return new WeftError('source-failed', 'it ended');
  }

  #accept({ targets: texts, whole }: Snapshot): void {
    const { source, now, onNotice, onChange } = this.#options;
    const { targets, faults } = readTargets(texts);
    const surplus = this.#findings.accept(targets, whole, now());
    if (this.#state === 'failing') onNotice(`${source.name} answers again: ${targets.size} targets`);
    this.#state = 'working';
    this.#error = undefined;
    this.#found = targets.size;
    this.#answeredAt = Date.now();
    this.#tell(faults, surplus);
    onChange();
  }

  /** Once for the same faults. */
  #tell(faults: readonly string[], surplus: number): void {
    const texts: string[] = [];
    const [first] = faults;
    if (first !== undefined) {
      const others = faults.length === 1 ? '' : ` (and ${faults.length - 1} more like it)`;
      texts.push(`what is no target is left out: ${first}${others}`);
    }
    if (surplus > 0)
      texts.push(`${surplus} targets are left out, since a source may name ${MAX_TARGETS} at most`);
    const text = texts.join('; ');
    if (text !== '' && text !== this.#told) this.#options.onTrouble(`${this.#options.source.name}: ${text}`);
    this.#told = text;
  }

  #failed(reason: unknown): void {
    const { source, onTrouble } = this.#options;
    const error =
      reason instanceof WeftError ? reason : new WeftError('source-failed', loggable(messageOf(reason)));
    this.#findings.fail();
    const isNews = this.#error?.code !== error.code;
    this.#state = 'failing';
    this.#error = error;
    if (isNews) onTrouble(`${source.name} does not answer as it should: ${error.message}; it is tried again`);
  }

  async #forgetInTime(signal: AbortSignal): Promise<void> {
    const { now, pause, onChange } = this.#options;
    while (!signal.aborted) {
      const before = this.#findings.targets.length;
      this.#findings.forget(now());
      if (this.#findings.targets.length !== before) onChange();
      await pause(TIDY, signal);
    }
  }
}
