import Type from 'typebox';
import type { Client, Dispatcher } from 'undici';
import { messageOf, systemCode, WeftError } from '../errors.js';
import { type JsonRequest, openConnection, sendJson } from '../http/index.js';
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

export interface Question extends Pick<JsonRequest, 'method' | 'path' | 'content'> {
  /** ms */
  readonly within?: number;
}

/** HTTP over an engine's unix socket. */
export class Transport {
  constructor(readonly socketPath: string) {}

  /** The answer, unvalidated; undefined when there is no such thing. Rejects with `engine-absent`, `engine-failed` or `engine-answer`. */
  async ask({ within = WITHIN, ...request }: Question): Promise<unknown> {
    const client = await this.#open({ maxResponseSize: LARGEST_ANSWER });
    try {
      const answer = await sendJson(client, { ...request, signal: AbortSignal.timeout(within) });
      const text = await answer.body.text();
      if (answer.statusCode === 404 && request.method !== 'POST') return undefined;
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
    const client = await this.#open({ headersTimeout: WITHIN, bodyTimeout: 0 });
    try {
      const { statusCode, body } = await sendJson(client, { path, signal });
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

  #open(options: Client.Options): Promise<Client> {
    return openConnection('http://localhost', { socketPath: this.socketPath, ...options });
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
