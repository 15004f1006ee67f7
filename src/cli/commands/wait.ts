import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Attachment, Connection, Readiness } from '../../api/index.js';
import { WeftError } from '../../errors.js';
import type { EventLine } from '../../events/index.js';
import { ask, follow } from '../client.js';
import { usageError } from '../errors.js';
import { type CommonOptions, wholeNumber, withCommonOptions } from '../options.js';
import { print } from '../terminal/index.js';

const HELP = `
Several conditions may be given: all of them must be true at once. A router that is not launched yet is waited for, too.

Exit codes: 0 it is true, 1 it did not become true in time, 2 wrong usage.

Examples:
  weft launch --token … && weft wait --peers 1 --timeout 30
  weft wait --ready --timeout 10 && weft attach web
  weft wait --attached web --timeout 60`;

/** How often to look whether a router is there, in milliseconds: nothing tells. */
const LAUNCH_INTERVAL = 100;
/** How often to look at what no event tells, in milliseconds. */
const LOOK_INTERVAL = 1_000;
/** The longest delay that a timer takes, in seconds. */
const MAX_TIMEOUT = 2_147_483;

interface WaitOptions extends CommonOptions {
  readonly peers?: number;
  readonly ready?: boolean;
  readonly attached?: string;
  readonly timeout?: number;
}

/** What is to become true. */
interface Condition {
  readonly what: string;
  /** Undefined when it is true, else how far it is. */
  readonly lacks: (runDir: string) => Promise<string | undefined>;
}

/** `weft wait` */
export function registerWait(program: Command): void {
  const command = program
    .command('wait')
    .summary('until something is true, for scripts')
    .description('Waits until something is true of the router: for scripts.')
    .option('--peers <count>', 'traffic flows with so many other routers', wholeNumber(1, 16_384))
    .option(
      '--ready',
      'containers can be attached: the forwarder runs, addresses can be given, names are served, nothing on the host is broken',
    )
    .option('--attached <container>', 'this container of this host, by its name or id, is on a network')
    .option('--timeout <seconds>', 'give up after so long (default: never)', wholeNumber(0, MAX_TIMEOUT))
    .addHelpText('after', HELP)
    .action(wait);
  withCommonOptions(command);
}

async function wait(options: WaitOptions): Promise<void> {
  const conditions = conditionsOf(options);
  if (conditions.length === 0) throw usageError('give at least one of --peers, --ready and --attached');
  const { timeout } = options;
  const ended = new AbortController();
  const timer = timeout === undefined ? undefined : setTimeout(() => ended.abort(), timeout * 1_000);
  const lacks = await untilTrue(options.runDir, conditions, ended.signal);
  clearTimeout(timer);
  if (lacks !== undefined) throw new WeftError('wait-timeout', `not within ${timeout} s: ${lacks}`);
  await print(options, { waitedFor: conditions.map(({ what }) => what) }, () => '');
}

function conditionsOf({ peers, ready, attached }: WaitOptions): Condition[] {
  return [
    ...(ready ? [{ what: 'ready', lacks: lacksReadiness }] : []),
    ...(peers === undefined ? [] : [{ what: 'peers', lacks: (runDir: string) => lacksPeers(runDir, peers) }]),
    ...(attached === undefined
      ? []
      : [{ what: 'attached', lacks: (runDir: string) => lacksContainer(runDir, attached) }]),
  ];
}

/** Undefined once all are true; at the signal, what the first one lacks that is not. */
async function untilTrue(
  runDir: string,
  conditions: readonly Condition[],
  signal: AbortSignal,
): Promise<string | undefined> {
  for (;;) {
    const lacks = await whileItRuns(runDir, conditions, signal).catch((error: unknown) => {
      if (isAbsent(error)) return error.message;
      throw error;
    });
    if (lacks === undefined || signal.aborted) return lacks;
    await delay(LAUNCH_INTERVAL, undefined, { signal }).catch(() => {}); // at the signal we look once more
  }
}

/** As `untilTrue`, but ends when the router does. */
async function whileItRuns(
  runDir: string,
  conditions: readonly Condition[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const news = new News(signal);
  try {
    await news.open(runDir);
    for (;;) {
      const lacks = await firstLack(runDir, conditions);
      if (lacks === undefined || signal.aborted || !(await news.next(LOOK_INTERVAL))) return lacks;
    }
  } finally {
    news.close();
  }
}

/** No router, or one that goes just now: the next one is waited for. */
function isAbsent(error: unknown): error is WeftError {
  return error instanceof WeftError && ['not-running', 'no-answer', 'stopping'].includes(error.code);
}

async function firstLack(runDir: string, conditions: readonly Condition[]): Promise<string | undefined> {
  for (const { lacks } of conditions) {
    const lack = await lacks(runDir);
    if (lack !== undefined) return lack;
  }
  return undefined;
}

async function lacksPeers(runDir: string, wanted: number): Promise<string | undefined> {
  const connections = await ask<Connection[]>(runDir, 'GET', '/connections');
  const up = connections.filter(({ udp }) => udp === 'up').length;
  if (up >= wanted) return undefined;
  return `traffic flows with ${up} of ${wanted} other routers: \`weft status connections\` says why`;
}

async function lacksReadiness(runDir: string): Promise<string | undefined> {
  const { reasons } = await ask<Readiness>(runDir, 'GET', '/ready');
  return reasons.length === 0 ? undefined : reasons.join('; ');
}

async function lacksContainer(runDir: string, wanted: string): Promise<string | undefined> {
  const attachments = await ask<Attachment[]>(runDir, 'GET', '/attachments');
  const found = attachments.filter(({ target, id, name }) => [target, id, name].includes(wanted));
  if (found.some(({ present }) => present)) return undefined;
  return found.length > 0 ? `${wanted} is attached, but does not run` : `${wanted} is not attached`;
}

/** Tells that something happened. */
class News {
  readonly #signal: AbortSignal;
  readonly #closed = new AbortController();
  /** Something happened that nobody was told of. */
  #isNews = false;
  #isGone = false;
  #wake = () => {};
  readonly #onSignal = () => this.#wake();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#onSignal);
  }

  async open(runDir: string): Promise<void> {
    void this.#read(await follow<EventLine>(runDir, '/events', this.#closed.signal));
  }

  /** Resolves when something happened, after so many milliseconds, or at the signal; false when the router went. */
  async next(limit: number): Promise<boolean> {
    if (!this.#isNews && !this.#isGone && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, limit);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#isNews = false;
    return !this.#isGone;
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#onSignal);
    this.#closed.abort();
  }

  async #read(lines: AsyncIterable<EventLine>): Promise<void> {
    try {
      for await (const _ of lines) {
        this.#isNews = true;
        this.#wake();
      }
    } catch {
      // It broke off, or was closed.
    }
    this.#isGone = true;
    this.#wake();
  }
}
