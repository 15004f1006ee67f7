import { AnswerTooLarge, HttpRefusal, type LongQuestion, type Question, Server } from '../http/index.js';
import type { Access } from './access.js';

const CODE = 'kubernetes-failed';
/** An object has 1.5 MB at most, as etcd keeps it. */
const LARGEST_ANSWER = 8 << 20;

/** Asks an API server, each time with the credentials of that moment. Everything rejects with `kubernetes-failed`, and as `Access.credentials` does. */
export class Api {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  get origin(): string {
    return this.#access.origin;
  }

  namespace(): Promise<string> {
    return this.#access.namespace();
  }

  /** What is there, parsed and not validated. */
  async ask(question: Question): Promise<unknown> {
    const { server, headers } = await this.#server();
    const { content } = await server.ask({ ...question, headers: { ...headers, ...question.headers } });
    return content;
  }

  /** Each line of an answer that goes on. */
  async *lines(question: LongQuestion): AsyncGenerator<unknown> {
    const { server, headers } = await this.#server();
    yield* server.lines({ ...question, headers });
  }

  /** A refusal that came in another way than as a status of HTTP. */
  refusal(status: number, reason: string): HttpRefusal {
    return new HttpRefusal(CODE, status, this.origin, reason);
  }

  async #server() {
    const { token, tls } = await this.#access.credentials();
    const server = new Server(this.origin, { code: CODE, tls, largest: LARGEST_ANSWER });
    const headers: Record<string, string> = {
      accept: 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    return { server, headers };
  }
}

export { AnswerTooLarge, HttpRefusal };
