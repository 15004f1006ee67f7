/** Those who ask for what happens, and then do not read it: real servers, real sockets. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { type RouterControl, serveApi } from '../../../src/api/index.js';
import { Watcher } from '../../../src/api/status/mesh/watcher.js';
import { type EventLine, EventStreams, Journal } from '../../../src/events/index.js';
import { idOf, SyntheticMesh, servePage } from '../../ui/synthetic.js';
import { ManualClock } from '../events/manual-clock.js';

const MIB = 1024 * 1024;
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A client whose bytes wait until it reads. */
async function silent(socket: Socket, path: string): Promise<Socket> {
  ends.push(() => socket.destroy());
  socket.on('error', () => {}); // it is sent away
  socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  await once(socket, 'readable');
  return socket;
}

test('a reader of events at the control API that does not read costs no memory and is told what it lost; others miss nothing', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'weft-unread-'));
  ends.push(() => rm(directory, { recursive: true }));
  const clock = new ManualClock();
  const journal = new Journal({ run: 'run-a', clock, time: () => clock.now() });
  const socketPath = join(directory, 'weft.sock');
  const router = { events: new EventStreams(journal) } as unknown as RouterControl;
  const server = await serveApi({
    socketPath,
    router,
    onFault: (error) => expect.unreachable(error.message),
  });
  ends.push(() => server.close());
  const sleeper = await silent(connect(socketPath), '/events?since=0');
  const reader = await silent(connect(socketPath), '/events?since=0');
  const awake = read(reader);
  const network = 'n'.repeat(500);
  while (journal.last < 10_000) {
    for (let i = 0; i < 500; i += 1) {
      clock.pass(1_000);
      journal.record('loop-over', 'network:0', { network });
    }
    await awake.reaches(journal.last);
  }
  expect(awake.lost).toEqual([]);

  const late = read(sleeper);
  await late.reaches(journal.last);
  expect(late.characters).toBeLessThan(4 * MIB); // of 7: what the journal keeps, and what sockets hold
  expect(late.lost).toContain('slow');
});

/** Reads lines of events: why some are lost, and how long all of them are. */
function read(socket: Socket) {
  const lines = createInterface({ input: socket });
  const seen = {
    last: 0,
    lost: [] as string[],
    characters: 0,
    async reaches(seq: number): Promise<void> {
      while (seen.last < seq) await once(lines, 'line');
    },
  };
  lines.on('line', (line) => {
    if (!line.startsWith('{')) return; // of HTTP
    seen.characters += line.length;
    const event = JSON.parse(line) as EventLine;
    if (event.kind === 'lost') seen.lost.push(event.reason);
    else seen.last = event.seq;
  });
  return seen;
}

test('a page at the status address that stops reading is sent away, and nothing is done for it any more', async () => {
  const mesh = new SyntheticMesh(3);
  const clock = new ManualClock();
  const server = await servePage(mesh, 0, clock);
  ends.push(() => server.close());
  await silent(connect(Number(new URL(server.url).port), '127.0.0.1'), '/live');
  for (let i = 0; mesh.watched && i < 300; i += 1) {
    mesh.relink(idOf(2), { reason: `${i} `.repeat(64 * 1024) });
    clock.pass(1_000);
    await turn();
  }
  expect(mesh.watched).toBe(false);
  const { looks } = mesh;
  clock.pass(10_000);
  expect(mesh.looks).toBe(looks);
});

/** A page that is open and does not read, and the server's end of it. */
async function unreadPage(): Promise<{ watcher: Watcher; response: ServerResponse }> {
  const server = createServer();
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const asked = once(server, 'request');
  const client = connect(port, '127.0.0.1');
  ends.push(() => client.destroy());
  client.on('error', () => {});
  client.write('GET /live HTTP/1.1\r\nhost: localhost\r\n\r\n');
  const [, response] = (await asked) as [unknown, ServerResponse];
  const watcher = new Watcher(response);
  while (!response.writableNeedDrain) {
    watcher.tellText('change', 'x'.repeat(64 * 1024));
    await turn();
  }
  return { watcher, response };
}

test('a page that reads nothing for ten looks is sent away', async () => {
  const { watcher, response } = await unreadPage();
  let looks = 0;
  while (!response.destroyed && looks < 100) {
    looks += 1;
    watcher.tellText('change', 'x');
  }
  expect(looks).toBe(10);
});

test('a page that leaves more than 4 MiB unread is sent away at once', async () => {
  const { watcher, response } = await unreadPage();
  let told = 0;
  for (; !response.destroyed && told < 10 * MIB; told += MIB) watcher.tellText('change', 'x'.repeat(MIB));
  expect(told).toBeLessThanOrEqual(6 * MIB);
});
