import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Attachment } from '../../../src/api/index.js';
import { FakeEngine } from '../../lab/engine.js';
import { type Container, type Host, lasting, type Running, run, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { attach as give } from '../addresses/ipam.js';
import { pair } from '../pair.js';

const ps = (host: Host) => host.weftJson<Attachment[]>('ps');

async function attachmentOf(host: Host, { namespace }: Container): Promise<Attachment | undefined> {
  return (await ps(host)).find(({ target }) => target === namespace);
}

/** The global addresses of an interface, sorted. */
async function addresses(container: Container, device = 'ethweft'): Promise<string[]> {
  const [link] = await container.ipJson<
    { addr_info: { local: string; prefixlen: number; scope: string }[] }[]
  >('address', 'show', 'dev', device);
  const found = link?.addr_info.filter(({ scope }) => scope === 'global') ?? [];
  return found.map(({ local, prefixlen }) => `${local}/${prefixlen}`).sort();
}

describe('an attached container', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    return await pair(a, b);
  });

  test('may have many addresses, which come and go alone', async () => {
    const { a, c2 } = world();
    const many = await a.container('many');
    await many.attach('10.32.0.11/24', '10.33.0.1/16');
    await many.attach('10.32.0.12/24', 'fd32::11/64');
    expect(await addresses(many)).toEqual(['10.32.0.11/24', '10.32.0.12/24', '10.33.0.1/16', 'fd32::11/64']);
    for (const address of ['10.32.0.11', '10.32.0.12', 'fd32::11']) await c2.reaches(address);
    await a.weft('detach', many.namespace, '10.32.0.11/24');
    expect(await addresses(many)).toEqual(['10.32.0.12/24', '10.33.0.1/16', 'fd32::11/64']);
    await c2.reaches('10.32.0.12');
    expect(await c2.ping('10.32.0.11')).toBe(false);
    await many.detach();
    expect((await many.ipJson<object[]>('link')).length).toBe(1);
    expect(await attachmentOf(a, many)).toBeUndefined();
  });

  test('sends multicast through its interface, unless told not to or there is another way', async () => {
    const { a } = world();
    const routes = async (container: Container) =>
      (await container.ipJson<{ dst: string; dev: string }[]>('route')).filter(
        ({ dst }) => dst === '224.0.0.0/4',
      );
    const [with_, without, own] = [await a.container('m1'), await a.container('m2'), await a.container('m3')];
    await with_.attach('10.32.0.21/24');
    expect(await routes(with_)).toMatchObject([{ dev: 'ethweft' }]);
    await without.attach('10.32.0.22/24', '--no-multicast-route');
    expect(await routes(without)).toEqual([]);
    await own.ip('link add other type bridge', 'link set other up', 'route add 224.0.0.0/4 dev other');
    await own.attach('10.32.0.23/24');
    expect(await routes(own)).toMatchObject([{ dev: 'other' }]);
  });

  test('of a subnet meets only that subnet', async () => {
    const { a, b, c1 } = world();
    const [near, far] = [await a.container('near'), await b.container('far')];
    await near.attach('10.34.0.1/24');
    await far.attach('10.34.0.2/24');
    await near.reaches(far.address);
    expect(await near.ping(c1.address)).toBe(false);
  });

  test('is reached at once at an address that another container had', async () => {
    const { a, b, c1 } = world();
    const [before, after] = [await b.container('before'), await a.container('after')];
    await before.attach('10.32.0.31/24');
    await c1.reaches('10.32.0.31');
    await before.detach();
    await after.attach('10.32.0.31/24');
    expect(await c1.ping('10.32.0.31')).toBe(true);
    await after.detach();
    await before.attach('10.32.0.31/24');
    expect(await c1.ping('10.32.0.31')).toBe(true);
  });

  test('that is there already is reached at once at an address that is added to it, of one that left or that died', async () => {
    const { a, b } = world();
    const [near, far] = [await a.container('asker1'), await b.container('asker2')];
    await near.attach('10.77.0.1/24');
    await far.attach('10.77.0.2/24');
    const [before, after] = [await b.container('former'), await a.container('heir')];
    await after.attach('10.77.0.40/24');
    for (const [address, leave] of [
      ['10.77.0.41', () => before.detach()],
      ['10.77.0.42', () => before.end()],
    ] as const) {
      await before.attach(`${address}/24`);
      for (const asker of [near, far]) await asker.reaches(address);
      await leave();
      await after.attach(`${address}/24`);
      for (const asker of [near, far]) expect(await asker.ping(address)).toBe(true);
    }
  });

  test('keeps its address to itself', async () => {
    const { a, c1 } = world();
    const other = await a.container('thief');
    const { code, stderr } = await a.tryWeft('attach', other.namespace, c1.addresses[0] ?? '');
    expect(code).toBe(1);
    expect(stderr).toContain(c1.namespace);
  });

  test('is refused an address that cannot be its own, in one sentence, and so is the host', async () => {
    const { a } = world();
    const container = await a.container('nobody');
    for (const address of [
      '10.33.7.255/24',
      '10.33.7.0/24',
      '169.254.53.53/16',
      'fd33::/64',
      '240.0.0.1/8',
    ]) {
      for (const command of [['attach', container.namespace], ['expose']]) {
        const { code, stderr } = await a.tryWeft(...command, address);
        expect({ code, stderr }).toEqual({
          code: 2,
          stderr: expect.stringMatching(/^weft: \S+ is [^\n]+: choose another\n$/),
        });
      }
    }
    expect((await container.ipJson<object[]>('link')).length).toBe(1);
    expect(await a.weftJson('status')).toMatchObject({ exposed: [] });
  });

  test('has the same addresses and the same MAC again when it is restarted', async () => {
    const { a, b, c2 } = world();
    const container = await b.container('restarted');
    await container.attach('10.32.0.41/24', 'fd32::41/64');
    const before = await container.device();
    await container.restart();
    await until('it is attached again', async () => (await addresses(container)).length === 2);
    expect(await addresses(container)).toEqual(['10.32.0.41/24', 'fd32::41/64']);
    expect((await container.device()).address).toBe(before.address);
    await container.reaches(c2.address);
    expect((await attachmentOf(b, container))?.present).toBe(true);
    expect(await attachmentOf(a, container)).toBeUndefined();
  });

  test('is attached anew in a namespace of its name though a process lives on in the former one', async () => {
    const { a, c2 } = world();
    const container = await a.container('anew');
    await container.attach('10.32.0.43/24', 'fd32::43/64');
    const before = await container.device();
    const staying = container.start(['sh', '-c', 'echo $$; exec sleep 1000']);
    await staying.says(/\d+\n/);
    const pid = staying.stdout.trim();
    await container.restart();
    await until('it is attached again', async () => (await addresses(container)).length === 2, {
      within: 5_000,
    });
    expect((await container.device()).address).toBe(before.address);
    await container.reaches(c2.address);
    const left = await run(['nsenter', `--net=/proc/${pid}/ns/net`, 'ip', '-brief', 'link']);
    expect(left).not.toContain('ethweft');
    expect(await attachmentOf(a, container)).toMatchObject({ present: true });
    await staying.stop('SIGKILL');
  });

  test('stays attached while its namespace lives on without a name', async () => {
    const { a, c2 } = world();
    const container = await a.container('nameless');
    await container.attach('10.32.0.44/24');
    const staying = container.start(['sh', '-c', 'echo up; exec sleep 1000']);
    await staying.says(/up/);
    await container.end();
    await lasting(5); // long enough to be looked at twice
    await c2.reaches('10.32.0.44');
    expect(await attachmentOf(a, container)).toMatchObject({ present: true });
    await staying.stop('SIGKILL');
  });

  test('finds names as soon as it is attached, to a network that is new on its host, too', async () => {
    const { a } = world();
    await a.weft('network', 'create', 'fresh', '--subnet', '10.98.0.0/24');
    for (let i = 1; i <= 3; i += 1) {
      const container = await a.container(`asking${i}`);
      const network = i === 1 ? ['--network', 'fresh', '10.98.0.1/24'] : [`10.32.0.${44 + i}/24`];
      await container.attach(...network);
      const question = [
        'dig',
        '+short',
        '+tries=1',
        '+time=1',
        '@169.254.53.53',
        `${container.namespace}.weft.local`,
      ];
      expect((await container.run(question)).trim()).toBe(container.address);
    }
  });

  test('gets its interface again when somebody removed it, or the bridge', async () => {
    const { a, c1, c2 } = world();
    await c1.ip('link delete ethweft');
    await c1.reaches(c2.address);
    await a.ip('link delete weft');
    await c1.reaches(c2.address);
    await a.ip('link set weft down');
    await a.weft('stop');
    await a.launch();
    await c1.reaches(c2.address);
  });

  test('is left as it is by a daemon that takes the place of a killed one', async () => {
    const { a, c1, c2 } = world();
    const before = [await c1.ipJson('link'), await addresses(c1)];
    process.kill(a.daemon, 'SIGKILL');
    await until('its end is seen', async () => (await a.tryWeft('status')).code === 3);
    await a.launch();
    expect([await c1.ipJson('link'), await addresses(c1)]).toEqual(before);
    await c1.reaches(c2.address);
    expect(await attachmentOf(a, c1)).toMatchObject({ present: true, addresses: c1.addresses });
  });

  test('that is gone is forgotten when the router is launched again', async () => {
    const { a } = world();
    const container = await a.container('gone');
    await container.attach('10.32.0.51/24');
    await a.weft('stop');
    await container.end();
    await a.launch();
    expect(await attachmentOf(a, container)).toBeUndefined();
    const next = await a.container('next');
    await next.attach('10.32.0.51/24');
  });
});

