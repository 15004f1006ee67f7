import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode, encode } from 'dns-packet';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NameForwarder, Upstreams } from '../../../src/dns/index.js';
import { type Query, readQuery } from '../../../src/dns/message.js';
import { query } from './zone.js';

type Behaviour = (message: Buffer, reply: (response: Buffer) => void) => void;

/** Real servers on addresses of the loopback network, all on one port, and a resolv.conf that names them. */
class World {
  readonly directory = mkdtempSync(join(tmpdir(), 'weft-dns-'));
  readonly file = join(this.directory, 'resolv.conf');
  readonly #sockets: Socket[] = [];
  port = 0;
  now = 0;

  async server(address: string, behaviour: Behaviour): Promise<void> {
    const socket = createSocket('udp4');
    socket.on('message', (message, { port, address: client }) =>
      behaviour(message, (response) => socket.send(response, port, client)),
    );
    socket.bind(this.port, address);
    await once(socket, 'listening');
    this.port = socket.address().port;
    this.#sockets.push(socket);
  }

  use(...servers: string[]): void {
    writeFileSync(this.file, servers.map((server) => `nameserver ${server}\n`).join(''));
  }

  forwarder(own: string[] = []): NameForwarder {
    return new NameForwarder(new Upstreams({ file: this.file, own, now: () => this.now }), this.port);
  }

  remove(): void {
    for (const socket of this.#sockets) socket.close();
    rmSync(this.directory, { recursive: true });
  }
}

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.remove());

function answers(data: string, rcode = 0): Behaviour {
  return (message, reply) => {
    const { id, questions = [] } = decode(message);
    const answers =
      rcode === 0 ? [{ type: 'A' as const, name: questions[0]?.name ?? '', ttl: 60, data }] : [];
    reply(encode({ type: 'response', id, flags: 0x180 | rcode, questions, answers }));
  };
}

const silent: Behaviour = () => {};

async function ask(
  forwarder: NameForwarder,
  name = 'example.test',
  { flags = 0x100, source = '10.32.0.1' } = {},
) {
  const parsed = readQuery(query({ name, type: 'A' }, { flags })) as Query;
  const response = decode(await forwarder.answer(parsed, 'udp', source)) as ReturnType<typeof decode> & {
    rcode: string;
  };
  return {
    id: response.id,
    rcode: response.rcode,
    data: response.answers?.map((answer) => 'data' in answer && answer.data),
  };
}

test('other names are asked of the host’s server, and its answer comes back with the id of the question', async () => {
  await world.server('127.0.0.1', answers('192.0.2.1'));
  world.use('127.0.0.1');
  expect(await ask(world.forwarder())).toEqual({ id: 4711, rcode: 'NOERROR', data: ['192.0.2.1'] });
});

test('a server that is silent, absent or at a loss is passed over, and the one that answered is asked first from then on', async () => {
  let asked = 0;
  await world.server('127.0.0.1', (message, reply) => {
    asked += 1;
    answers('', 2)(message, reply);
  });
  await world.server('127.0.0.3', silent);
  await world.server('127.0.0.4', answers('192.0.2.4'));
  world.use('127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4');
  const forwarder = world.forwarder();
  expect(await ask(forwarder)).toMatchObject({ data: ['192.0.2.4'] });
  expect(await ask(forwarder)).toMatchObject({ data: ['192.0.2.4'] });
  expect(asked).toBe(1);
});

test('when no server helps, the question fails in time: SERVFAIL, or what the last one said', async () => {
  await world.server('127.0.0.1', silent);
  world.use('127.0.0.1');
  const before = performance.now();
  expect(await ask(world.forwarder())).toMatchObject({ rcode: 'SERVFAIL', data: [] });
  expect(performance.now() - before).toBeLessThan(5_000);
  await world.server('127.0.0.2', answers('', 5));
  world.use('127.0.0.2');
  expect(await ask(world.forwarder())).toMatchObject({ rcode: 'REFUSED' });
  world.use();
  expect(await ask(world.forwarder())).toMatchObject({ rcode: 'SERVFAIL' });
});

test('the servers are read again when the file changed, at most once a second', async () => {
  await world.server('127.0.0.1', answers('192.0.2.1'));
  await world.server('127.0.0.2', answers('192.0.2.2'));
  world.use('127.0.0.1');
  const forwarder = world.forwarder();
  expect(await ask(forwarder)).toMatchObject({ data: ['192.0.2.1'] });
  world.use('127.0.0.2', '127.0.0.2');
  world.now = 999;
  expect(await ask(forwarder)).toMatchObject({ data: ['192.0.2.1'] });
  world.now = 1_000;
  expect(await ask(forwarder)).toMatchObject({ data: ['192.0.2.2'] });
});

test('our own address is never asked', async () => {
  await world.server('127.0.0.1', answers('192.0.2.1'));
  await world.server('127.0.0.2', answers('192.0.2.2'));
  world.use('127.0.0.1', '127.0.0.2');
  expect(await ask(world.forwarder(['127.0.0.1']))).toMatchObject({ data: ['192.0.2.2'] });
});

test('a server that asks us back makes no loop: it is asked once a try, and the next server answers', async () => {
  let asked = 0;
  let forwarder: NameForwarder | undefined;
  await world.server('127.0.0.1', (message, reply) => {
    asked += 1;
    void forwarder?.answer(readQuery(message) as Query, 'udp', '127.0.0.1').then(reply);
  });
  await world.server('127.0.0.2', answers('192.0.2.2'));
  world.use('127.0.0.1', '127.0.0.2');
  forwarder = world.forwarder();
  expect(await ask(forwarder)).toMatchObject({ data: ['192.0.2.2'] });
  expect(asked).toBe(1);
});

test('an answer to another question, or with another id, does not count', async () => {
  await world.server('127.0.0.1', (message, reply) => {
    answers('192.0.2.66')(query({ name: 'other.test', type: 'A' }, { id: decode(message).id }), reply);
    answers('192.0.2.66')(
      query({ name: 'example.test', type: 'A' }, { id: (decode(message).id ?? 0) ^ 1 }),
      reply,
    );
    setTimeout(() => answers('192.0.2.1')(message, reply), 50);
  });
  world.use('127.0.0.1');
  expect(await ask(world.forwarder())).toMatchObject({ data: ['192.0.2.1'] });
});

test('who does not want recursion is refused', async () => {
  world.use('127.0.0.1');
  expect(await ask(world.forwarder(), 'example.test', { flags: 0 })).toMatchObject({ rcode: 'REFUSED' });
});

test('one that asks more than the servers answer keeps nobody else from an answer, not even to the same question', async () => {
  await world.server('127.0.0.1', (message, reply) => {
    const [question] = decode(message).questions ?? [];
    if (question?.name.startsWith('slow')) setTimeout(() => answers('192.0.2.2')(message, reply), 1_000);
    else if (question?.name === 'example.test') answers('192.0.2.1')(message, reply);
  });
  world.use('127.0.0.1');
  const forwarder = world.forwarder();
  const hostile = { source: '10.32.0.66' };
  const flood = Array.from({ length: 4_000 }, (_, i) => ask(forwarder, `slow-${i % 10}.test`, hostile));
  const others = await Promise.all([ask(forwarder), ask(forwarder, 'slow-0.test')]);
  expect(others.map(({ data }) => data)).toEqual([['192.0.2.1'], ['192.0.2.2']]);
  expect(forwarder.counters.overloaded).toBeGreaterThan(1_000);
  await Promise.all(flood);
});
