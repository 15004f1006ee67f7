import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { WeftError } from '../errors.js';
import { lastLine, type RunOptions, spawnForwarder } from './binary.js';
import { ControlClient } from './control/index.js';

const START_TIMEOUT = 5_000;
const CONNECT_INTERVAL = 5;

/** A forwarder that was just started, until somebody is connected to it. It outlives us. */
export class StartingForwarder {
  readonly #options: RunOptions;
  readonly #child: ChildProcess;
  #failure: WeftError | undefined;

  constructor(options: RunOptions) {
    this.#options = options;
    const { binary } = options;
    this.#child = spawnForwarder(options);
    this.#child.unref();
    this.#child.once('error', (error) => {
      this.#failure = new WeftError(
        'program-missing',
        `the forwarder ${binary} cannot be run: ${error.message}`,
      );
    });
    this.#child.once('exit', (code, signal) => {
      this.#failure ??= new WeftError(
        'forwarder-failed',
        `the forwarder ended with ${signal ?? `code ${code}`}`,
      );
    });
  }

  /** One that has a predecessor is ready to take its place. Rejects with `forwarder-failed` or `program-missing`; then it is gone. */
  async prepared(): Promise<void> {
    const { stdout } = this.#child;
    if (stdout === null) return;
    const signal = AbortSignal.timeout(START_TIMEOUT);
    // Its output ends without a word when it fails.
    await Promise.race([once(stdout, 'data', { signal }), once(this.#child, 'close', { signal })]).catch(
      () => {},
    );
    stdout.destroy();
    if (this.#failure !== undefined) throw await this.#explained(this.#failure);
    if (signal.aborted) throw this.#late('did not get ready');
  }

  /** Connects as soon as it listens. Rejects with `forwarder-failed` or `program-missing`; then it is gone. */
  async connect(): Promise<ControlClient> {
    const { controlPath } = this.#options;
    for (
      const until = performance.now() + START_TIMEOUT;
      performance.now() < until;
      await delay(CONNECT_INTERVAL)
    ) {
      if (this.#failure !== undefined) throw await this.#explained(this.#failure);
      const client = await ControlClient.connect(controlPath).catch(() => undefined);
      if (client !== undefined) return client;
    }
    throw this.#late(`did not open ${controlPath}`);
  }

  #late(what: string): WeftError {
    this.#child.kill('SIGKILL');
    const message = `the forwarder ${what} within ${START_TIMEOUT} ms; its log is ${this.#options.logPath}`;
    return new WeftError('forwarder-failed', message);
  }

  async #explained(failure: WeftError): Promise<WeftError> {
    const why = lastLine(await readFile(this.#options.logPath, 'utf8').catch(() => ''));
    const remedy = /port \d+: Address already in use/.test(why)
      ? ' (`ss -lnpu` shows by whom): stop that, or choose another with --port'
      : '';
    return new WeftError(failure.code, `${failure.message}: ${why}${remedy}`, { cause: failure });
  }
}
