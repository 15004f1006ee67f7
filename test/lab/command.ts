import { type ChildProcess, spawn } from 'node:child_process';
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

export interface RunOptions {
  input?: string | Buffer;
  env?: Record<string, string>;
  /** Deadline, ms; the command is killed after it. */
  within?: number;
}

/** A process that a test started and may wait for, signal and read. */
export class Running {
  stdout = '';
  stderr = '';
  /** Resolves when the process is gone and its output is read. */
  readonly finished: Promise<Finished>;
  readonly #child: ChildProcess;
  readonly #command: readonly string[];

  constructor(command: readonly string[], options: Omit<RunOptions, 'within'> = {}) {
    const [program = '', ...args] = command;
    const started = performance.now();
    this.#command = command;
    this.#child = spawn(program, args, { env: { ...process.env, ...options.env }, stdio: 'pipe' });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.#child.stdin?.on('error', () => {}); // the program may end before it has read its input
    if (options.input !== undefined) this.#child.stdin?.end(options.input);
    const ended = begun(() => this.stop('SIGKILL'));
    this.finished = new Promise((resolve, reject) => {
      this.#child.once('error', (error) => {
        ended();
        reject(error);
      });
      this.#child.once('close', (exit, signal) => {
        ended();
        const code = exit ?? (signal === null ? 1 : 128);
        const seconds = (performance.now() - started) / 1000;
        resolve({ code, stdout: this.stdout, stderr: this.stderr, seconds });
      });
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.#command.join(' ')} did not start`);
    return this.#child.pid;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
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
    this.#child.stdin?.write(text);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Signals the process and waits until it is gone; kills it when it does not obey in time. */
  async stop(name: NodeJS.Signals = 'SIGINT', within = 10_000): Promise<Finished> {
    this.#child.stdin?.end();
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
