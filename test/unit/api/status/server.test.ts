import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { observationRoutes, type StatusServer, serveStatus } from '../../../../src/api/status/index.js';
import { crowd, observation } from './observations.js';

describe('the status address', () => {
  let server: StatusServer;
  let port = 0;
  let ready = true;
  const faults: string[] = [];
  const open: Socket[] = [];

  beforeAll(async () => {
    port = await freePort();
    const observe = async () => {
      const seen = observation(crowd(2));
      const forwarder = { ...seen.status.forwarder, connected: ready };
      return { ...seen, status: { ...seen.status, forwarder } };
    };
    server = await serveStatus({
      at: { kind: 'ipv4', host: '127.0.0.1', port },
      routes: [observationRoutes(observe), (app) => app.get('/more', async () => ({ more: true }))],
      onFault: (error, request) => faults.push(`${request}: ${error.message}`),
    });
  });
  afterAll(async () => {
    for (const socket of open) socket.destroy();
    await server.close();
    expect(faults).toEqual([]);
  });

  function dial(): Socket {
    const socket = connect(port, '127.0.0.1').resume();
    socket.on('error', () => {}); // it is cut off
    open.push(socket);
    return socket;
  }

  /** Sends these bytes, and nothing after them where that is all; gives what comes back until the server closes. */
  async function exchange(bytes: string | Buffer, { isAll = false } = {}): Promise<string> {
    const socket = dial();
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    if (isAll) socket.end(bytes);
    else socket.write(bytes);
    await once(socket, 'close');
    return answer;
  }

  async function ask(
    path: string,
    headers: Record<string, string> = {},
    method = 'GET',
  ): Promise<{ status: number; head: string; body: string }> {
    const all = { host: `127.0.0.1:${port}`, connection: 'close', ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
    const answer = await exchange(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    return { status: Number(/^HTTP\/1.1 (\d+)/.exec(head)?.[1]), head: head.toLowerCase(), body };
  }

  test('tells whether the process lives, whether it works and why not, how it is, and metrics', async () => {
    expect(await ask('/livez')).toMatchObject({ status: 200, body: '{"alive":true}' });
    expect(await ask('/readyz')).toMatchObject({ status: 200 });
    ready = false;
    const unready = await ask('/readyz');
    ready = true;
    expect(unready.status).toBe(503);
    expect(JSON.parse(unready.body)).toEqual({
      ready: false,
      reasons: ['the forwarder is not running, it is being started again'],
      warnings: [],
    });
    expect(JSON.parse((await ask('/status')).body)).toMatchObject({ nickname: 'host-a', ready: true });
    const { head, body } = await ask('/metrics');
    expect(head).toContain('content-type: text/plain; version=0.0.4');
    expect(body).toContain('weft_ready 1');
  });

  test('speaks OpenMetrics to whoever asks for it', async () => {
    const { head, body } = await ask('/metrics', { accept: 'application/openmetrics-text;version=1.0.0' });
    expect(head).toContain('content-type: application/openmetrics-text; version=1.0.0');
    expect(body).toContain('# EOF');
  });

  test('has what others add, guarded in the same way', async () => {
    expect(await ask('/more')).toMatchObject({ status: 200, body: '{"more":true}' });
    expect(await ask('/more', { host: 'evil.example' })).toMatchObject({ status: 403 });
  });

  test.each([
    'evil.example',
    'evil.example:6782',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    `${hostname()}.evil.example`,
    '0x7f000001',
    '127.1',
    '',
    '[::1',
    '127.0.0.1:99999',
    'user@127.0.0.1',
  ])('refuses who takes it for "%s" (DNS rebinding)', async (host) => {
    for (const path of ['/metrics', '/livez', '/readyz', '/status', '/nothing']) {
      expect({ path, status: (await ask(path, { host })).status }).toEqual({ path, status: 403 });
    }
  });

  test('answers to addresses, localhost and the name of the host', async () => {
    for (const host of ['127.0.0.1', '[::1]:6782', '192.0.2.7:80', 'localhost:6782', hostname()]) {
      expect({ host, status: (await ask('/livez', { host })).status }).toEqual({ host, status: 200 });
    }
  });

  test('refuses a page of another site, and not its own', async () => {
    const host = `127.0.0.1:${port}`;
    for (const origin of [
      'http://evil.example',
      'null',
      'https://127.0.0.1',
      'http://127.0.0.1:1',
      `https://${host}`,
    ]) {
      expect({ origin, status: (await ask('/metrics', { origin })).status }).toEqual({ origin, status: 403 });
    }
    expect((await ask('/metrics', { origin: `http://${host}` })).status).toBe(200);
  });

  test('changes nothing: it takes no other method and no body', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']) {
      for (const path of ['/status', '/stop', '/metrics']) {
        expect({ method, path, status: (await ask(path, {}, method)).status }).toEqual({
          method,
          path,
          status: 405,
        });
      }
    }
    expect((await ask('/status', { 'content-length': '5' })).status).toBe(400);
    expect((await ask('/status', { 'transfer-encoding': 'chunked' })).status).toBe(400);
  });

  test('has nothing of the control API', async () => {
    for (const path of [
      '/token',
      '/report',
      '/peers',
      '/connections',
      '/ipam',
      '/openapi.json',
      '/docker',
      '/names',
    ]) {
      expect({ path, status: (await ask(path)).status }).toEqual({ path, status: 404 });
    }
  });

  test('forbids pages to load anything from elsewhere, also with what it refuses', async () => {
    for (const { head } of [
      await ask('/status'),
      await ask('/nothing'),
      await ask('/status', { host: 'evil.example' }),
    ]) {
      expect(head).toContain("content-security-policy: default-src 'self'");
      expect(head).toContain('x-content-type-options: nosniff');
      expect(head).toContain('cache-control: no-store');
      expect(head).not.toContain('access-control-allow');
    }
  });

  test('tells nothing that a secret can be guessed from, nor where files are', async () => {
    for (const path of ['/metrics', '/livez', '/readyz', '/status']) {
      expect((await ask(path)).body).not.toMatch(/fedcba9876543210|\/run\/weft|\/var\/lib/);
    }
  });

  test('survives garbage', async () => {
    const garbage = [
      Buffer.alloc(100_000, 0xff),
      '\r\n\r\n\r\n',
      'GET\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`,
      `GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`,
      'GET /%00%ff%zz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    ];
    for (const bytes of garbage) expect(await exchange(bytes, { isAll: true })).not.toMatch(/^HTTP\/1.1 200/);
    expect((await ask('/livez')).status).toBe(200);
  });

  test('has 64 places, and takes them back from those who say nothing, or too slowly', async () => {
    const silent = Array.from({ length: 40 }, dial);
    const slow = Array.from({ length: 24 }, dial);
    const all = [...silent, ...slow];
    await Promise.all(all.map((socket) => once(socket, 'connect')));
    const began = performance.now();
    for (const socket of slow) socket.write('GET /livez HTTP/1.1\r\nx: ');
    const dripping = setInterval(() => {
      for (const socket of slow) if (socket.writable) socket.write('y');
    }, 300);
    await ended(dial());
    expect(all.filter(({ closed }) => closed).length).toBe(0);
    await Promise.all(all.map(ended));
    clearInterval(dripping);
    expect(performance.now() - began).toBeLessThan(8_000);
    expect((await ask('/livez')).status).toBe(200);
  });
});

async function ended(socket: Socket): Promise<void> {
  if (!socket.closed) await once(socket, 'close');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
