import type { Clock } from '../../../clock.js';
import { WeftError } from '../../../errors.js';
import { difference } from './difference.js';
import type { MeshSource } from './source.js';
import type { MeshView } from './view.js';
import type { Watcher } from './watcher.js';

const MAX_WATCHERS = 16;
/** Between two looks, in milliseconds; and when a path changed meanwhile. */
const INTERVAL = 1_000;
const LEAST_INTERVAL = 250;

export interface WatchersOptions {
  readonly source: Pick<MeshSource, 'view' | 'onPathNews'>;
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
}

/** Those who watch the mesh: it is looked at once for all of them, and not at all while there are none. */
export class Watchers {
  readonly #options: WatchersOptions;
  readonly #watchers = new Set<Watcher>();
  /** What all who are here know, and when it was looked. */
  #known: MeshView | undefined;
  #began = Number.NEGATIVE_INFINITY;
  #isLooking = false;
  #isUrgent = false;
  #cancelLook: (() => void) | undefined;
  #endNews = () => {};

  constructor(options: WatchersOptions) {
    this.#options = options;
  }

  /** Whether there is room for another one. Throws `too-many-readers`. */
  checkRoom(): void {
    if (this.#watchers.size < MAX_WATCHERS) return;
    throw new WeftError(
      'too-many-readers',
      `${MAX_WATCHERS} others watch this router already: close one of their pages`,
    );
  }

  add(watcher: Watcher): void {
    if (this.#watchers.size === 0) this.#endNews = this.#options.source.onPathNews(() => this.#hurry());
    this.#watchers.add(watcher);
    watcher.onGone(() => this.#remove(watcher));
    if (this.#known === undefined) this.#lookAfter(0);
    else watcher.tell('snapshot', difference(undefined, this.#known, this.#began));
  }

  #remove(watcher: Watcher): void {
    if (!this.#watchers.delete(watcher) || this.#watchers.size > 0) return;
    this.#endNews();
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    this.#known = undefined;
  }

  #hurry(): void {
    this.#isUrgent = true;
    if (!this.#isLooking) this.#lookAfter(this.#began + LEAST_INTERVAL - this.#options.clock.now());
  }

  #lookAfter(delay: number): void {
    this.#cancelLook?.();
    this.#cancelLook = this.#options.clock.after(Math.max(delay, 0), () => void this.#look());
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    const { source, clock, onFault } = this.#options;
    this.#isLooking = true;
    this.#isUrgent = false;
    this.#began = clock.now();
    try {
      this.#tell(await source.view());
    } catch (error) {
      onFault(error);
    } finally {
      this.#isLooking = false;
    }
    if (this.#watchers.size === 0) return;
    this.#lookAfter(this.#began + (this.#isUrgent ? LEAST_INTERVAL : INTERVAL) - clock.now());
  }

  #tell(view: MeshView): void {
    if (this.#watchers.size === 0) return;
    const isFirst = this.#known === undefined;
    const change = JSON.stringify(difference(this.#known, view, this.#began));
    this.#known = view;
    for (const watcher of [...this.#watchers]) watcher.tellText(isFirst ? 'snapshot' : 'change', change);
  }
}
