/** An agent of Consul, as far as its documentation says what it does: the health of a service with blocking questions, and registration. */
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { consulSource } from '../../../../src/plugins/discovery/sources/index.js';
import type { Implementation } from './compliance.js';

interface Instance {
  readonly ID: string;
  readonly Address: string;
  readonly Port: number;
  passing: boolean;
}

export class ConsulAgent {
  readonly #server: Server;
  readonly #changes = new EventEmitter().setMaxListeners(0);
  readonly instances = new Map<string, Instance>();
  /** Tokens that came with questions. */
  readonly tokens = new Set<string | undefined>();
  index = 7;
  /** It answers with errors only. */
  broken = false;
  /** It takes no registrations. */
  readOnly = false;

  constructor() {
    this.#server = createServer((question, answer) => void this.#answer(question, answer));
  }

  async start(): Promise<URL> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return new URL(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/weft`);
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  changed(): void {
    this.index += 1;
    this.#changes.emit('changed');
  }

  /** Those that wait are answered with an error, too. */
  break(): void {
    this.broken = true;
    this.#changes.emit('changed');
  }

  async #answer(question: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(question.url ?? '', 'http://consul');
    this.tokens.add(question.headers['x-consul-token']?.toString());
    if (pathname.startsWith('/v1/agent/') && !this.broken) return this.#change(pathname, question, answer);
    if (!this.broken && Number(searchParams.get('index')) === this.index)
      await once(this.#changes, 'changed');
    if (this.broken) return void answer.writeHead(500).end('No cluster leader');
    const passing = [...this.instances.values()].filter((instance) => instance.passing);
    answer.setHeader('X-Consul-Index', this.index);
    answer.end(
      JSON.stringify(passing.map((Service) => ({ Node: { Address: '192.0.2.99' }, Service, Checks: [] }))),
    );
  }

  async #change(path: string, question: IncomingMessage, answer: ServerResponse): Promise<void> {
    if (this.readOnly) return void answer.writeHead(403).end('Permission denied');
    const id = path.split(/[/:]/).at(-1) ?? '';
    if (path.endsWith('/register')) {
      const instance = (await json(question)) as Instance;
      this.instances.set(instance.ID, { ...instance, passing: false });
    } else if (path.includes('/deregister/')) this.instances.delete(id);
    else {
      const instance = this.instances.get(id);
      if (instance === undefined) return void answer.writeHead(404).end('Unknown check');
      if (instance.passing) return void answer.end();
      instance.passing = true;
    }
    this.changed();
    answer.end();
  }
}

export const CONSUL: Implementation = {
  kind: 'consul',
  make: async (_, context) => {
    const agent = new ConsulAgent();
    return {
      source: consulSource(await agent.start(), 'weft', context),
      name: async (targets) => {
        for (const ID of agent.instances.keys()) if (ID.startsWith('other')) agent.instances.delete(ID);
        for (const target of targets) {
          const [Address = '', port] = target.split(':');
          const ID = `other-${target}`;
          agent.instances.set(ID, { ID, Address, Port: Number(port), passing: true });
        }
        agent.changed();
      },
      break: async () => agent.break(),
      mend: async () => {
        agent.broken = false;
      },
      end: async () => agent.stop(),
    };
  },
};
