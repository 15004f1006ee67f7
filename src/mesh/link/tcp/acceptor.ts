import { createServer, type Server, type Socket } from 'node:net';
import ipaddr from 'ipaddr.js';
import { systemCode, WeftError } from '../../../errors.js';
import type { Admission, Guest } from './admission.js';

/** Maximum number of connections that wait to be accepted: large enough that a flood does not keep a peer out. */
const BACKLOG = 4096;

/** How long a connection may take to send its first bytes while a certain one is expected, in milliseconds. */
const OPENING_TIMEOUT = 10_000;

interface Expected {
  readonly take: (socket: Socket) => void;
}

/** Listens on TCP and hands over the connections that are admitted to a handshake. */
export class Acceptor {
  readonly #server: Server;
  readonly #admission: Admission;
  readonly #onRefused: (code: string) => void;
  /** By the bytes that the connections begin with, in hexadecimal. */
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
      const guest = this.#admit(socket);
      if (guest === undefined) return;
      const begun = this.#expected.size === 0 ? accept(socket) : this.#demultiplex(socket, accept);
      begun.finally(() => this.#admission.leave(guest));
    });
  }

  /**
   * Gives the next connection that begins with these bytes and sends nothing more for now, without the bytes. It does not become a link.
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

  /** Listens on `host`; without it, on all IPv6 and IPv4 addresses, or only IPv4 where IPv6 is off. Returns the port. */
  async listen(port: number, host?: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(error, port)));
      this.#server.listen({ port, backlog: BACKLOG, ...(host === undefined ? {} : { host }) }, resolve);
    });
    // From here on, an error is a single failed accept (for want of file descriptors).
    this.#server.removeAllListeners('error');
    this.#server.on('error', () => this.#onRefused('accept-failed'));
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  /** Accepts no new connections; those that exist stay. */
  close(): void {
    this.#server.close();
  }

  /** Tells a connection that is expected from all others by the bytes with which it begins. */
  async #demultiplex(socket: Socket, accept: (socket: Socket) => Promise<void>): Promise<void> {
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

  #admit(socket: Socket): Guest | undefined {
    const guest: Guest = {
      address: canonical(socket.remoteAddress ?? ''),
      isSilent: () => socket.bytesRead === 0,
      evict: () => this.#turnAway(socket, 'accept-limit'),
    };
    const refused = this.#admission.enter(guest, performance.now());
    if (refused === undefined) return guest;
    this.#turnAway(socket, refused);
    return undefined;
  }

  /** After a reset, nothing of the connection stays in memory here, not even in TIME_WAIT. */
  #turnAway(socket: Socket, code: string): void {
    socket.resetAndDestroy();
    this.#onRefused(code);
  }
}

/** Without a zone; of a socket for both families, which shows IPv4 addresses as those of IPv6, too. */
function canonical(address: string): string {
  const [bare = ''] = address.split('%');
  return ipaddr.isValid(bare) ? ipaddr.process(bare).toString() : bare;
}

/** The first bytes of a connection, which is then paused; undefined when it ends or stays silent. */
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
  return new WeftError('listen-failed', `weft cannot listen on TCP port ${port}: ${error.message}`, {
    cause: error,
  });
}
