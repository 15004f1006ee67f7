/** One question to one server. */

import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { Framing, frame } from './framing.js';
import { answersQuery, type Query } from './message.js';

export type Transport = 'udp' | 'tcp';

export interface Server {
  readonly address: string;
  readonly port: number;
}

/**
 * Asks with an id of its own and from a port of its own, both random: who wants to forge the answer must guess both. Undefined when nothing
 * that answers came in time (milliseconds), the server cannot be reached, or nobody wants to know any more.
 */
export function exchange(
  query: Query,
  transport: Transport,
  server: Server,
  timeout: number,
  unwanted: AbortSignal,
): Promise<Buffer | undefined> {
  const message = Buffer.from(query.message);
  message.writeUInt16BE(randomInt(0x10000), 0);
  const asked = { ...query, message };
  return new Promise((resolve) => {
    const stop = transport === 'udp' ? overUdp(asked, server, finish) : overTcp(asked, server, finish);
    const giveUp = () => finish();
    const timer = setTimeout(giveUp, timeout);
    unwanted.addEventListener('abort', giveUp);
    function finish(response?: Buffer): void {
      clearTimeout(timer);
      unwanted.removeEventListener('abort', giveUp);
      stop();
      resolve(response);
    }
  });
}

type Finish = (response?: Buffer) => void;

/** Gives what ends it. */
function overUdp(query: Query, { address, port }: Server, finish: Finish): () => void {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  socket.once('error', () => finish());
  socket.once('connect', () => socket.send(query.message));
  socket.on('message', (response) => {
    if (answersQuery(response, query)) finish(response);
  });
  socket.connect(port, address);
  return () => {
    socket.removeAllListeners().on('error', () => {});
    socket.close();
  };
}

/** Gives what ends it. */
function overTcp(query: Query, { address, port }: Server, finish: Finish): () => void {
  const socket = connect(port, address);
  const framing = new Framing();
  socket.once('error', () => finish());
  socket.once('close', () => finish());
  socket.on('data', (chunk) => {
    const response = framing.push(chunk).find((candidate) => answersQuery(candidate, query));
    if (response !== undefined) finish(response);
  });
  socket.write(frame(query.message));
  return () => {
    socket.removeAllListeners().on('error', () => {});
    socket.destroy();
  };
}
