import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { WeftEvent } from '../../events/index.js';
import { printable } from '../../text/index.js';
import { HookDirectory } from './directory.js';
import { environmentOf } from './environment.js';
import { type RunningHook, runHook } from './process.js';
import { HookQueue } from './queue.js';

/** How long a hook may take, in milliseconds. */
const LIMIT = 10_000;
/** Of one hook so many run at a time, each for another subject. */
const AT_ONCE = 4;
/** How long hooks may still take when the router is taken down, in milliseconds. */
const LAST_GRACE = 2_000;
/** Maximum number of complaints that are remembered as told. */
const MAX_TOLD = 256;

export interface HooksOptions {
  readonly directory: string;
  /** Told to hooks, for commands that they run. */
  readonly runDir: string;
  readonly onFailure: (what: string) => void;
  /** A hook printed this line. */
  readonly onOutput: (hook: string, line: string) => void;
  /** Milliseconds. */
  readonly limit?: number;
}

/** Where events come from. */
export interface EventSource {
  on(event: 'event', listener: (event: WeftEvent) => void): unknown;
}

/** Programs of the operator that are run when something happens: docs/observe.md. None of them can hold up the router, or another one. */
export class Hooks {
  readonly #options: HooksOptions;
  readonly #directory: HookDirectory;
  readonly #queues = new Map<string, HookQueue>();
  readonly #running = new Map<RunningHook, Promise<void>>();
  /** Complaints that were made, until what they are of works again. */
  readonly #told = new Set<string>();
  /** Events are handed out one after the other. */
  #work: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: HooksOptions) {
    this.#options = options;
    this.#directory = new HookDirectory(options.directory, () => performance.now());
  }

  /** What happens from now on. */
  follow(events: EventSource): void {
    events.on('event', (event) => {
      this.#work = this.#work.then(() => this.#handOut(event));
    });
  }

  /** Lets those that run end, for a moment. */
  async stop(): Promise<void> {
    await this.#work;
    this.#isStopped = true;
    const ended = new AbortController();
    const late = delay(LAST_GRACE, undefined, { signal: ended.signal }).catch(() => {});
    await Promise.race([Promise.all(this.#running.values()), late]);
    ended.abort();
    for (const hook of this.#running.keys()) hook.kill();
    await Promise.all(this.#running.values());
  }

  async #handOut(event: WeftEvent): Promise<void> {
    const { hooks, flaws } = await this.#directory.list();
    for (const flaw of flaws) this.#complain(flaw, flaw);
    for (const path of hooks) {
      const queue = this.#queues.get(path) ?? new HookQueue();
      this.#queues.set(path, queue);
      const isTaken = queue.push(event);
      if (!isTaken)
        this.#complain(`${path} behind`, `the hook ${basename(path)} is too far behind: it misses events`);
      this.#runNext(path, queue);
    }
  }

  #runNext(path: string, queue: HookQueue): void {
    while (!this.#isStopped && queue.running < AT_ONCE) {
      const event = queue.take();
      if (event === undefined) break;
      this.#run(path, queue, event);
    }
    if (queue.isIdle) this.#queues.delete(path);
  }

  #run(path: string, queue: HookQueue, event: WeftEvent): void {
    const hook = runHook({
      path,
      input: `${printable(JSON.stringify(event))}\n`,
      environment: environmentOf(event, this.#options.runDir),
      limit: this.#options.limit ?? LIMIT,
    });
    const ended = hook.result.then(({ failure, lines }) => {
      const name = basename(path);
      for (const line of lines) this.#options.onOutput(name, printable(line));
      if (failure === undefined) this.#told.delete(`${path} failed`);
      else this.#complain(`${path} failed`, `the hook ${name} ${failure} (${event.kind})`);
      queue.done(event);
      this.#running.delete(hook);
      this.#runNext(path, queue);
    });
    this.#running.set(hook, ended);
  }

  /** Once, until it is better. */
  #complain(key: string, what: string): void {
    if (this.#told.has(key)) return;
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.add(key);
    this.#options.onFailure(what);
  }
}
