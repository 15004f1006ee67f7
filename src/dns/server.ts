import type { Socket as UdpSocket } from 'node:dgram';
import type { Socket, Server as TcpServer } from 'node:net';
import type { Answers } from './answers.js';
import type { Transport } from './exchange.js';
import { Framing, frame } from './framing.js';
import { encodeRefusal, readQuery } from './message.js';
import type { NameForwarder } from './name-forwarder.js';
import { Shares } from './shares.js';

/** A connection on which nothing is asked for so long is closed, in milliseconds. */
const TCP_IDLE = 10_000;
/** When more are open, one is closed: of the source that has most of them, the one that asked least recently. */
const TCP_CONNECTIONS = 512;
/** Questions of one connection under way at a time. */
const TCP_QUESTIONS = 64;

export interface DnsServerOptions {
  readonly answers: Answers;
  readonly forwarder: NameForwarder;
  /** Who asks from this address, so that all that is one source has one share of what many ask for. */
  readonly sourceOf: (network: number, address: string) => string;
}

/** Bound sockets: where the server listens. */
export interface DnsSockets {
  readonly udp: readonly UdpSocket[];
  readonly tcp: readonly TcpServer[];
}

interface Connection {
  readonly source: string;
  readonly socket: Socket;
}

export interface ServerCounters {
  queries: number;
  /** Answered from our own names. */
  answered: number;
  /** What could not be read as a query and was refused, or was not answered at all. */
  malformed: number;
}

/** Serves DNS over UDP and TCP on sockets that it is given. */
export class DnsServer {
  readonly counters: ServerCounters = { queries: 0, answered: 0, malformed: 0 };
  readonly #options: DnsServerOptions;
  readonly #connections = new Shares<Connection>(TCP_CONNECTIONS);
  #sockets: DnsSockets[] = [];

  constructor(options: DnsServerOptions) {
    this.#options = options;
  }

  /** Answers those who ask here as being on this network. The sockets are ours from now on. */
  serve(sockets: DnsSockets, network: number): void {
    this.#sockets.push(sockets);
    for (const socket of sockets.udp) this.#serveUdp(socket, network);
    for (const server of sockets.tcp) server.on('connection', (socket) => this.#serveTcp(socket, network));
  }

  /** Serves no longer on these. */
  drop(sockets: DnsSockets): void {
    this.#sockets = this.#sockets.filter((other) => other !== sockets);
    for (const socket of sockets.udp) socket.close();
    for (const server of sockets.tcp) server.close();
  }

  close(): void {
    for (const sockets of this.#sockets) this.drop(sockets);
    for (const { socket } of [...this.#connections]) socket.destroy();
  }

  #serveUdp(socket: UdpSocket, network: number): void {
    let open = true;
    socket.on('close', () => {
      open = false;
    });
    socket.on('error', () => {}); // one answer cannot be sent: its client is gone
    socket.on('message', (message, { port, address }) => {
      const response = this.#respond(message, 'udp', network, address);
      if (response === undefined || port === 0) return;
      if (Buffer.isBuffer(response)) socket.send(response, port, address);
      else void response.then((late) => open && socket.send(late, port, address));
    });
  }

  #serveTcp(socket: Socket, network: number): void {
    const { remoteAddress = '' } = socket;
    const connection = { source: this.#options.sourceOf(network, remoteAddress), socket };
    const framing = new Framing();
    let underWay = 0;
    const throttle = () => {
      if (underWay >= TCP_QUESTIONS || socket.writableNeedDrain) socket.pause();
      else socket.resume();
    };
    const send = (response: Buffer) => {
      if (socket.writable) socket.write(frame(response));
    };
    this.#connections.take(connection)?.socket.destroy();
    socket.setTimeout(TCP_IDLE, () => socket.destroy());
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => this.#connections.leave(connection));
    socket.on('drain', throttle);
    socket.on('data', (chunk) => {
      this.#connections.renew(connection);
      for (const message of framing.push(chunk)) {
        const response = this.#respond(message, 'tcp', network, remoteAddress);
        if (response === undefined) continue;
        if (Buffer.isBuffer(response)) {
          send(response);
          continue;
        }
        underWay += 1;
        void response.then((late) => {
          underWay -= 1;
          send(late);
          throttle();
        });
      }
      throttle();
    });
  }

  #respond(
    message: Buffer,
    transport: Transport,
    network: number,
    from: string,
  ): Buffer | Promise<Buffer> | undefined {
    const { answers, forwarder, sourceOf } = this.#options;
    this.counters.queries += 1;
    const query = readQuery(message);
    if (query === undefined || typeof query === 'number') {
      this.counters.malformed += 1;
      return query === undefined ? undefined : encodeRefusal(message, query);
    }
    const answer = answers.answer(query, network, transport);
    if (answer === undefined) return forwarder.answer(query, transport, sourceOf(network, from));
    this.counters.answered += 1;
    return answer;
  }
}
