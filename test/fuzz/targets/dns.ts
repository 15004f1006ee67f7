import type { Socket as UdpSocket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import { decode } from 'dns-packet';
import { frame } from '../../../src/dns/framing.js';
import { Answers, DnsServer, NameForwarder, NameTable, Upstreams } from '../../../src/dns/index.js';
import {
  adaptAnswer,
  answersQuery,
  type Query,
  rcodeOf,
  readQuery,
  sizeLimit,
} from '../../../src/dns/message.js';
import { HOST, query, record } from '../../unit/dns/zone.js';
import { corpus } from '../corpus.js';
import { mutated, pick, type Random } from '../mutate.js';
import { Fault, type Subject, type Target } from '../target.js';

const QUESTION = query({ name: 'web.weft.local', type: 'A' });
const MAX_DATAGRAM = 4_096;

/** What containers ask, over UDP and TCP, and what the host's servers answer. */
export const DNS_TARGETS: readonly Target[] = [
  { name: 'dns-udp', seeds: corpus('dns'), open: async () => openUdp() },
  { name: 'dns-tcp', seeds: corpus('dns').map(frame), open: async () => openTcp() },
  { name: 'dns-response', seeds: responses(), make: response, open: async () => openResponse() },
];

function newServer(): DnsServer {
  const table = new NameTable();
  for (let index = 1; index < 60; index++)
    table.set(HOST, { ...record('web', `10.32.0.${index}`), container: `${index}` });
  const upstreams = new Upstreams({ file: '/nonexistent', own: [], now: () => 0 });
  const answers = new Answers({ table, domain: 'weft.local', ttl: 1 });
  const sourceOf = (_network: number, address: string) => address;
  return new DnsServer({ answers, forwarder: new NameForwarder(upstreams), sourceOf });
}

/** A socket that keeps what is sent. */
class Datagrams extends EventEmitter {
  sent: Buffer[] = [];

  send(bytes: Buffer): void {
    this.sent.push(bytes);
  }

  close(): void {}

  ask(message: Buffer): Buffer[] {
    this.sent = [];
    this.emit('message', message, { port: 1, address: '10.32.0.9' });
    return this.sent;
  }
}

function openUdp(): Subject {
  const socket = new Datagrams();
  newServer().serve({ udp: [socket as unknown as UdpSocket], tcp: [] }, 0);
  return {
    take(input) {
      const answers = socket.ask(input);
      for (const answer of answers) {
        if (answer.length > MAX_DATAGRAM) throw new Fault(`a datagram of ${answer.length} bytes`);
        if (!answer.subarray(0, 2).equals(input.subarray(0, 2))) throw new Fault('the answer has another id');
        decode(answer);
      }
      return answers;
    },
    verify() {
      expectAnswer(socket.ask(QUESTION)[0]);
    },
  };
}

/** The server's end of a connection. */
class Connection extends Duplex {
  readonly sent: Buffer[] = [];

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.sent.push(chunk);
    done();
  }

  setTimeout(): void {}
}

/** Each input is a chunk of the stream of one client; a second client asks in the end. */
function openTcp(): Subject {
  const listener = new EventEmitter();
  newServer().serve({ udp: [], tcp: [listener as never] }, 0);
  const connect = () => {
    const connection = new Connection();
    listener.emit('connection', connection);
    return connection;
  };
  const client = connect();
  return {
    take(input) {
      client.sent.length = 0;
      client.emit('data', input);
      return [...client.sent];
    },
    verify() {
      const another = connect();
      another.emit('data', frame(QUESTION));
      expectAnswer(another.sent[0]?.subarray(2));
    },
  };
}

function expectAnswer(answer: Buffer | undefined): void {
  if (answer === undefined || rcodeOf(answer) !== 0) throw new Fault('a question is not answered any more');
}

function responses(): Buffer[] {
  return corpus('dns').map((question) => {
    const answer = Buffer.from(question);
    answer[2] = (answer[2] ?? 0) | 0x80;
    return answer;
  });
}

function response(random: Random): Uint8Array {
  const seeds = responses();
  return mutated(pick(random, seeds), random, seeds);
}

/** Any bytes as the answer of one of the host's servers to any of the questions. */
function openResponse(): Subject {
  const questions = corpus('dns').flatMap((message) => {
    const read = readQuery(message);
    return typeof read === 'object' ? [read] : [];
  });
  const pass = (input: Buffer, question: Query) => {
    if (!answersQuery(input, question)) return [];
    rcodeOf(input);
    const limit = sizeLimit(question, 'udp');
    const adapted = adaptAnswer(input, question, limit);
    if (adapted.length > limit) throw new Fault(`${adapted.length} bytes go to a client that takes ${limit}`);
    return [adapted];
  };
  return {
    take: (input) => questions.flatMap((question) => pass(input, question)),
    verify() {
      const [first] = questions;
      if (first === undefined) throw new Fault('no question can be read');
    },
  };
}
