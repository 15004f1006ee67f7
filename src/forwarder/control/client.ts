import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import Type, { type Static } from 'typebox';
import { errorFrom, systemCode, WeftError } from '../../errors.js';
import { validator } from '../../validate.js';
import { type AnswerOf, type Operation, type RequestOf, readAnswer } from './contract.js';
import { type ForwarderEvent, parseEvent } from './events.js';
import { LineSplitter } from './lines.js';
import { Operations } from './operations.js';

/**
 * Bytes of an answer. A table of MACs has 1.5 MB for each segment when somebody on it has filled it, and so have 1,000 peers with all that is known of
 * them: far more than any network makes, and little enough to be held.
 */
const MAX_LINE = 64 * 1024 * 1024;
/** On a host that is busy beyond measure an answer may take seconds. */
const DEFAULT_TIMEOUT = 10_000;

const Refusal = Type.Object({ code: Type.String(), message: Type.String() });
/** The outermost layer of a line: an answer or an event. */
const Envelope = Type.Object({
  id: Type.Optional(Type.Integer()),
  event: Type.Optional(Type.String()),
  ok: Type.Optional(Type.Object({})),
  error: Type.Optional(Refusal),
});
const parseEnvelope = validator('forwarder-protocol', "the forwarder's message", Envelope);

interface Pending {
  readonly op: Operation;
  resolve(answer: unknown): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

interface ControlClientEvents {
  event: [event: ForwarderEvent];
  /** The connection ended; every pending request has been rejected. */
  close: [];
  /** A line that is not of the protocol; it was skipped. */
  malformed: [error: Error];
}

/** One connection to the forwarder's control socket: requests with answers, and events. */
export class ControlClient extends Operations<ControlClientEvents> {
  readonly #socket: Socket;
  readonly #lines = new LineSplitter(MAX_LINE);
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #closed = false;

  private constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('data', (bytes) => this.#receive(bytes));
    socket.on('error', () => {});
    socket.on('close', () => this.#onClose());
  }

  /** Rejects with `forwarder-absent` when nobody listens there. */
  static async connect(path: string): Promise<ControlClient> {
    const socket = createConnection(path);
    try {
      await once(socket, 'connect');
    } catch (error) {
      throw new WeftError(
        'forwarder-absent',
        `no forwarder answers on ${path} (${systemCode(error) ?? 'connection failed'})`,
        { cause: error },
      );
    }
    return new ControlClient(socket);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Sends a request and gives its answer. Rejects with the forwarder's own error, with `forwarder-protocol` for an answer that is not of
   * the contract, with `forwarder-timeout` (milliseconds), or `forwarder-lost` when the connection ends first.
   */
  override request<Op extends Operation>(
    op: Op,
    fields: RequestOf<Op>,
    timeout = DEFAULT_TIMEOUT,
  ): Promise<AnswerOf<Op>> {
    if (this.#closed) return Promise.reject(lost(op));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new WeftError('forwarder-timeout', `the forwarder did not answer ${op} within ${timeout} ms`));
      }, timeout);
      this.#pending.set(id, { op, resolve, reject, timer });
      this.#socket.write(`${JSON.stringify({ id, op, ...fields })}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    let lines: string[];
    try {
      lines = this.#lines.push(bytes);
    } catch (error) {
      this.emit('malformed', error as Error);
      this.#socket.destroy();
      return;
    }
    for (const line of lines) this.#take(line);
  }

  #take(line: string): void {
    try {
      const message = parseEnvelope(JSON.parse(line));
      if (message.event !== undefined) {
        const event = parseEvent(message.event, message);
        if (event !== undefined) this.emit('event', event);
      } else if (message.id !== undefined) {
        this.#answer(message.id, message.ok, message.error);
      }
    } catch (error) {
      this.emit('malformed', error as Error);
    }
  }

  #answer(id: number, ok: object = {}, error?: Static<typeof Refusal>): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    try {
      if (error !== undefined) throw errorFrom(error);
      pending.resolve(readAnswer(pending.op, ok));
    } catch (fault) {
      pending.reject(fault as Error);
    }
  }

  #onClose(): void {
    this.#closed = true;
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(lost('the request'));
    }
    this.#pending.clear();
    this.emit('close');
  }
}

function lost(what: string): WeftError {
  return new WeftError('forwarder-lost', `the forwarder is gone, ${what} was not answered`);
}
