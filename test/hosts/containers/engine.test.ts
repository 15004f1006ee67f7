import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Attachment, Name } from '../../../src/api/index.js';
import { FakeEngine } from '../../lab/engine.js';
import { type Container, type Host, type Running, run, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';

const world = onLab(async (lab) => {
  const [a] = await lab.hosts(1);
  const engine = await FakeEngine.start(join(lab.directory, 'engine.sock'));
  const launch = async () => {
    const command = ['env', `DOCKER_HOST=unix://${engine.socketPath}`, ...a.weftCommand(['launch'])];
    await run(command, { env: a.environment });
  };
  await launch();
  return { a, engine, launch };
});

/** A process that lives in a namespace, as one of a container does. */
async function processIn(container: Container): Promise<{ pid: number; process: Running }> {
  const process = container.start(['sh', '-c', 'echo $$; exec sleep 1000']);
  await process.says(/\d+\n/);
  return { pid: Number(process.stdout), process };
}

const ps = (host: Host) => host.weftJson<Attachment[]>('ps');
const namesOf = async (host: Host) =>
  (await host.weftJson<{ names: Name[] }>('status', 'dns')).names
    .map(({ name }) => name.split('.')[0])
    .sort();
const lookup = async (host: Host, name: string) =>
  (await host.weftJson<{ answers: string[] }>('dns-lookup', name)).answers;

describe('a container that is renamed', () => {
  test('is called by its new name by ps and DNS, also when that happened while no router ran; a name that a user chose stays', async () => {
    const { a, engine, launch } = world();
    const [first, second] = [await a.container('r1'), await a.container('r2')];
    engine.run('weft-test-web', (await processIn(first)).pid);
    engine.run('weft-test-cache', (await processIn(second)).pid);
    await a.weft('attach', 'weft-test-web', '10.32.1.1/24');
    await a.weft('attach', 'weft-test-cache', '10.32.1.2/24', '--name', 'chosen');
    await until('its events are followed', () => engine.listeners === 1);
    engine.rename('weft-test-web', 'weft-test-shop');
    engine.rename('weft-test-cache', 'weft-test-store');
    await until('its name is answered', async () =>
      (await lookup(a, 'weft-test-shop')).includes('10.32.1.1'),
    );
    await until(
      'both are seen',
      async () =>
        (await ps(a))
          .map(({ target }) => target)
          .sort()
          .join() === 'weft-test-shop,weft-test-store',
    );
    expect((await ps(a)).map(({ name }) => name).sort()).toEqual(['chosen', 'weft-test-shop']);
    expect(await namesOf(a)).not.toContain('weft-test-web');
    expect(await lookup(a, 'chosen')).toEqual(['10.32.1.2']);

    await a.weft('stop');
    engine.rename('weft-test-shop', 'weft-test-mall');
    await launch();
    await until('its name is answered', async () =>
      (await lookup(a, 'weft-test-mall')).includes('10.32.1.1'),
    );
    expect((await a.tryWeft('detach', 'weft-test-shop')).code).toBe(1);
    await a.weft('detach', 'weft-test-mall');
    await a.weft('detach', 'weft-test-store');
    expect(await ps(a)).toEqual([]);
  });
});

describe('containers in one network namespace', () => {
  test('share an interface under a name each, and leave it one by one', async () => {
    const { a, engine } = world();
    const box = await a.container('pod');
    engine.run('weft-test-first', (await processIn(box)).pid);
    engine.run('weft-test-second', (await processIn(box)).pid);
    await a.weft('attach', 'weft-test-first', '10.32.2.1/24');
    const said = await a.weft('attach', 'weft-test-second');
    expect(said).toContain('10.32.2.1/24');
    expect(said).toMatch(/namespace with weft-test-first/);
    expect(await ps(a)).toMatchObject([
      {
        name: 'weft-test-first',
        addresses: ['10.32.2.1/24'],
        present: true,
        sharedWith: ['weft-test-second'],
      },
      {
        name: 'weft-test-second',
        addresses: ['10.32.2.1/24'],
        present: true,
        sharedWith: ['weft-test-first'],
      },
    ]);
    for (const name of ['weft-test-first', 'weft-test-second'])
      expect(await lookup(a, name)).toEqual(['10.32.2.1']);

    await a.weft('detach', 'weft-test-first');
    expect(await ps(a)).toMatchObject([
      { name: 'weft-test-second', addresses: ['10.32.2.1/24'], sharedWith: [] },
    ]);
    expect(await lookup(a, 'weft-test-second')).toEqual(['10.32.2.1']);
    expect(await namesOf(a)).not.toContain('weft-test-first');
    expect((await box.device()).ifname).toBe('ethweft');

    await a.weft('attach', 'weft-test-first');
    await a.weft('detach', 'weft-test-first');
    expect((await ps(a)).map(({ name }) => name)).toEqual(['weft-test-second']);
    await a.weft('detach', 'weft-test-second');
    expect(await ps(a)).toEqual([]);
    expect(await box.ipJson<object[]>('link')).toHaveLength(1);
  });

  test('keep it over a restart of the router, and when the one that had it first is removed', async () => {
    const { a, engine, launch } = world();
    const box = await a.container('pod2');
    const [one, two] = [await processIn(box), await processIn(box)];
    engine.run('weft-test-one', one.pid);
    engine.run('weft-test-two', two.pid);
    await a.weft('attach', 'weft-test-one', '10.32.2.2/24');
    await a.weft('attach', 'weft-test-two');
    await a.weft('stop');
    await launch();
    expect((await ps(a)).map(({ name, present }) => [name, present])).toEqual([
      ['weft-test-one', true],
      ['weft-test-two', true],
    ]);
    await until('its events are followed', () => engine.listeners === 1);
    engine.stop('weft-test-one');
    engine.remove('weft-test-one');
    await until(
      'the other has it alone',
      async () => (await ps(a)).map(({ name }) => name).join() === 'weft-test-two',
    );
    await until('it is there', async () => (await ps(a))[0]?.present === true);
    expect((await box.device()).ifname).toBe('ethweft');
    await a.weft('detach', 'weft-test-two');
    // The address that was the first one's is free for it again.
    const next = await a.container('next');
    engine.run('weft-test-one', (await processIn(next)).pid);
    await a.weft('attach', 'weft-test-one', '10.32.2.2/24');
    await a.weft('detach', 'weft-test-one');
  });

  test('may part: who was there first takes its addresses along when it is restarted elsewhere', async () => {
    const { a, engine } = world();
    const [box, elsewhere] = [await a.container('pod3'), await a.container('pod4')];
    engine.run('weft-test-goer', (await processIn(box)).pid);
    engine.run('weft-test-stayer', (await processIn(box)).pid);
    await a.weft('attach', 'weft-test-goer', '10.32.2.3/24');
    await a.weft('attach', 'weft-test-stayer');
    await until('its events are followed', () => engine.listeners === 1);
    engine.stop('weft-test-goer');
    engine.run('weft-test-goer', (await processIn(elsewhere)).pid);
    await until('it is attached there', async () => (await elsewhere.device()).ifname === 'ethweft');
    await until('the other is seen without', async () =>
      (await ps(a)).some(({ name, present }) => name === 'weft-test-stayer' && !present),
    );
    expect(await box.ipJson<object[]>('link')).toHaveLength(1);
    expect(await namesOf(a)).not.toContain('weft-test-stayer');
    await a.weft('detach', 'weft-test-stayer');
    await a.weft('detach', 'weft-test-goer');
    expect(await ps(a)).toEqual([]);
  });
});

describe('a name that is of several things', () => {
  test('is refused with the ways to say which, and understood with a prefix', async () => {
    const { a, engine } = world();
    const [box, space] = [await a.container('boxed'), await a.container('both')];
    engine.run(space.namespace, (await processIn(box)).pid);
    const refused = await a.tryWeft('attach', space.namespace, '10.32.3.1/24');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`netns:${space.namespace} or container:${space.namespace}`);
    expect(await ps(a)).toEqual([]);

    await a.weft('attach', `container:${space.namespace}`, '10.32.3.1/24', '--name', 'boxed');
    expect((await box.device()).ifname).toBe('ethweft');
    await a.weft('attach', `netns:${space.namespace}`, '10.32.3.2/24', '--name', 'spaced');
    expect((await space.device()).ifname).toBe('ethweft');
    for (const command of [['detach'], ['dns-add', '-h', 'more']]) {
      const { code, stderr } = await a.tryWeft(...command, space.namespace);
      expect(code).toBe(1);
      expect(stderr).toContain(`container:${space.namespace}`);
    }
    await a.weft('dns-add', `netns:${space.namespace}`, '-h', 'more');
    expect(await lookup(a, 'more')).toEqual(['10.32.3.2']);
    await a.weft('detach', `netns:${space.namespace}`);
    expect(await ps(a)).toMatchObject([{ name: 'boxed' }]);
    await a.weft('detach', space.namespace);
    expect(await ps(a)).toEqual([]);
  });

  test('is a number: of a process, of a container, and of a namespace', async () => {
    const { a, engine } = world();
    const [box, other] = [await a.container('numbered'), await a.container('process')];
    const { pid } = await processIn(other);
    engine.run(`${pid}`, (await processIn(box)).pid);
    const refused = await a.tryWeft('attach', `${pid}`, '10.32.4.1/24');
    expect(refused.stderr).toContain(`pid:${pid} or container:${pid}`);
    await a.weft('attach', `pid:${pid}`, '10.32.4.1/24');
    expect((await other.device()).ifname).toBe('ethweft');
    await a.weft('attach', `container:${pid}`, '10.32.4.2/24');
    expect((await box.device()).ifname).toBe('ethweft');
    await a.weft('detach', `container:${pid}`);
    await a.weft('detach', `pid:${pid}`);
    expect(await ps(a)).toEqual([]);
  });

  test('is that of nothing of the kind that a prefix asks for', async () => {
    const { a } = world();
    const space = await a.container('only-space');
    for (const target of [
      `container:${space.namespace}`,
      'netns:nowhere',
      'pid:nobody',
      'container:',
      'netns:',
    ]) {
      const { code, stderr } = await a.tryWeft('attach', target, '10.32.5.1/24');
      expect(code).toBe(1);
      expect(stderr).toMatch(/^weft: there is no|is not a namespace|no container/);
    }
  });
});
