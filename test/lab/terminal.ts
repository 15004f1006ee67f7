import { existsSync } from 'node:fs';
import { Running, type RunOptions, run } from './command.js';
import { until } from './until.js';

export interface OnTerminal extends RunOptions {
  /** Whether the kernel tells the command when the terminal goes away (default: true). */
  controlling?: boolean;
}

/** A terminal, with somebody before it who may resize it or go away. */
export class Terminal {
  private constructor(
    private readonly holder: Running,
    private readonly path: string,
  ) {}

  /** Opens one at this path. */
  static async open(path: string, { columns }: { columns: number }): Promise<Terminal> {
    const holder = new Running(['socat', `PTY,link=${path}`, 'STDIO']);
    await until('the terminal is there', () => existsSync(path));
    const terminal = new Terminal(holder, path);
    await terminal.resize(columns);
    return terminal;
  }

  /** What was written to it. */
  get text(): string {
    return this.holder.stdout;
  }

  type(keys: string): void {
    this.holder.write(keys);
  }

  async resize(columns: number): Promise<void> {
    await run(['stty', '-F', this.path, 'cols', `${columns}`]);
  }

  /** Starts a command on it. */
  start(command: readonly string[], { controlling = true, ...options }: OnTerminal = {}): Running {
    const connected = `exec "$@" <${this.path} >${this.path} 2>&1`;
    const session = controlling ? ['setsid', '--ctty'] : [];
    return new Running(['sh', '-c', connected, 'sh', ...session, ...command], options);
  }

  /** Whoever sat before it is gone. */
  async hangUp(): Promise<void> {
    await this.holder.stop('SIGTERM');
  }
}
