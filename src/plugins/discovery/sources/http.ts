import type { Client, Dispatcher } from 'undici';
import { messageOf, systemCode, WeftError } from '../../../errors.js';
import { type JsonRequest, openConnection, sendJson } from '../../../http/index.js';
import { linesOf } from '../../../text/index.js';
import { LARGEST_ANSWER, loggable } from '../targets.js';

/** A server answers, or begins to, within this time, in milliseconds. */
const WITHIN = 10_000;
/** Of what a server says about a failure, so much is read, in bytes. */
const LONGEST_REASON = 1 << 16;

export interface Question extends JsonRequest {
  /** In milliseconds. */
  readonly within?: number;
}

export interface Answer {
  readonly header: (name: string) => string | undefined;
  /** Parsed, and not validated; undefined when it is empty. */
  readonly content: unknown;
}

/** An answer that is no good. */
export class HttpRefusal extends WeftError {
  constructor(
    readonly status: number,
    where: string,
    readonly reason: string,
  ) {
    super(
      'source-failed',
      `${where} answers ${status}${reason === '' ? '' : `: ${loggable(reason.trim())}`}`,
    );
  }
}

/** The server ended an answer that goes on. */
export class ConnectionEnded extends WeftError {
  constructor(where: string) {
    super('source-failed', `${where}: it ended the connection`);
  }
}

/** HTTP and JSON to one server. */
export class Http {
  /** `origin` without credentials; `ca`, if the server's certificate is signed by one that the system does not know. */
  constructor(
    readonly origin: string,
    private readonly ca?: string,
  ) {}

  /** Rejects with `source-failed`, and as an `HttpRefusal` if there was an answer. */
  async ask(question: Question): Promise<Answer> {
    const { within = WITHIN } = question;
    const client = await this.#open({ maxResponseSize: LARGEST_ANSWER, headersTimeout: within });
    try {
      const signal = AbortSignal.any([question.signal, AbortSignal.timeout(within)]);
      const { statusCode, headers, body } = await sendJson(client, { ...question, signal });
      const text = await body.text();
      if (statusCode >= 300) throw new HttpRefusal(statusCode, this.origin, text);
      return {
        header: (name) => headers[name]?.toString(),
        content: text === '' ? undefined : JSON.parse(text),
      };
    } catch (error) {
      throw this.#failed(error);
    } finally {
      await client.destroy();
    }
  }

  /**
   * The lines of an answer that goes on, each parsed, until `within` is over, or nothing came for `idle` milliseconds. Rejects as `ask`
   * does, and with `ConnectionEnded`.
   */
  async *lines(
    question: Question & { readonly within: number; readonly idle?: number },
  ): AsyncGenerator<unknown> {
    const client = await this.#open({ bodyTimeout: question.idle ?? 0 });
    const late = AbortSignal.timeout(question.within);
    try {
      const signal = AbortSignal.any([question.signal, late]);
      const { statusCode, body } = await sendJson(client, { ...question, signal });
      if (statusCode >= 300) throw new HttpRefusal(statusCode, this.origin, await start(body));
      const tooLong = () => new Error(`a line is longer than ${LARGEST_ANSWER} bytes`);
      for await (const line of linesOf(body, LARGEST_ANSWER, tooLong))
        if (line.trim() !== '') yield JSON.parse(line);
      throw new ConnectionEnded(this.origin);
    } catch (error) {
      const isOver = late.aborted || systemCode(error) === 'UND_ERR_BODY_TIMEOUT';
      if (!isOver || question.signal.aborted) throw this.#failed(error);
    } finally {
      await client.destroy();
    }
  }

  #open(options: Client.Options): Promise<Client> {
    const connect = { timeout: WITHIN, ...(this.ca !== undefined && { ca: this.ca }) };
    return openConnection(this.origin, { ...options, connect });
  }

  #failed(cause: unknown): WeftError {
    if (cause instanceof WeftError) return cause;
    const late = cause instanceof Error && cause.name === 'TimeoutError';
    const reason = late ? 'nothing in time' : messageOf(cause) || systemCode(cause) || 'no connection';
    return new WeftError('source-failed', `${this.origin}: ${loggable(reason)}`, { cause });
  }
}

/** The beginning of what is said about a failure. */
async function start(body: Dispatcher.ResponseData['body']): Promise<string> {
  let text = '';
  for await (const piece of body) {
    text += String(piece);
    if (text.length > LONGEST_REASON) break;
  }
  return text;
}

/** Reads `http://…` or `https://…`, with a path and perhaps credentials. What it throws holds none of them. */
export function parseUrl(text: string): URL {
  if (!URL.canParse(text)) throw new Error('it is no URL: write http://HOST:PORT/… or https://…');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Error('its URL must begin with http or https');
  if (url.search !== '' || url.hash !== '') throw new Error('its URL must have neither ? nor #');
  return url;
}

/** What a URL is called: without credentials. */
export function nameOfUrl({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname}`;
}
