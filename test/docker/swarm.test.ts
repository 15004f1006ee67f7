import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { until } from '../lab/index.js';
import { onLab } from '../lab/suite.js';
import { makePlugin, PLUGIN, runs, SwarmNode } from '../lab/swarm.js';
import { withoutEngine } from './suite.js';
import { IMAGE, reaches } from './world.js';

/** A manager and a worker, the second of which joined the first one's network by its token. */
const world = onLab(async (lab) => {
  const [hosts, plugin] = [await lab.hosts(2), await makePlugin(lab.directory)];
  const [manager, worker] = [
    await SwarmNode.start(hosts[0], plugin),
    await SwarmNode.start(hosts[1], plugin),
  ];
  await manager.enable();
  const token = await manager.token();
  await worker.enable(`TOKEN=${token}`);
  await manager.manage(worker);
  return { manager, worker, token };
});

const NAMES = ['--dns', '169.254.53.53', '--dns-search', 'weft.local'];

async function network(name: string): Promise<void> {
  const { engine } = world().manager;
  await engine.docker('network', 'create', '-d', PLUGIN, '--ipam-driver', PLUGIN, '--attachable', name);
}

/** Makes a service on the network `shop`, whose containers end at once, and waits until they run. */
async function service(name: string, replicas: number, ...options: string[]): Promise<void> {
  const { manager } = world();
  const ending = ['--stop-signal', 'SIGKILL', '--restart-delay', '200ms'];
  const create = [
    'service',
    'create',
    '--detach',
    '--no-resolve-image',
    '--replicas',
    `${replicas}`,
    ...ending,
  ];
  const where = ['--network', 'shop', ...NAMES, '--name', name, IMAGE];
  await manager.engine.docker(...create, ...options, ...where);
  await runs(manager, name, replicas);
}

async function vipOf(service: string): Promise<string> {
  const format = '{{range .Endpoint.VirtualIPs}}{{.Addr}}{{end}}';
  const text = await world().manager.engine.docker('service', 'inspect', '--format', format, service);
  return text.split('/')[0] ?? '';
}

describe.skipIf(withoutEngine || process.env.WEFT_LONG !== '1')('a swarm whose plugin is weft', () => {
  test('has a network on all hosts, on which services have addresses that nobody else has, and nothing is left of it', async () => {
    const { manager, worker } = world();
    await network('shop');
    await service('web', 3);
    await worker.engine.runOn('shop', 'guest', ...NAMES);
    const guest = (await worker.engine.inspect('guest')).NetworkSettings.Networks.shop?.IPAddress ?? '';

    const [here, there] = [await manager.addressesOf('web', 'shop'), await worker.addressesOf('web', 'shop')];
    expect(here.size).toBeGreaterThan(0);
    expect(there.size).toBeGreaterThan(0);
    const all = [...here.values(), ...there.values(), await vipOf('web'), guest];
    expect(new Set(all).size).toBe(5);
    for (const address of all) expect(address).toMatch(/^10\.3[2-9]\.|^10\.4[0-7]\./);
    expect((await manager.report()).ipam.allocated).toBe(5);
    for (const [from, to] of [
      [here, there],
      [there, here],
    ] as const) {
      const node = from === here ? manager : worker;
      for (const container of from.keys())
        for (const address of [...to.values(), guest]) await reaches(node.engine, container, address, 10_000);
    }
    for (const container of here.keys()) await reaches(manager.engine, container, 'guest.weft.local', 10_000);
    await reaches(worker.engine, 'guest', 'web.weft.local', 10_000);

    await worker.engine.docker('rm', '--force', 'guest');
    await manager.engine.docker('service', 'rm', 'web');
    await until('all addresses are free', async () => (await manager.report()).ipam.allocated === 0);
    await manager.engine.docker('network', 'rm', 'shop');
    for (const node of [manager, worker]) {
      await until('nothing is left', async () => {
        const left = await node.left();
        if (left.length > 0) throw new Error(left.join(', '));
        return true;
      });
    }
  });

  test('keeps the addresses of its services when the Docker of its manager is killed', async () => {
    const { manager, worker } = world();
    await network('shop');
    await service('web', 2, '--replicas-max-per-node', '1');
    const vip = await vipOf('web');
    await manager.engine.stop('SIGKILL');
    await manager.engine.start();
    const [here, there] = await until(
      'its containers run',
      async () => {
        const found = [await manager.addressesOf('web', 'shop'), await worker.addressesOf('web', 'shop')];
        return found.every(({ size }) => size === 1) && (found as [Map<string, string>, Map<string, string>]);
      },
      { within: 40_000 },
    );
    expect(await vipOf('web')).toBe(vip);
    const all = [...here.values(), ...there.values(), vip].sort();
    expect(new Set(all).size).toBe(3);
    await until('these are what the swarm has', () => isDeepStrictEqual(manager.given(), all));
    for (const address of here.values())
      for (const other of there.keys()) await reaches(worker.engine, other, address, 10_000);
    for (const container of here.keys()) await reaches(manager.engine, container, 'web.weft.local', 10_000);
  });
});
