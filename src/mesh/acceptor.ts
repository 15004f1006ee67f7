import { createServer, type Server, type Socket } from 'node:net';
import { systemCode, WeftError } from '../errors.js';
import type { Admission } from './admission.js';

/** Connections that may wait to be accepted: so many that a flood does not keep a peer out before it is refused. */
const BACKLOG = 4096;

/** Listens on TCP and hands over the connections that may begin a handshake. */
export class Acceptor {
  readonly #server: Server;
  readonly #admission: Admission;
  readonly #onRefused: (code: string) => void;

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
      if (address !== undefined) accept(socket).finally(() => this.#admission.leave(address));
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