describe('a container of an engine', () => {
  const world = onLab(async (lab) => {
    const [a] = await lab.hosts(1);
    const engine = await FakeEngine.start(join(lab.directory, 'engine.sock'));
    await run(['env', `DOCKER_HOST=unix://${engine.socketPath}`, ...a.weftCommand(['launch'])], {
      env: a.environment,
    });
    return { a, engine };
  });

  const inside = async (host: Host, name: string): Promise<{ container: Container; process: Running }> => {
    const container = await host.container(name);
    const process = container.start(['sh', '-c', 'echo up; exec sleep 1000']);
    await process.says(/up/);
    return { container, process };
  };

  type Inside = Awaited<ReturnType<typeof inside>>;

  const isStopped = async (
    { a, engine }: ReturnType<typeof world>,
    name: string,
    { container, process }: Inside,
  ) => {
    engine.stop(name);
    await process.stop('SIGKILL');
    await container.end();
    await until('it is seen as stopped', async () => (await ps(a)).some(({ present }) => !present));
  };

  const isRemoved = async ({ a, engine }: ReturnType<typeof world>, name: string, { process }: Inside) => {
    engine.stop(name);
    engine.remove(name);
    await process.stop('SIGKILL');
    await until('it is forgotten', async () => (await ps(a)).length === 0);
  };

  test('keeps the address that it was given when it is restarted, though a lower one is free', async () => {
    const { a, engine } = world();
    const low = await a.container('low');
    const lowest = await give(low);
    const first = await inside(a, 'given1');
    engine.run('weft-test-db', first.process.pid);
    await a.weft('attach', 'weft-test-db');
    const given = await addresses(first.container);
    expect(given).not.toContain(lowest);
    await low.detach();
    await until('its events are followed', () => engine.listeners === 1);

    await isStopped(world(), 'weft-test-db', first);
    const second = await inside(a, 'given2');
    engine.run('weft-test-db', second.process.pid);
    await until('it is attached again', async () => (await addresses(second.container)).length > 0);
    expect(await addresses(second.container)).toEqual(given);

    await isRemoved(world(), 'weft-test-db', second);
    expect(await give(low)).toBe(lowest);
    await low.detach();
  });

  test('is attached by name, follows its restarts, and frees its address when it is removed', async () => {
    const { a, engine } = world();
    try {
      const first = await inside(a, 'run1');
      const id = engine.run('weft-test-web', first.process.pid);
      const attached = await a.weftJson<Attachment>('attach', 'weft-test-web', '10.32.0.61/24');
      expect(attached).toMatchObject({
        id,
        name: 'weft-test-web',
        target: 'weft-test-web',
        network: 'default',
      });
      expect(await addresses(first.container)).toEqual(['10.32.0.61/24']);
      await until('its events are followed', () => engine.listeners === 1);

      await isStopped(world(), 'weft-test-web', first);
      const stranger = await a.container('stranger');
      expect((await a.tryWeft('attach', stranger.namespace, '10.32.0.61/24')).code).toBe(1);

      const second = await inside(a, 'run2');
      engine.run('weft-test-web', second.process.pid);
      await until('it is attached again', async () => (await addresses(second.container)).length === 1);
      expect(await addresses(second.container)).toEqual(['10.32.0.61/24']);
      expect((await second.container.device()).address).toBe(attached.mac);

      await isRemoved(world(), 'weft-test-web', second);
      await stranger.attach('10.32.0.61/24');
    } finally {
      await engine.end();
    }
  });

  test('that nobody knows is told with a remedy', async () => {
    const { a } = world();
    const { code, stderr } = await a.tryWeft('attach', 'nobody', '10.32.0.62/24');
    expect(code).toBe(1);
    expect(stderr).toMatch(/docker ps/);
  });
});
