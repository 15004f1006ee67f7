import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { DnsReport } from '../../src/api/index.js';
import { digs } from '../hosts/names/dig.js';
import { type Container, DockerEngine, until } from '../lab/index.js';
import { onLab } from '../lab/suite.js';
import { withoutEngine } from './suite.js';

interface Row {
  target: string;
  name: string | null;
  addresses: string[];
  network: string;
}

/** A host with a Docker engine, and another one with a container that asks. */
const world = onLab(async (lab) => {
  const [a, b] = await lab.hosts(2);
  const engine = await DockerEngine.start(a);
  await a.launch();
  await b.launch({ token: await a.token() });
  const far = await b.container('far', '10.32.0.2/12');
  return { a, b, engine, far };
});

afterEach(async () => {
  await world().engine.clear();
  await until('nothing is attached', async () => (await attached()).length === 0);
});

const attached = async () => await world().a.weftJson<Row[]>('ps');

/** Waits until a container is attached; gives its first address. */
async function addressOf(name: string): Promise<string> {
  const row = await until(`${name} is attached`, async () =>
    (await attached()).find((one) => one.name === name),
  );
  return row.addresses[0]?.split('/')[0] ?? '';
}

async function isReached(far: Container, name: string, address: string): Promise<void> {
  await until(`${name} is reached`, () => far.ping(address));
  await digs(far, [`${name}.weft.local`], [address]);
}

describe.skipIf(withoutEngine)('a container whose labels say so', () => {
  test('is on the network when it runs, with an address, its name, and the labels that others are to know', async () => {
    const { b, engine, far } = world();
    await engine.run('web', '--label', 'weft.attach=true', '--label', 'weft.label.app=shop');
    await isReached(far, 'web', await addressOf('web'));
    await until('the other host knows its label', async () => {
      const { names } = await b.weftJson<DnsReport>('status', 'dns');
      return names.find(({ name }) => name === 'web.weft.local')?.labels.app === 'shop';
    });
    await engine.docker('rm', '--force', 'web');
    await digs(far, ['web.weft.local'], []);
  });

  test('gets the addresses, the name and the network that it names', async () => {
    const { a, engine, far } = world();
    await engine.run('db', '--label', 'weft.attach=10.32.7.7/12 fd32::7/64', '--label', 'weft.name=store');
    expect(await addressOf('store')).toBe('10.32.7.7');
    await isReached(far, 'store', '10.32.7.7');
    await a.weft('network', 'create', 'backend', '--subnet', '10.40.0.0/16');
    await engine.run('job', '--label', 'weft.attach=true', '--label', 'weft.network=backend');
    await addressOf('job');
    expect((await attached()).find(({ name }) => name === 'job')?.network).toBe('backend');
  });

  test.runIf(process.env.WEFT_LONG === '1')(
    'is attached when the router starts after it, and stays what it was over restarts of either',
    async () => {
      const { a, engine, far } = world();
      await a.weft('stop');
      await engine.run('late', '--label', 'weft.attach=true', '--restart', 'always');
      await a.launch();
      const address = await addressOf('late');
      await isReached(far, 'late', address);
      await engine.docker('restart', '--time', '0', 'late');
      await isReached(far, 'late', address);
      await engine.stop('SIGKILL');
      await engine.start();
      await isReached(far, 'late', address);
    },
  );

  test('runs on without the network where a label cannot be kept to, and the log says why', async () => {
    const { a, engine } = world();
    await engine.run('odd', '--label', 'weft.attach=everywhere');
    const log = join(a.runDirectory, 'daemon.log');
    await until('the log says so', () =>
      /odd is not attached as its labels say.*everywhere/.test(readFileSync(log, 'utf8')),
    );
    expect((await engine.try('exec', 'odd', 'true')).code).toBe(0);
    expect(await attached()).toEqual([]);
  });

  test('is not attached by labels that its image brought', async () => {
    const { engine, far } = world();
    await engine.image('greedy:lab', 'LABEL weft.attach=10.32.0.9');
    await engine.docker('run', '--detach', '--network', 'none', '--name', 'guest', 'greedy:lab');
    await engine.run('after', '--label', 'weft.attach=true'); // what came before it was looked at
    await isReached(far, 'after', await addressOf('after'));
    expect((await attached()).map(({ name }) => name)).toEqual(['after']);
  });
});
