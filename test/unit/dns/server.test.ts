import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { decode } from 'dns-packet';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Framing, frame } from '../../../src/dns/framing.js';
import { DnsServer, NameForwarder, Upstreams } from '../../../src/dns/index.js';
import { query, record, Zone } from './zone.js';

const HOST = '127.0.0.1';

/** A real server of one name, on real sockets. */
class World {
  readonly server: DnsServer;
  readonly udp: UdpSocket = createSocket('udp4');
  readonly tcp = createServer();

  constructor() {
    const upstreams = new Upstreams({ file: '/nonexistent', own: [], now: () => 0 });
    this.server = new DnsServer({
      answers: new Zone(record('web', '10.32.0.1')).answers,
      forwarder: new NameForwarder(upstreams),
      sourceOf: (_network, address) => address,
    });
  }

  async start(): Promise<void> {
    this.udp.bind(0, HOST);
    this.tcp.listen(0, HOST);
    await Promise.all([once(this.udp, 'listening'), once(this.tcp, 'listening')]);
    this.server.serve({ udp: [this.udp], tcp: [this.tcp] }, 0);
  }

  async connect(): Promise<Socket> {
    const socket = connect((this.tcp.address() as AddressInfo).port, HOST);
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }
}

let world: World;
beforeEach(async () => {
  world = new World();
  await world.start();
});
afterEach(() => world.server.close());

const asked = (id: number) => query({ name: 'web.weft.local', type: 'A' }, { id });

/** The ids of the next answers on a connection. */
async function ids(socket: Socket, count: number): Promise<number[]> {
  const framing = new Framing();
  const found: number[] = [];
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    for (const message of framing.push(chunk as Buffer)) found.push(decode(message).id ?? 0);
    if (found.length >= count) break;
  }
  return found;
}

describe('over TCP', () => {
  test('questions may come in pieces of any size, many at once, and each is answered', async () => {
    const wanted = Array.from({ length: 200 }, (_, i) => i + 1);
    const stream = Buffer.concat(wanted.map((id) => frame(asked(id))));
    const socket = await world.connect();
    const answered = ids(socket, wanted.length);
    for (let at = 0; at < stream.length; ) {
      const size = 1 + ((at * 7) % 90);
      socket.write(stream.subarray(at, at + size));
      at += size;
    }
    expect((await answered).toSorted((a, b) => a - b)).toEqual(wanted);
    socket.destroy();
  });

  test('a connection too many costs the one that asked least recently', async () => {
    const [first, second] = [await world.connect(), await world.connect()];
    const closed = once(first, 'close');
    second.write(frame(asked(1)));
    expect(await ids(second, 1)).toEqual([1]);
    const more = await Promise.all(Array.from({ length: 511 }, () => world.connect()));
    first.resume();
    await closed;
    second.write(frame(asked(2)));
    expect(await ids(second, 1)).toEqual([2]);
    for (const socket of [second, ...more]) socket.destroy();
  });

  test('garbage harms nobody else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 400 }), async (bytes) => {
        const socket = await world.connect();
        socket.end(bytes);
        socket.resume();
        await once(socket, 'close');
      }),
      { numRuns: 200 },
    );
    const socket = await world.connect();
    socket.write(frame(asked(3)));
    expect(await ids(socket, 1)).toEqual([3]);
    socket.destroy();
  });
});

describe('over UDP', () => {
  test('garbage is counted, what is refused is told so, and questions are answered', async () => {
    const client = createSocket('udp4');
    const { port } = world.udp.address();
    const answer = once(client, 'message');
    for (const message of [Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(11, 255)]) {
      client.send(message, port, HOST);
    }
    client.send(asked(4), port, HOST);
    const [response] = (await answer) as [Buffer];
    expect(decode(response)).toMatchObject({ id: 4, answers: [{ data: '10.32.0.1' }] });
    expect(world.server.counters).toEqual({ queries: 4, answered: 1, malformed: 3 });
    client.close();
  });
});
