import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { Containers } from '../../src/daemon/attachments/containers.js';
import { Engine, type EngineEvent } from '../../src/engine/index.js';
import { DockerEngine, type Host, Running } from '../lab/index.js';
import { onLab } from '../lab/suite.js';
import { withoutEngine } from './suite.js';

/** ms */
const SOON = { timeout: 10_000 };

const world = onLab(async (lab) => {
  const [a, b] = await lab.hosts(2);
  const [docker, other] = [await DockerEngine.start(a), await DockerEngine.start(b)];
  return { a, b, docker, other, engine: new Engine(docker.socket) };
});

/** What is heard of a container while something is done. */
async function heardOf(name: string, act: (docker: DockerEngine) => Promise<unknown>): Promise<string[]> {
  const { docker, engine } = world();
  const { Id } = await docker.inspect(name);
  const ending = new AbortController();
  const heard: EngineEvent[] = [];
  const listening = (async () => {
    for await (const event of engine.events(ending.signal)) heard.push(event);
  })().catch(() => {});
  await expect.poll(() => heard, SOON).toEqual([{ kind: 'connected' }]);
  await act(docker);
  const marker = await docker.run(`${name}-marker`);
  const isMarked = (event: EngineEvent) => event.kind === 'started' && event.id === marker;
  await expect.poll(() => heard.some(isMarked), SOON).toBe(true);
  ending.abort();
  await listening;
  return heard.flatMap((event) => (event.kind !== 'connected' && event.id === Id ? [event.kind] : []));
}

describe.skipIf(withoutEngine)('a Docker engine', () => {
  test('tells of a container and of the networks that it is on', async () => {
    const { docker, engine } = world();
    await docker.docker('network', 'create', 'front');
    const id = await docker.runOn('front', 'web', '--network-alias', 'shop', '--label', 'a=b');
    const { NetworkSettings } = await docker.inspect('web');
    const { NetworkID, EndpointID } = NetworkSettings.Networks.front ?? {};
    expect(await engine.inspect(id.slice(0, 12))).toMatchObject({
      id,
      name: 'web',
      hostname: id.slice(0, 12),
      labels: { a: 'b' },
      networks: [
        {
          name: 'front',
          networkId: NetworkID,
          endpointId: EndpointID,
          aliases: expect.arrayContaining(['shop']),
        },
      ],
    });
    expect(await engine.running('a')).toEqual([id]);
    await docker.docker('pause', 'web');
    expect(await engine.running()).toContain(id);
    await docker.docker('unpause', 'web');
    expect(await engine.inspect('nobody')).toBeUndefined();
  });

  test('tells when a container joins and leaves a network, starts, is renamed, ends and is removed', async () => {
    const { docker } = world();
    await docker.docker('network', 'create', 'back');
    await docker.docker('create', '--name', 'job', '--network', 'back', 'busybox:lab');
    const heard = await heardOf('job', async () => {
      await docker.docker('start', 'job');
      await docker.docker('network', 'connect', 'bridge', 'job');
      await docker.docker('rename', 'job', 'task');
      await docker.docker('rm', '--force', 'task');
    });
    expect(heard.filter((kind) => kind !== 'left')).toEqual([
      'joined',
      'started',
      'joined',
      'renamed',
      'ended',
      'removed',
    ]);
    expect(heard).toContain('left');
  });

  test('makes, describes, lists and removes networks', async () => {
    const { engine, docker } = world();
    const request = {
      driver: 'bridge',
      ipamDriver: 'default',
      options: { 'com.docker.network.driver.mtu': '1400' },
    };
    const subnet = {
      subnet: '10.77.0.0/16',
      ipRange: '10.77.4.0/24',
      gateway: '10.77.0.1',
      aux: { printer: '10.77.0.9' },
    };
    const id = await engine.createNetwork({ ...request, name: 'made', subnets: [subnet], ipv6: false });
    const made = {
      id,
      name: 'made',
      driver: 'bridge',
      options: request.options,
      subnets: [subnet],
      endpoints: [] as string[],
    };
    expect(await engine.network(id)).toEqual(made);
    await docker.runOn('made', 'user');
    const { NetworkSettings } = await docker.inspect('user');
    expect((await engine.network(id))?.endpoints).toEqual([NetworkSettings.Networks.made?.EndpointID]);
    await docker.docker('rm', '--force', 'user');
    expect(await engine.networks()).toContainEqual({ id, name: 'made' });
    const again = engine.createNetwork({ ...request, name: 'made', subnets: [], ipv6: false });
    await expect(again).rejects.toMatchObject({ message: expect.stringMatching(/already exists/) });
    await engine.removeNetwork(id);
    await engine.removeNetwork(id);
    expect(await engine.network(id)).toBeUndefined();
  });
});

describe.skipIf(withoutEngine)('a container', () => {
  test('is told once when it starts on a network, and again when it joins another one while it runs', async () => {
    const { docker } = world();
    vi.stubEnv('DOCKER_HOST', `unix://${docker.socket}`);
    const containers = new Containers();
    vi.unstubAllEnvs();
    const told: string[][] = [];
    containers.on('started', (_engine, { networks }) => told.push(networks.map(({ name }) => name).sort()));
    const connected = once(containers, 'connected');
    containers.watchAll();
    await connected;
    await docker.docker('network', 'create', 'one');
    await docker.docker('network', 'create', 'two');
    await docker.runOn('one', 'mover');
    await expect.poll(() => told, SOON).toEqual([['one']]);
    await docker.docker('network', 'connect', 'two', 'mover');
    await expect.poll(() => told, SOON).toEqual([['one'], ['one', 'two']]);
    await docker.runOn('one', 'last');
    await expect.poll(() => told, SOON).toEqual([['one'], ['one', 'two'], ['one']]);
    containers.stop();
  });
});

/** The smallest driver that there can be; says what it is asked for. */
const DRIVER = `
  const answers = { Activate: { Implements: ['NetworkDriver'] }, GetCapabilities: { Scope: 'local' } };
  const answer = (request, response) => {
    const asked = request.url.split('.')[1];
    console.log(asked);
    response.end(JSON.stringify(answers[asked] ?? {}));
  };
  require('node:http').createServer(answer).listen('/run/docker/plugins/probe.sock', () => console.log('listening'));`;

async function driverOn(host: Host): Promise<Running> {
  mkdirSync(join(host.runDocker, 'plugins'), { recursive: true });
  const driver = new Running(host.own([process.execPath, '-e', DRIVER]));
  await driver.says(/listening/);
  return driver;
}

describe.skipIf(withoutEngine)('drivers of one name on two hosts', () => {
  test('are each found by the engine of their own host', async () => {
    const { a, b, docker, other } = world();
    const [first, second] = [await driverOn(a), await driverOn(b)];
    await docker.docker('network', 'create', '--driver', 'probe', 'probed');
    expect(first.stdout).toMatch(/CreateNetwork/);
    expect(second.stdout).toBe('listening\n');
    await other.docker('network', 'create', '--driver', 'probe', 'probed');
    expect(second.stdout).toMatch(/CreateNetwork/);
    for (const engine of [docker, other]) await engine.docker('network', 'rm', 'probed');
  });
});
