import { setTimeout as delay } from 'node:timers/promises';
import { withinTime } from '../../order.js';
import { Follower, type SourceStatus } from './follower.js';
import type { Pause, Source } from './source.js';

/** Sources are given so long to take back what they told others of this router, in milliseconds. */
const FAREWELL = 2_000;

export interface DiscoveryOptions {
  readonly sources: readonly Source[];
  /** These are the targets now, in place of those before. */
  readonly onTargets: (targets: readonly string[]) => void;
  readonly onNotice: (text: string) => void;
  readonly onTrouble: (text: string) => void;
}

export const pause: Pause = (milliseconds, signal) =>
  delay(milliseconds, undefined, { signal }).catch(() => {}); // the signal came

/** Follows all sources of targets, from `start` to `stop`. */
export class Discovery {
  readonly #followers: readonly Follower[];
  readonly #ended = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor({ sources, onTargets, onNotice, onTrouble }: DiscoveryOptions) {
    this.#followers = sources.map(
      (source) =>
        new Follower({
          source,
          now: () => performance.now(),
          random: Math.random,
          pause,
          onChange: () => onTargets(this.#targets()),
          onNotice,
          onTrouble,
        }),
    );
  }

  start(): void {
    this.#running = Promise.all(this.#followers.map((follower) => follower.run(this.#ended.signal)));
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    const late = () => new Error('a source does not end');
    await withinTime(this.#running, FAREWELL, late).catch(() => {}); // the process ends it
  }

  /** The sources that name a target, which is written `host:port`. */
  sourcesOf(target: string): string[] {
    return this.#followers
      .filter((follower) => follower.names(target))
      .map((follower) => follower.status().source);
  }

  status(): SourceStatus[] {
    return this.#followers.map((follower) => follower.status());
  }

  #targets(): string[] {
    return [...new Set(this.#followers.flatMap(({ targets }) => targets))];
  }
}
