import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Node } from '../lab/index.js';
import { LISTENED } from './pods.js';

const AGENT = fileURLToPath(new URL('agent.mjs', import.meta.url));

/** A process in a container, or on a host, that listens, and speaks to others when it is told to: agent.mjs. */
export class Agent {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (value: unknown) => void>();
  #orders = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start({ namespace }: Pick<Node, 'namespace'>): Promise<Agent> {
    const ports = [LISTENED.TCP.join(), LISTENED.UDP.join()];
    const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, AGENT, ...ports], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const agent = new Agent(child);
    const lines = createInterface({ input: child.stdout });
    await once(lines, 'line'); // ready
    lines.on('line', (line) => agent.#answered(line));
    return agent;
  }

  /** Whether somebody answers there, within so many milliseconds. */
  probe(address: string, protocol: 'TCP' | 'UDP', port: number, within: number): Promise<boolean> {
    return this.#order('probe', { address, protocol, port, within });
  }

  /** Makes a TCP connection that stays; `speaks` tells whether it still carries something. */
  keep(name: string, address: string, port: number): Promise<boolean> {
    return this.#order('keep', { name, address, port, within: 5_000 });
  }

  speaks(name: string, within: number): Promise<boolean> {
    return this.#order('speak', { name, within });
  }

  /** Sends datagrams for so long (ms), about one a millisecond; gives their number. */
  flood(address: string, port: number, milliseconds: number): Promise<number> {
    return this.#order('flood', { address, port, milliseconds });
  }

  /** How many datagrams came to a port, by the sender's address. */
  received(port: number): Promise<Record<string, number>> {
    return this.#order('received', { port });
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await once(this.#child, 'exit');
  }

  #order<T>(order: string, options: object): Promise<T> {
    this.#orders += 1;
    const id = this.#orders;
    this.#child.stdin?.write(`${JSON.stringify({ id, order, ...options })}\n`);
    return new Promise((resolve) => this.#waiting.set(id, (value) => resolve(value as T)));
  }

  #answered(line: string): void {
    const { id, value } = JSON.parse(line) as { id: number; value: unknown };
    this.#waiting.get(id)?.(value);
    this.#waiting.delete(id);
  }
}
