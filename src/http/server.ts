import type { Client, Dispatcher } from 'undici';
import type { ErrorCode } from '../error-codes/index.js';
import { messageOf, systemCode, WeftError } from '../errors.js';
import { linesOf, loggable } from '../text/index.js';
import { type JsonRequest, openConnection, sendJson } from './connection.js';

/** A server answers, or begins to, within this time, in milliseconds. */
const WITHIN = 10_000;
/** Of what a server says about a failure, so much is read, in bytes. */
const LONGEST_REASON = 1 << 16;
/** An answer, or a line of one that goes on, is no longer, in bytes, unless somebody needs more. */
const LARGEST_ANSWER = 4 << 20;

export interface Question extends JsonRequest {
  /** In milliseconds. */
  readonly within?: number;
}

/** A question whose answer goes on. */
export interface LongQuestion extends Question {
  readonly within: number;
  /** The answer has ended when nothing came for so long, in milliseconds. */
  readonly idle?: number;
  /** The server has begun to answer. */
  readonly onBegin?: () => void;
}

export interface Answer {
  readonly header: (name: string) => string | undefined;
  /** Parsed, and not validated; undefined when it is empty. */
  readonly content: unknown;
}

/** By which certificate a server is known, and which one it is shown, as PEM. */
export interface Tls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Who the server must be, where that is not its address. */
  readonly servername?: string | undefined;
  /** Whoever answers is believed to be the server. */
  readonly isUnchecked?: boolean;
}

export interface ServerOptions {
  /** Of the errors that everything rejects with. */
  readonly code: ErrorCode;
  /** If what the system knows of certificates does not do. */
  readonly tls?: Tls;
  /** An answer is no longer, in bytes. */
  readonly largest?: number;
}

/** An answer that is no good. */
export class HttpRefusal extends WeftError {
  constructor(
    code: ErrorCode,
    readonly status: number,
    where: string,
    readonly reason: string,
  ) {
    super(code, `${where} answers ${status}${reason === '' ? '' : `: ${loggable(reason.trim())}`}`);
  }
}

/** An answer that is longer than it may be. */
export class AnswerTooLarge extends WeftError {}

/** No connection, or nothing in time. */
export class Unanswered extends WeftError {}

/** The server ended an answer that goes on. */
export class ConnectionEnded extends WeftError {}

/** HTTP and JSON to one server. */
export class Server {
  readonly #code: ErrorCode;
  readonly #tls: Tls;
  readonly #largest: number;

  /** `origin` without credentials. */
  constructor(
    readonly origin: string,
    { code, tls = {}, largest = LARGEST_ANSWER }: ServerOptions,
  ) {
    this.#code = code;
    this.#tls = tls;
    this.#largest = largest;
  }

  /** Rejects with the server's code, as an `HttpRefusal` if there was an answer, and as `AnswerTooLarge`. */
  async ask(question: Question): Promise<Answer> {
    const { within = WITHIN } = question;
    const client = await this.#open({ maxResponseSize: this.#largest, headersTimeout: within });
    try {
      const signal = AbortSignal.any([question.signal, AbortSignal.timeout(within)]);
      const { statusCode, headers, body } = await sendJson(client, { ...question, signal });
      const text = await body.text();
      if (statusCode >= 300) throw new HttpRefusal(this.#code, statusCode, this.origin, text);
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
  async *lines(question: LongQuestion): AsyncGenerator<unknown> {
    const client = await this.#open({ bodyTimeout: question.idle ?? 0 });
    const late = AbortSignal.timeout(question.within);
    try {
      const signal = AbortSignal.any([question.signal, late]);
      const { statusCode, body } = await sendJson(client, { ...question, signal });
      if (statusCode >= 300) throw new HttpRefusal(this.#code, statusCode, this.origin, await start(body));
      question.onBegin?.();
      for await (const line of linesOf(body, this.#largest, () => this.#tooLarge('a line')))
        if (line.trim() !== '') yield JSON.parse(line);
      throw new ConnectionEnded(this.#code, `${this.origin}: it ended the connection`);
    } catch (error) {
      const isOver = late.aborted || systemCode(error) === 'UND_ERR_BODY_TIMEOUT';
      if (!isOver || question.signal.aborted) throw this.#failed(error);
    } finally {
      await client.destroy();
    }
  }

  #open(options: Client.Options): Promise<Client> {
    const { ca, cert, key, servername, isUnchecked = false } = this.#tls;
    const all = { ca, cert, key, servername, ...(isUnchecked && { rejectUnauthorized: false }) };
    const tls = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return openConnection(this.origin, { ...options, connect: { timeout: WITHIN, ...tls } });
  }

  #tooLarge(what: string): WeftError {
    return new AnswerTooLarge(this.#code, `${this.origin}: ${what} is longer than ${this.#largest} bytes`);
  }

  #failed(cause: unknown): WeftError {
    if (cause instanceof WeftError) return cause;
    if (systemCode(cause) === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return this.#tooLarge('an answer');
    const late = cause instanceof Error && cause.name === 'TimeoutError';
    const reason = late ? 'nothing in time' : messageOf(cause) || systemCode(cause) || 'no connection';
    const Failure = cause instanceof SyntaxError ? WeftError : Unanswered;
    return new Failure(this.#code, `${this.origin}: ${loggable(reason)}`, { cause });
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
