import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  endForwarders,
  Forwarder,
  type ForwarderOptions,
  findForwarders,
} from '../../../src/forwarder/index.js';
import { MAX_WORKERS, OFFLOADS } from '../../../src/forwarder/limits.js';
import { packageRoot, weftVersion } from '../../../src/version.js';
import { until } from '../../lab/index.js';
import { freeUdpPort } from './free-port.js';

const BINARY = join(packageRoot(), 'build/native/weft-forwarder');
const built = existsSync(BINARY);
if (!built) console.warn(`the forwarder's supervision is not tested: ${BINARY} is missing (make build)`);

describe.skipIf(!built)('the supervision of the forwarder', () => {
  let directory: string;
  let options: ForwarderOptions;
  const mine: Forwarder[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-forwarder-'));
    options = {
      binary: BINARY,
      controlPath: join(directory, 'forwarder.sock'),
      logPath: join(directory, 'forwarder.log'),
      port: await freeUdpPort(),
      workers: 1,
      udpPorts: 1,
      disabledOffloads: [],
      self: '0123456789abcdef',
      stormLimit: 5000,
    };
  });

  afterEach(async () => {
    for (const forwarder of mine.splice(0)) forwarder.detach();
    await endForwarders(options.controlPath);
    await rm(directory, { recursive: true });
  });

  /** Starts a supervisor and tells whether it adopted, and which process. */
  async function start(changes: Partial<ForwarderOptions> = {}) {
    const forwarder = new Forwarder({ ...options, ...changes });
    mine.push(forwarder);
    const ready = once(forwarder, 'ready');
    await forwarder.start();
    const [{ pid, adopted }] = await ready;
    return { forwarder, pid: Number(pid), adopted: Boolean(adopted) };
  }

  it('starts one, which says what it can do', async () => {
    const { forwarder, pid, adopted } = await start();
    expect(adopted).toBe(false);
    expect(findForwarders(options.controlPath)).toEqual([pid]);
    const { port, workers, ciphers } = await forwarder.hello();
    expect({ port, workers }).toEqual({ port: options.port, workers: 1 });
    expect(ciphers.map(({ name }) => name)).toContain('chacha20-poly1305');
    expect(await forwarder.dump()).toEqual({ peers: [], networks: [], kernelPaths: [] });
  });

  it('leaves it running when it goes, and adopts it when it comes back', async () => {
    const first = await start();
    first.forwarder.detach();
    const second = await start();
    expect(second).toMatchObject({ adopted: true, pid: first.pid });
    expect(findForwarders(options.controlPath)).toEqual([first.pid]);
  });

  it('starts another one at once when it dies', async () => {
    const { forwarder, pid } = await start();
    const [lost, ready] = [once(forwarder, 'lost'), once(forwarder, 'ready')];
    process.kill(pid, 'SIGKILL');
    await lost;
    const [state] = await ready;
    expect(state.adopted).toBe(false);
    expect(state.pid).not.toBe(pid);
    expect(findForwarders(options.controlPath)).toEqual([state.pid]);
  });

  it('kills one that hangs, and starts another', async () => {
    const { forwarder, pid } = await start();
    const warned = once(forwarder, 'warning');
    const ready = once(forwarder, 'ready');
    process.kill(pid, 'SIGSTOP');
    expect(await warned).toEqual([expect.objectContaining({ code: 'forwarder-hangs' })]);
    const [state] = await ready;
    expect(state.pid).not.toBe(pid);
    expect((await forwarder.hello()).pid).toBe(state.pid);
  }, 30_000);

  it('tells it, also one that it adopts, how much of a storm may pass', async () => {
    const first = await start({ stormLimit: 7 });
    expect((await first.forwarder.hello()).stormLimit).toBe(7);
    first.forwarder.detach();
    const second = await start({ stormLimit: 0 });
    expect(second.adopted).toBe(true);
    expect((await second.forwarder.hello()).stormLimit).toBe(0);
  });

  it('can be asked for as many workers and as few offloads as the forwarder takes, and no further', async () => {
    const { forwarder } = await start({ workers: MAX_WORKERS, disabledOffloads: [...OFFLOADS] });
    const { workers, offloads } = await forwarder.hello();
    expect(workers).toBe(MAX_WORKERS);
    expect(offloads.filter(({ enabled }) => enabled)).toEqual([]);
    expect(offloads.map(({ name }) => name).sort()).toEqual([...OFFLOADS].sort());
    await forwarder.stop();
    const tooMany = new Forwarder({ ...options, workers: MAX_WORKERS + 1 });
    await expect(tooMany.start()).rejects.toThrow(
      `the forwarder ended with code 2: option --workers must be a number from 1 to ${MAX_WORKERS}`,
    );
  });

  it('leaves a forwarder whose log stays small, though nobody looks after it', async () => {
    const { forwarder, pid } = await start();
    forwarder.detach();
    const lines = Array.from({ length: 30_000 }, (_, i) => `line ${i} ${'x'.repeat(60)}\n`);
    await appendFile(options.logPath, lines.join(''));
    process.kill(pid, 'SIGTERM');
    await expect.poll(() => findForwarders(options.controlPath)).toEqual([]);
    const kept = (await readFile(options.logPath, 'utf8')).trimEnd().split('\n');
    expect((await stat(options.logPath)).size).toBeLessThan(300_000);
    expect(kept[0]).toBe('(older lines were left out)');
    expect(kept[1]).toMatch(/^line \d+ x{60}$/);
    expect(kept.at(-2)).toMatch(/^line 29999 /);
    expect(kept.at(-1)).toMatch(/info stopping$/);
  });

  it('replaces one that has another port or another number of workers', async () => {
    const first = await start();
    first.forwarder.detach();
    const second = await start({ port: await freeUdpPort() });
    expect(second.adopted).toBe(false);
    expect(findForwarders(options.controlPath)).toEqual([second.pid]);
  });

  it('switches the offloads of an adopted one as it was told', async () => {
    const first = await start();
    first.forwarder.detach();
    const { forwarder } = await start({ disabledOffloads: ['udp-gso'] });
    const { offloads } = await forwarder.hello();
    expect(offloads.find(({ name }) => name === 'udp-gso')?.enabled).toBe(false);
  });

  /** Both ends of a TCP connection over loopback. */
  async function connection(): Promise<[Socket, Socket]> {
    const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const ours = createConnection((server.address() as AddressInfo).port, '127.0.0.1');
    const [theirs] = await once(server, 'connection');
    server.close();
    return [theirs, ours];
  }

  it('passes it a TCP connection, which lives on without us and ends with what is no packet', async () => {
    const { forwarder } = await start();
    const peer = '00000000000000aa';
    await forwarder.setPeer({ peer, endpoints: [], networks: [] });
    const [passed, other] = await connection();
    await forwarder.passStream(peer, passed);
    expect(passed.destroyed).toBe(true);
    const lost = new Promise((resolve) => {
      forwarder.on('event', ({ name, fields }) => name === 'stream-lost' && resolve(fields.peer));
    });
    const ended = once(other, 'close');
    other.on('error', () => {}).resume();
    other.write(Buffer.alloc(2));
    expect(await lost).toBe(peer);
    await ended;
  });

  it('says why it cannot pass a TCP connection, and closes it', async () => {
    const { forwarder } = await start();
    const [passed, other] = await connection();
    await expect(forwarder.passStream('00000000000000bb', passed)).rejects.toMatchObject({
      code: 'stream-failed',
      message: expect.stringContaining('there is no peer 00000000000000bb'),
    });
    await once(other.resume(), 'close');
  });

  it('tells of a kernel path that it has no device for, until it is to forget it', async () => {
    const { forwarder } = await start();
    const peer = '00000000000000aa';
    await forwarder.setPeer({ peer, endpoints: [], networks: [0] });
    const path = { network: 0, peer, mac: '02:00:00:00:00:aa', source: '02:00:00:00:00:bb', mtu: 1410 };
    await forwarder.setKernelPath(path);
    await forwarder.setKernelPath({ ...path, network: 1 });
    const { kernelPaths } = await forwarder.dump();
    expect(kernelPaths).toMatchObject([
      { network: 0, peer, up: false, rtt: null, problem: 'no-device' },
      { network: 1, peer, up: false, rtt: null, problem: 'no-device' },
    ]);
    await forwarder.removeKernelPath(0, peer);
    await forwarder.closeKernelPath(1);
    expect((await forwarder.dump()).kernelPaths).toEqual([]);
  });

  it('says why a kernel path cannot be probed', async () => {
    const { forwarder } = await start();
    await expect(forwarder.openKernelPath(0, 'nosuchdev')).rejects.toMatchObject({
      code: 'kernel-path-failed',
      message: expect.stringMatching(/^the kernel path through nosuchdev cannot be probed: /),
    });
  });

  it('ends it when it is told to', async () => {
    const { forwarder } = await start();
    await forwarder.stop();
    expect(findForwarders(options.controlPath)).toEqual([]);
    expect(forwarder.connected).toBe(false);
    await expect(forwarder.dump()).rejects.toMatchObject({ code: 'forwarder-lost' });
  });

  it('ends one that is just being started', async () => {
    const forwarder = new Forwarder(options);
    mine.push(forwarder);
    const started = forwarder.start();
    await forwarder.stop();
    await started;
    expect(findForwarders(options.controlPath)).toEqual([]);
  });

  it('ends one that does not listen any more', async () => {
    const { forwarder, pid } = await start();
    forwarder.detach();
    process.kill(pid, 'SIGSTOP');
    expect(await endForwarders(options.controlPath)).toBe(1);
    expect(existsSync(options.controlPath)).toBe(false);
    expect(findForwarders(options.controlPath)).toEqual([]);
  });

  /** One of a later weft: a program that understands nothing of what a daemon of this one says. */
  async function foreignProgram(): Promise<string> {
    const error = { code: 'version-mismatch', message: 'this forwarder speaks protocol 2' };
    const answers = `
      const answer = (socket, { id, op }) => {
        if (op !== 'hello') process.exit();
        socket.write(JSON.stringify({ id, error: ${JSON.stringify(error)} }) + '\\n');
      };
      const server = require('node:net').createServer((socket) => socket.on('data', (line) => answer(socket, JSON.parse(line))));
      server.listen(process.argv[process.argv.indexOf('--control') + 1]);`;
    await writeFile(join(directory, 'run'), answers);
    const program = join(directory, 'foreign');
    const script = `#!/bin/bash\ncd ${directory} && exec -a weft-forwarder ${process.execPath} "$@"\n`;
    await writeFile(program, script, { mode: 0o755 });
    return program;
  }

  it('replaces one that is left of another version of weft, and says so', async () => {
    const left = spawn(await foreignProgram(), ['run', '--control', options.controlPath], {
      stdio: 'ignore',
    });
    await until('it listens', () => existsSync(options.controlPath));
    const forwarder = new Forwarder(options);
    mine.push(forwarder);
    const warned = once(forwarder, 'warning');
    const ended = once(left, 'exit');
    await forwarder.start();
    expect((await warned)[0]).toMatchObject({
      code: 'forwarder-replaced',
      message:
        'the running forwarder is replaced: forwarder and daemon are of different versions of weft: this forwarder speaks protocol 2, the daemon protocol 1',
    });
    await ended;
    expect(forwarder.running?.version).toBe(weftVersion());
  });

  it('tells when the program is of another version of weft', async () => {
    await expect(start({ binary: await foreignProgram() })).rejects.toMatchObject({
      code: 'version-mismatch',
      message: expect.stringMatching(/this forwarder speaks protocol 2, the daemon protocol 1$/),
    });
  });

  it('tells why it could not be started', async () => {
    const socket = createSocket('udp4').bind(options.port);
    await once(socket, 'listening');
    await expect(start()).rejects.toMatchObject({
      code: 'forwarder-failed',
      message: expect.stringContaining(String(options.port)),
    });
    socket.close();
    await expect(start({ binary: '/nowhere/weft-forwarder' })).rejects.toMatchObject({
      code: 'program-missing',
    });
  });

  it('gives it nothing but its control path, port and number of workers', async () => {
    const { pid } = await start();
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8'))
      .split('\0')
      .filter((word) => word !== '');
    expect(command.slice(1)).toEqual([
      'run',
      '--control',
      options.controlPath,
      '--port',
      String(options.port),
      '--workers',
      '1',
      '--udp-ports',
      '1',
    ]);
  });
});
