import Type from 'typebox';
import type { Client, Dispatcher } from 'undici';
import { messageOf, systemCode, WeftError } from '../errors.js';
import { validator } from '../validate.js';

/** An engine answers, or begins to, within this time, ms. */
const WITHIN = 5_000;
/** A list of a thousand containers takes about 3 MB. */
const LARGEST_ANSWER = 32 << 20;
/** Of what an engine says about a failure, so much is passed on. */
const LONGEST_REASON = 500;

const parseFailure = validator(
  'engine-answer',
  "the container engine's refusal",
  Type.Object({ message: Type.String() }),
);

export interface Question {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly content?: object;
  /** ms */
  readonly within?: number;
}

/** HTTP over an engine's unix socket. Each question has a connection of its own, so that none is kept open to an engine that was restarted. */
export class Transport {
  constructor(readonly socketPath: string) {}

  /** The answer, unvalidated; undefined when there is no such thing. Rejects with `engine-absent`, `engine-failed` or `engine-answer`. */
  async ask({ method = 'GET', path, content, within = WITHIN }: Question): Promise<unknown> {
    const client = await this.#client({ maxResponseSize: LARGEST_ANSWER });
    try {
      const answer = await client.request({
        method,
        path,
        signal: AbortSignal.timeout(within),
        ...(content !== undefined && {
          body: JSON.stringify(content),
          headers: { 'content-type': 'application/json' },
        }),
      });
      const text = await answer.body.text();
      if (answer.statusCode === 404 && method !== 'POST') return undefined;
      if (answer.statusCode >= 300) throw refusal(answer.statusCode, text);
      return text === '' ? undefined : JSON.parse(text);
    } catch (error) {
      throw this.#failed(error, within);
    } finally {
      await client.destroy();
    }
  }

  /** The pieces of an answer that goes on until the signal or the engine ends it. Rejects as `ask` does, also while it is read. */
  async follow(path: string, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    const client = await this.#client({ headersTimeout: WITHIN, bodyTimeout: 0 });
    try {
      const { statusCode, body } = await client.request({ method: 'GET', path, signal });
      if (statusCode !== 200) throw refusal(statusCode, '');
      return this.#pieces(client, body);
    } catch (error) {
      await client.destroy();
      throw this.#failed(error, WITHIN);
    }
  }

  async *#pieces(client: Client, body: Dispatcher.ResponseData['body']): AsyncGenerator<Buffer> {
    try {
      yield* body;
    } catch (error) {
      throw this.#failed(error, WITHIN);
    } finally {
      await client.destroy();
    }
  }

  async #client(options: Client.Options): Promise<Client> {
    const { Client } = await import('./client.js');
    return new Client('http://localhost', { socketPath: this.socketPath, ...options });
  }

  #failed(cause: unknown, within: number): WeftError {
    const absent = ['ENOENT', 'ECONNREFUSED'].includes(systemCode(cause) ?? '');
    const late = cause instanceof Error && ['TimeoutError', 'HeadersTimeoutError'].includes(cause.name);
    const reason = late ? `nothing within ${within / 1000} s` : messageOf(cause);
    return new WeftError(
      absent ? 'engine-absent' : 'engine-failed',
      `the container engine at ${this.socketPath} does not answer as it should: ${reason}`,
      { cause },
    );
  }
}

/** With what the engine says about it, if it says anything. */
function refusal(status: number, text: string): Error {
  let reason = text;
  try {
    reason = parseFailure(JSON.parse(text)).message;
  } catch {
    // not every answer is Docker's
  }
  return new Error(`status ${status}${reason === '' ? '' : `: ${reason.slice(0, LONGEST_REASON)}`}`);
}
