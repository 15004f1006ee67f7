import { createServer, type Server, type Socket } from 'node:net';
import { systemCode, WeftError } from '../../../errors.js';
import type { Admission } from './admission.js';

/** Connections that may wait to be accepted: so many that a flood does not keep a peer out before it is refused. */
const BACKLOG = 4096;

/** How long a connection may take to say how it begins, while one that is expected may be it; milliseconds. */
const OPENING_TIMEOUT = 10_000;

interface Expected {
  readonly take: (socket: Socket) => void;
}

/** Listens on TCP and hands over the connections that may begin a handshake. */
export class Acceptor {
  readonly #server: Server;
  readonly #admission: Admission;
  readonly #onRefused: (code: string) => void;
  /** By the bytes that they begin with, in hexadecimal. */
  readonly #expected = new Map<string, Expected>();

  /** `accept` returns a promise that ends with the handshake, whatever its outcome. */
  constructor(
    admission: Admission,
    accept: (socket: Socket) => Promise<void>,
    onRefused: (code: string) => void,
  ) {
    this.#admission = admission;
    this.#onRefused = onRefused;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      const address = this.#admit(socket);
      if (address === undefined) return;
      const begun = this.#expected.size === 0 ? accept(socket) : this.#sort(socket, accept);
      begun.finally(() => this.#admission.leave(address));
    });
  }

  /**
   * Gives the connection that begins with these bytes and says nothing more for now; the bytes are taken out of it. It is nobody's link.
   * Rejects with `not-connected` after so many milliseconds.
   */
  expect(opening: Uint8Array, timeout: number): Promise<Socket> {
    const key = Buffer.from(opening).toString('hex');
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#expected.delete(key);
        reject(new WeftError('not-connected', 'the peer did not connect over TCP in time'));
      }, timeout);
      const take = (socket: Socket) => {
        clearTimeout(timer);
        this.#expected.delete(key);
        resolve(socket);
      };
      this.#expected.set(key, { take });
    });
  }

  /** Without `host`: all IPv6 and IPv4 addresses, or only IPv4 where IPv6 is off. Returns the port. */
  async listen(port: number, host?: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(error, port)));
      this.#server.listen({ port, backlog: BACKLOG, ...(host === undefined ? {} : { host }) }, resolve);
    });
    // From here on, errors are single failed accepts (out of file descriptors).
    this.#server.removeAllListeners('error');
    this.#server.on('error', () => this.#onRefused('accept-failed'));
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  /** No new connections; those that are there stay. */
  close(): void {
    this.#server.close();
  }

  /** Looks at how a connection begins: it is one that is expected, or one like any other. */
  async #sort(socket: Socket, accept: (socket: Socket) => Promise<void>): Promise<void> {
    const opening = await firstBytes(socket);
    const expected = opening && this.#expected.get(opening.toString('hex'));
    if (expected !== undefined) {
      expected.take(socket);
      return;
    }
    if (opening !== undefined) socket.unshift(opening);
    const begun = accept(socket);
    socket.resume();
    await begun;
  }

  #admit(socket: Socket): string | undefined {
    const address = socket.remoteAddress ?? '';
    const refused = this.#admission.enter(address, performance.now());
    if (refused === undefined) return address;
    // A reset costs the sender's flood no TIME_WAIT here and needs no memory.
    socket.resetAndDestroy();
    this.#onRefused(refused);
    return undefined;
  }
}

/** What comes first, with the connection paused behind it; undefined when it ends or stays silent. */
function firstBytes(socket: Socket): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const done = (bytes: Buffer | undefined) => {
      clearTimeout(timer);
      socket.pause();
      socket.off('data', done).off('end', onEnd).off('close', onEnd).off('error', onEnd);
      resolve(bytes);
    };
    const onEnd = () => {
      socket.destroy();
      done(undefined);
    };
    const timer = setTimeout(onEnd, OPENING_TIMEOUT);
    socket.on('data', done).on('end', onEnd).on('close', onEnd).on('error', onEnd);
  });
}

function listenError(error: Error, port: number): WeftError {
  if (systemCode(error) === 'EADDRINUSE') {
    return new WeftError(
      'port-in-use',
      `TCP port ${port} is taken by another program (ss -ltnp shows which): stop it, or choose another with --port`,
      { cause: error },
    );
  }
  return new WeftError('listen-failed', `cannot listen on TCP port ${port}: ${error.message}`, {
    cause: error,
  });
}
