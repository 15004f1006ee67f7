import { StringDecoder } from 'node:string_decoder';
import { type Spawned, spawner } from '../../src/spawn/index.js';
import { begun } from './leftovers.js';
import { until } from './until.js';

/** What a command left behind. */
export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
  /** Wall time, s. */
  seconds: number;
}

/** A command ended with another exit code than 0, or not in time. */
export class CommandFailed extends Error {
  constructor(command: readonly string[], result: Finished, why = `exit code ${result.code}`) {
    super([`${command.join(' ')}: ${why}`, result.stdout, result.stderr].filter(Boolean).join('\n').trim());
  }
}

/** What is set beside what a process inherits; undefined: what it does not inherit. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface RunOptions {
  input?: string | Buffer;
  env?: Environment;
  /** Deadline, ms; the command is killed after it. */
  within?: number;
}

/** A process that a test started and may wait for, signal and read. */
export class Running {
  stdout = '';
  stderr = '';
  /** Resolves when the process is gone and its output is read. */
  readonly finished: Promise<Finished>;
  readonly #command: readonly string[];
  readonly #spawned: Spawned;
  #isAlive = true;

  constructor(command: readonly string[], options: Omit<RunOptions, 'within'> = {}) {
    this.#command = command;
    const started = performance.now();
    const [stdout, stderr] = [new StringDecoder(), new StringDecoder()];
    const listener = {
      output: (piece: Buffer) => {
        this.stdout += stdout.write(piece);
      },
      errorOutput: (piece: Buffer) => {
        this.stderr += stderr.write(piece);
      },
    };
    this.#spawned = spawner.start(command, listener, environmentWith(options.env));
    if (options.input !== undefined) {
      this.#spawned.write(options.input);
      this.#spawned.end();
    }
    const isGone = begun(() => this.stop('SIGKILL'));
    this.finished = this.#spawned.ended.then((ending) => {
      this.#isAlive = false;
      isGone();
      if (ending.kind === 'error') throw new Error(`${command.join(' ')}: ${ending.error}`);
      const code = ending.kind === 'exit' ? ending.code : 128;
      const seconds = (performance.now() - started) / 1000;
      return { code, stdout: this.stdout, stderr: this.stderr, seconds };
    });
  }

  /** Known as soon as it runs. */
  get pid(): number {
    const { pid } = this.#spawned;
    if (pid === undefined) throw new Error(`${this.#command.join(' ')} does not run yet`);
    return pid;
  }

  get alive(): boolean {
    return this.#isAlive;
  }

  /** Waits for a line on stdout or stderr. */
  async says(pattern: RegExp, within = 10_000): Promise<void> {
    const said = () => pattern.test(this.stdout) || pattern.test(this.stderr);
    await until(
      `${this.#command.join(' ')} says ${pattern}`,
      () => {
        if (!said() && !this.alive) throw new Error(`it ended instead: ${this.stdout}${this.stderr}`);
        return said();
      },
      { within },
    );
  }

  write(text: string | Buffer): void {
    this.#spawned.write(text);
  }

  signal(name: NodeJS.Signals): void {
    this.#spawned.kill(name);
  }

  /** Signals the process and waits until it is gone; kills it when it does not obey in time. */
  async stop(name: NodeJS.Signals = 'SIGINT', within = 10_000): Promise<Finished> {
    this.#spawned.end();
    this.signal(name);
    return await this.ends(within);
  }

  /** Waits until the process ends by itself, whatever its exit code. */
  async ends(within = 30_000): Promise<Finished> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.signal('SIGKILL');
    }, within);
    const result = await this.finished.finally(() => clearTimeout(timer));
    if (late) throw new CommandFailed(this.#command, result, `not ended within ${within / 1000} s`);
    return result;
  }
}

function environmentWith(more: Environment = {}): Record<string, string> {
  const all = Object.entries({ ...process.env, ...more });
  return Object.fromEntries(all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** Runs a command to its end, whatever its exit code. */
export async function attempt(command: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return await new Running(command, { ...options, input: options.input ?? '' }).ends(options.within);
}

/** Runs a command that must succeed and returns what it wrote to stdout. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await attempt(command, options);
  if (result.code !== 0) throw new CommandFailed(command, result);
  return result.stdout;
}
