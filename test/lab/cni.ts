import { fileURLToPath } from 'node:url';
import { attempt, Running } from './command.js';
import type { Container } from './container.js';
import type { Host } from './host.js';

const PROGRAM = fileURLToPath(new URL('../../build/native/weft-cni', import.meta.url));
/** Longer than the program waits for a router and for its answer, ms. */
const PATIENCE = 100_000;
/** Where distributions put the plugins of others. */
export const PLUGINS = '/usr/lib/cni';

export interface CniError {
  cniVersion: string;
  code: number;
  msg: string;
  details: string;
}

export interface CniResult {
  cniVersion: string;
  interfaces: { name: string; mac?: string; mtu?: number; sandbox?: string }[];
  ips: { address: string; gateway?: string; interface: number; version?: string }[];
  routes: { dst: string; gw?: string }[];
  dns: { nameservers?: string[]; domain?: string; search?: string[] };
}

/** How one call differs from the usual one. */
export interface CniOptions {
  /** Into the network configuration. */
  config?: object;
  args?: string;
  ifname?: string;
  /** Into the environment; an empty text is as if it were not there. */
  env?: Record<string, string>;
  /** In place of the network configuration. */
  input?: string;
  /** Another plugin than weft's. */
  program?: string;
}

/** How a call ended. */
export interface CniFinished {
  code: number;
  /** What the plugin printed; null when it printed nothing. */
  answer: unknown;
  seconds: number;
}

/** A container runtime on a host: it runs plugins as the specification says. */
export class CniRuntime {
  readonly #host: Host;
  readonly #config: object;

  constructor(host: Host, config: object = {}) {
    this.#host = host;
    this.#config = {
      cniVersion: '1.1.0',
      name: 'lab',
      type: 'weft-cni',
      runDir: host.runDirectory,
      ...config,
    };
  }

  /** A call that must succeed; gives what it printed. */
  async call<T = CniResult>(command: string, container?: Container, options: CniOptions = {}): Promise<T> {
    const { code, answer } = await this.attempt(command, container, options);
    if (code !== 0) throw new Error(`${command}: ${JSON.stringify(answer)}`);
    return answer as T;
  }

  /** A call that must fail; gives the error. */
  async refused(command: string, container?: Container, options: CniOptions = {}): Promise<CniError> {
    const { code, answer } = await this.attempt(command, container, options);
    if (code !== 1) throw new Error(`${command} ended with ${code}: ${JSON.stringify(answer)}`);
    return answer as CniError;
  }

  async attempt(command: string, container?: Container, options: CniOptions = {}): Promise<CniFinished> {
    const { program, env, input } = this.#invocation(command, container, options);
    const { code, stdout, seconds } = await attempt(this.#host.own([program]), {
      env,
      input,
      within: PATIENCE,
    });
    return { code, answer: stdout === '' ? null : JSON.parse(stdout), seconds };
  }

  /** A call that goes on. */
  start(command: string, container: Container, options: CniOptions = {}): Running {
    const { program, env, input } = this.#invocation(command, container, options);
    return new Running(this.#host.own([program]), { env, input });
  }

  #invocation(command: string, container: Container | undefined, options: CniOptions) {
    const { config, args = '', ifname = 'eth0', env, input, program = PROGRAM } = options;
    const ofContainer = container && {
      CNI_CONTAINERID: container.name,
      CNI_NETNS: `/run/netns/${container.namespace}`,
      CNI_IFNAME: ifname,
    };
    return {
      program,
      env: { CNI_COMMAND: command, CNI_PATH: PLUGINS, CNI_ARGS: args, ...ofContainer, ...env },
      input: input ?? JSON.stringify({ ...this.#config, ...config }),
    };
  }
}
