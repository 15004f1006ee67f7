import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type * as hostnet from '../../../src/hostnet/index.js';

type Hostnet = typeof hostnet;
/** The functions of hostnet, done in another namespace. */
export type Remote = {
  readonly [Name in keyof Hostnet]: Hostnet[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

/** True when this process may make network namespaces. */
export function mayMakeNamespaces(): boolean {
  try {
    execFileSync('unshare', ['--net', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

let made = 0;

/** A network namespace that lives as long as the test. */
export class TestNamespace {
  readonly name = `weft-unit-${process.pid}-${++made}`;

  constructor() {
    execFileSync('ip', ['netns', 'add', this.name]);
    this.ip('link', 'set', 'lo', 'up');
  }

  /** Runs `ip` inside and gives its answer. */
  ip(...args: string[]): string {
    return execFileSync('ip', ['-n', this.name, ...args], { encoding: 'utf8' });
  }

  run(...command: string[]): string {
    return execFileSync('ip', ['netns', 'exec', this.name, ...command], { encoding: 'utf8' });
  }

  remove(): void {
    execFileSync('ip', ['netns', 'delete', this.name]);
  }
}

/** A namespace in which hostnet can be used as if it were the host. */
export class TestHost extends TestNamespace {
  readonly #agent: ChildProcess;
  #calls = 0;

  private constructor() {
    super();
    const agent = fileURLToPath(new URL('agent.ts', import.meta.url));
    const command = ['netns', 'exec', this.name, process.execPath, '--import', 'tsx', agent];
    this.#agent = spawn('ip', command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#agent.setMaxListeners(0);
  }

  static async start(): Promise<TestHost> {
    const host = new TestHost();
    await once(host.#agent, 'message');
    return host;
  }

  /** Functions of hostnet, done here. They reject with `{code, message}`. */
  readonly hostnet = new Proxy({} as Remote, {
    get:
      (_target, name) =>
      (...args: unknown[]) =>
        this.#call(String(name), args),
  });

  #call(name: string, args: unknown[]): Promise<unknown> {
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      const onMessage = (message: { id: number; value?: unknown; error?: unknown }) => {
        if (message.id !== id) return;
        this.#agent.off('message', onMessage);
        if (message.error === undefined) resolve(message.value);
        else reject(message.error);
      };
      this.#agent.on('message', onMessage);
      this.#agent.send({ id, name, args });
    });
  }

  override remove(): void {
    this.#agent.kill('SIGKILL');
    super.remove();
  }
}
