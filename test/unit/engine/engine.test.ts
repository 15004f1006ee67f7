import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventLines } from '../../../src/engine/events.js';
import { Engine, type EngineEvent, engineSockets } from '../../../src/engine/index.js';
import { FakeEngine } from '../../lab/engine.js';

describe('a container engine', () => {
  let directory: string;
  let fake: FakeEngine;
  let engine: Engine;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-engine-'));
    fake = await FakeEngine.start(join(directory, 'engine.sock'));
    engine = new Engine(fake.socketPath);
  });

  afterEach(async () => {
    await fake.end();
    await rm(directory, { recursive: true });
  });

  it('tells of a container by name, id, and the beginning of the id', async () => {
    const id = fake.run('web', 4711);
    for (const wanted of ['web', id, id.slice(0, 12)]) {
      expect(await engine.inspect(wanted)).toMatchObject({
        id,
        name: 'web',
        pid: 4711,
        hostname: id.slice(0, 12),
      });
    }
    fake.stop('web');
    expect(await engine.inspect('web')).toMatchObject({ pid: undefined });
    expect(await engine.inspect('nobody')).toBeUndefined();
  });

  it('that is not there does not say that a container is gone', async () => {
    const inspected = new Engine(join(directory, 'nothing.sock')).inspect('web');
    await expect(inspected).rejects.toMatchObject({ code: 'engine-absent' });
  });

  it('tells when a container starts, is renamed, ends and is removed', async () => {
    const ending = new AbortController();
    const events: EngineEvent[] = [];
    const watching = (async () => {
      for await (const event of engine.events(ending.signal)) events.push(event);
    })().catch(() => {});
    await expect.poll(() => events).toEqual([{ kind: 'connected' }]);
    const id = fake.run('web', 4711);
    fake.rename('web', 'www');
    fake.stop('www');
    fake.remove('www');
    await expect
      .poll(() => events.slice(1))
      .toEqual([
        { kind: 'started', id },
        { kind: 'renamed', id },
        { kind: 'ended', id },
        { kind: 'removed', id },
      ]);
    ending.abort();
    await watching;
  });
});

const ID = 'ab'.repeat(32);
const INSPECTED = { Id: ID, Name: '/web', State: { Pid: 7 }, Config: {} };

