import Type from 'typebox';
import { HttpRefusal, Server } from '../../../http/index.js';
import { formatHostPort, parseHostPort } from '../../../net/index.js';
import { validator } from '../../../validate.js';
import type { Snapshot, Source, SourceContext } from '../source.js';
import { nameOfUrl } from './url.js';

/** An agent holds a question back for so long while nothing changes, in milliseconds. */
const HOLD = 20_000;
/** As it says, it adds up to a sixteenth of that; and it needs time itself. */
const PATIENCE = HOLD + HOLD / 16 + 5_000;
/** A router that was not heard of for so long is not passed on, and is removed after the second time. */
const CHECK = { TTL: '60s', DeregisterCriticalServiceAfter: '10m' } as const;

const parseHealth = validator(
  'source-failed',
  'what Consul answers',
  Type.Array(
    Type.Object({
      Node: Type.Object({ Address: Type.String() }),
      Service: Type.Object({ Address: Type.Optional(Type.String()), Port: Type.Integer() }),
    }),
  ),
);

/** The healthy instances of a Consul service. A router is one itself where its agent lets it. A password in the URL is an ACL token. */
export function consulSource(url: URL, service: string, context: SourceContext): Source {
  return {
    name: `consul:${nameOfUrl(url)}`,
    async *follow(signal) {
      const agent = new Agent(url, service, context, signal);
      try {
        let index = 0;
        while (!signal.aborted) {
          await agent.register();
          const health = await agent.health(index);
          index = health.index;
          yield health.snapshot;
        }
      } finally {
        await agent.deregister();
      }
    },
  };
}

class Agent {
  readonly #http: Server;
  readonly #headers: Record<string, string>;
  readonly #id: string;
  #isRegistered = false;
  /** It does not let us: it is only asked from now on. */
  #refuses = false;

  constructor(
    url: URL,
    private readonly service: string,
    private readonly context: SourceContext,
    private readonly signal: AbortSignal,
  ) {
    this.#http = new Server(url.origin, { code: 'source-failed' });
    this.#headers = url.password === '' ? {} : { 'x-consul-token': decodeURIComponent(url.password) };
    this.#id = `weft-${context.peer}`;
  }

  /** Waits until there is something newer than `index`, for a while. */
  async health(index: number): Promise<{ index: number; snapshot: Snapshot }> {
    const query = `passing=1&index=${index}&wait=${HOLD / 1_000}s`;
    const { header, content } = await this.#http.ask({
      path: `/v1/health/service/${encodeURIComponent(this.service)}?${query}`,
      headers: this.#headers,
      signal: this.signal,
      within: PATIENCE,
    });
    const next = Number(header('x-consul-index'));
    const targets = parseHealth(content).map(({ Node, Service }) =>
      formatHostPort({ host: Service.Address || Node.Address, port: Service.Port }),
    );
    // One that goes back is of a server that begins to count anew.
    return { index: next >= index ? next : 0, snapshot: { targets, whole: true } };
  }

  /** Says that this router lives, and who it is when that is not known. */
  async register(): Promise<void> {
    if (this.#refuses) return;
    try {
      if (!this.#isRegistered) await this.#put('service/register', this.#content());
      await this.#put(`check/pass/service:${this.#id}`);
      this.#isRegistered = true;
    } catch (error) {
      if (!(error instanceof HttpRefusal) || error.status >= 500) throw error;
      this.#refuses = !this.#isRegistered;
      if (this.#refuses) return;
      // An agent that was started anew does not know us any more.
      this.#isRegistered = false;
      await this.register();
    }
  }

  /** Also after the signal came. */
  async deregister(): Promise<void> {
    if (!this.#isRegistered) return;
    await this.#put(`service/deregister/${this.#id}`, undefined, AbortSignal.timeout(1_000)).catch(() => {});
  }

  async #put(what: string, content?: object, signal = this.signal): Promise<void> {
    const headers = this.#headers;
    await this.#http.ask({
      method: 'PUT',
      path: `/v1/agent/${what}`,
      headers,
      signal,
      ...(content && { content }),
    });
  }

  #content(): object {
    const [address] = this.context.addresses();
    const { host = '', port = 0 } = address === undefined ? {} : parseHostPort(address);
    return { ID: this.#id, Name: this.service, Address: host, Port: port, Check: CHECK };
  }
}
