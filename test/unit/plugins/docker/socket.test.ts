import { once } from 'node:events';
import { rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PluginServer } from '../../../../src/plugins/docker/server/index.js';
import { until } from '../../../lab/until.js';
import { post } from './dockerd.js';
import { World } from './world.js';

describe('the plugin socket', () => {
  let world: World;

  beforeEach(async () => {
    world = await World.create();
    world.docker.listens = false;
    await world.plugin.start({ enable: true });
  });

  afterEach(() => world.end());

  /** What is answered to bytes as they are. */
  async function raw(bytes: string): Promise<string> {
    const socket = connect(world.socket);
    socket.end(bytes);
    return await text(socket);
  }

  test('is open to its user only, and says what the plugin is', async () => {
    expect((await stat(world.socket)).mode & 0o777).toBe(0o600);
    expect(await post(world.socket, 'Plugin.Activate', '')).toEqual({
      Implements: ['NetworkDriver', 'IpamDriver'],
    });
    expect(await post(world.socket, 'NetworkDriver.GetCapabilities', '')).toEqual({
      Scope: 'local',
      ConnectivityScope: 'global',
      GwAllocChecker: true,
    });
  });

  test('understands Docker 20.10, which names neither a host nor a content type', async () => {
    const body = '{"NetworkID":"a1","EndpointID":"b2"}\n';
    const answer = await raw(
      `POST /NetworkDriver.Leave HTTP/1.1\r\nHost: \r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(answer).toMatch(/\r\n\{\}$/);
  });

  test('refuses the empty request that Docker sends after a broken connection', async () => {
    for (const method of [
      'IpamDriver.RequestAddress',
      'NetworkDriver.CreateEndpoint',
      'NetworkDriver.Join',
    ]) {
      const { Err, Error: same } = await post(world.socket, method, '');
      expect(Err).toMatch(/without saying/);
      expect(same).toBe(Err);
    }
  });

  test('says that there is no such method, with the status that Docker understands', async () => {
    const answer = await raw('POST /NetworkDriver.Fly HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 404/);
    expect(answer).toContain('"Err":"weft has no POST /NetworkDriver.Fly"');
  });

  test('is made again when it or its directory was removed, while requests go on', async () => {
    let open = () => {};
    world.host.gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const PoolID = 'weft/weftlocal/10.32.0.0/16/-';
    const waiting = post(world.socket, 'IpamDriver.RequestAddress', JSON.stringify({ PoolID, Address: '' }));
    for (const path of [world.socket, dirname(dirname(world.socket))]) {
      await rm(path, { recursive: true });
      await world.plugin.check();
      expect(await post(world.socket, 'Plugin.Activate', '')).toHaveProperty('Implements');
    }
    open();
    expect(await waiting).toMatchObject({ Address: '10.32.0.1/16' });
  });

  test('takes the place of one that a killed router left, but not that of a router that lives', async () => {
    await world.plugin.stop();
    await writeFile(world.socket, '');
    await world.restart();
    expect((await world.plugin.status()).listening).toBe(true);
    const other = await World.create();
    Object.assign(other, { socket: world.socket });
    await other.restart();
    await expect(other.plugin.setEnabled(true)).rejects.toThrow(/second router.*weft docker disable/);
    expect(await other.plugin.status()).toMatchObject({ enabled: false, listening: false });
    await other.plugin.stop();
    await rm(other.directory, { recursive: true });
  });

  test('is removed when the router ends', async () => {
    await world.plugin.stop();
    await expect(stat(world.socket)).rejects.toThrow(/ENOENT/);
  });

  test('answers within its time, whatever it waits for', async () => {
    const path = `${world.socket}.slow`;
    const answer = () => new Promise<never>(() => {});
    const server = new PluginServer({
      path,
      methods: { 'IpamDriver.Wait': { body: null, answer } },
      onFault: () => {},
      patience: 50,
    });
    await server.listen();
    expect((await post(path, 'IpamDriver.Wait', '')).Error).toMatch(/not done within 0.05 s/);
    await server.close();
  });

  test('answers ten thousand requests that make no sense, and keeps nothing of them', async () => {
    const methods = [
      ...['RequestPool', 'ReleasePool', 'RequestAddress', 'ReleaseAddress'].map(
        (name) => `IpamDriver.${name}`,
      ),
      ...[
        'CreateNetwork',
        'DeleteNetwork',
        'CreateEndpoint',
        'Join',
        'Leave',
        'DeleteEndpoint',
        'AllocateNetwork',
      ].map((name) => `NetworkDriver.${name}`),
      'NetworkDriver.NoSuchThing',
    ];
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48_271) % 0x7fff_ffff;
      return seed % below;
    };
    const values = [
      '',
      'a1',
      '10.32.0.1/16',
      '10.32.0.0/33',
      'weft/weftlocal/10.32.0.0/16/-',
      'weft/x/999.1.1.1/8/-',
    ];
    const odd = [null, -1, 1e308, [], {}, 'x'.repeat(5_000), '\u0000', '__proto__', '../../etc/passwd', true];
    const all = [...values, ...odd];
    const keys = [
      'NetworkID',
      'EndpointID',
      'PoolID',
      'Address',
      'Pool',
      'AddressSpace',
      'SandboxKey',
      'Interface',
      'V6',
    ];
    const body = () => {
      const kind = random(8);
      if (kind === 0) return '';
      if (kind === 1) return '{"NetworkID":';
      if (kind === 2) return String.fromCharCode(...Array.from({ length: random(64) }, () => random(256)));
      return JSON.stringify(Object.fromEntries(keys.map((key) => [key, all[random(all.length)]])));
    };
    for (let sent = 0; sent < 10_000; sent += 50) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => post(world.socket, methods[random(methods.length)] ?? '', body())),
      );
      for (const answer of answers) expect(typeof answer).toBe('object');
    }
    expect(await post(world.socket, 'Plugin.Activate', '')).toHaveProperty('Implements');
    expect((await world.plugin.status()).networks).toEqual([]);
    expect(world.host.made.size).toBe(0);
    expect(world.failures).toEqual([]);
  }, 60_000);

  test('is not held up by those that send half a request, or none', async () => {
    const sockets = Array.from({ length: 200 }, () => connect(world.socket));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    for (const [index, socket] of sockets.entries()) {
      socket.on('error', () => {});
      socket.write(
        ['', 'POST /Plu', 'POST /NetworkDriver.Join HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{'][
          index % 3
        ] ?? '',
      );
    }
    expect(await post(world.socket, 'Plugin.Activate', '')).toHaveProperty('Implements');
    expect(await raw('\u0000\u0001garbage\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/);
    const huge = JSON.stringify({ NetworkID: 'a', EndpointID: 'b', SandboxKey: 'x'.repeat(300 * 1024) });
    expect(await post(world.socket, 'NetworkDriver.Join', huge)).toHaveProperty('Err');
    for (const socket of sockets) socket.destroy();
    await until('it ends at once', () => world.plugin.stop().then(() => true), { within: 3_000 });
  });
});