/** What no real engine can be made to answer. */
describe('an engine that answers', () => {
  let directory: string;
  let server: Server | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-engine-'));
  });

  afterEach(async () => {
    server?.closeAllConnections();
    await new Promise<unknown>((resolve) => (server === undefined ? resolve(0) : server.close(resolve)));
    await rm(directory, { recursive: true });
  });

  async function answering(answer: (response: ServerResponse) => void): Promise<Engine> {
    const path = join(directory, 'engine.sock');
    server = createServer((_request, response) => answer(response));
    await new Promise<void>((resolve) => server?.listen(path, resolve));
    return new Engine(path);
  }

  const saying = (content: unknown, status = 200) =>
    answering((response) => response.writeHead(status).end(JSON.stringify(content)));

  it('with as little as Podman does is understood', async () => {
    const engine = await saying({ ...INSPECTED, NetworkSettings: { Networks: { podman: {} } } });
    expect(await engine.inspect('web')).toEqual({
      id: ID,
      name: 'web',
      pid: 7,
      hasEnded: false,
      hostname: '',
      image: '',
      labels: {},
      networks: [{ name: 'podman', networkId: '', endpointId: '', aliases: [] }],
    });
  });

  it('with the networks of a container tells of them, without the id among the aliases', async () => {
    const joined = { NetworkID: 'n1', EndpointID: 'e1', Aliases: ['db', ID.slice(0, 12)] };
    const engine = await saying({ ...INSPECTED, NetworkSettings: { Networks: { back: joined } } });
    expect((await engine.inspect('web'))?.networks).toEqual([
      { name: 'back', networkId: 'n1', endpointId: 'e1', aliases: ['db'] },
    ]);
  });

  it.each([
    ['what is not JSON', (response: ServerResponse) => response.end('{'), 'engine-failed', /JSON/],
    [
      'what is not of its API',
      (response: ServerResponse) => response.end('{"Id":4}'),
      'engine-answer',
      /malformed/,
    ],
    [
      'with its own reason',
      (response: ServerResponse) => response.writeHead(500).end('{"message":"no space left"}'),
      'engine-failed',
      /status 500: no space left/,
    ],
    [
      'without an end',
      (response: ServerResponse) => {
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(1 << 20, ' ')));
          response.once('drain', more);
        };
        more();
      },
      'engine-failed',
      /exceeded max size/,
    ],
  ])('%s is refused', async (_what, answer, code, message) => {
    const inspected = (await answering(answer)).inspect('web');
    await expect(inspected).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('never is given up within 5 s, also where its answer only begins', async () => {
    const engine = await answering((response) => response.write('{'));
    const asked = performance.now();
    await expect(engine.inspect('web')).rejects.toMatchObject({
      message: expect.stringMatching(/within 5 s/),
    });
    expect(performance.now() - asked).toBeLessThan(6_000);
  });

  it('with its reason when a network cannot be made is quoted', async () => {
    const engine = await saying({ message: 'plugin "weft" not found' }, 404);
    const request = { name: 'n', driver: 'weft', ipamDriver: 'weft', subnets: [], options: {}, ipv6: false };
    await expect(engine.createNetwork(request)).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringMatching(/plugin "weft" not found/),
    });
  });

  it('with events in pieces of any size is understood', async () => {
    const event = (Type: string, Action: string, more = {}) =>
      `${JSON.stringify({ Type, Action, Actor: { ID, Attributes: { container: ID, label: 'né✓' }, ...more }, time: 2, timeNano: 2_500_000_000 })}\n`;
    const text = Buffer.from(
      event('container', 'start') +
        event('network', 'connect') +
        event('volume', 'destroy') +
        event('network', 'destroy'),
    );
    for (let cut = 1; cut < text.length; cut += 37) {
      const engine = await answering((response) => {
        response.write(text.subarray(0, cut));
        setImmediate(() => response.end(text.subarray(cut)));
      });
      const heard: EngineEvent[] = [];
      for await (const one of engine.events(new AbortController().signal)) heard.push(one);
      expect(heard).toEqual([
        { kind: 'connected' },
        { kind: 'started', id: ID },
        { kind: 'joined', id: ID, at: 2500 },
      ]);
      await new Promise((resolve) => server?.close(resolve));
    }
    server = undefined;
  });
});

describe('lines', () => {
  async function lines(...pieces: readonly Buffer[]): Promise<string[]> {
    async function* all() {
      yield* pieces;
    }
    const found: string[] = [];
    for await (const line of eventLines(all())) found.push(line);
    return found;
  }

  it('are what they were, wherever they are cut, and two in one piece', async () => {
    const text = Buffer.from('{"é":1}\n{"✓":2}\n\nlast\n');
    for (let first = 0; first <= text.length; first += 1)
      for (let second = first; second <= text.length; second += 1)
        expect(
          await lines(text.subarray(0, first), text.subarray(first, second), text.subarray(second)),
        ).toEqual(['{"é":1}', '{"✓":2}', '', 'last']);
  });

  it('are refused when they are longer than any event', async () => {
    await expect(lines(Buffer.alloc(1 << 20), Buffer.alloc(1))).rejects.toMatchObject({
      code: 'engine-answer',
    });
  });
});

describe('the sockets of engines', () => {
  it('are those of Docker and Podman, or the one that DOCKER_HOST names', () => {
    expect(engineSockets({})).toEqual(['/var/run/docker.sock', '/run/podman/podman.sock']);
    expect(engineSockets({ DOCKER_HOST: 'unix:///run/other.sock' })).toEqual(['/run/other.sock']);
    expect(engineSockets({ DOCKER_HOST: 'tcp://192.0.2.1:2375' })).toEqual([]);
  });
});
