import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../../lab/until.js';
import { type CreateOptions, type Dockerd, Killed } from './dockerd.js';
import { World } from './world.js';

/** So long what nobody has is left alone, ms. */
const GRACE = 30_000;
const BLUE: CreateOptions = {
  subnets: ['10.40.0.0/24', 'fd7a:1234:5678::a28:0/120'],
  ipv6: true,
  gateway: '10.40.0.1',
  aux: { printer: '10.40.0.2' },
};

describe('what Docker has no more', () => {
  let world: World;

  beforeEach(async () => {
    world = await World.create();
    await world.plugin.start({ enable: true });
    await until('the network is there', async () => (await world.plugin.status()).ready);
  });

  afterEach(() => world.end());

  const heard = () => world.docker.emit('connected', world.docker);

  async function settled(docker: Dockerd): Promise<void> {
    const used = [...docker.containers.values()].flatMap(({ endpoints }) => endpoints);
    const addresses = used.flatMap((endpoint) =>
      endpoint.addresses.map(({ address }) => address.split('/')[0]),
    );
    const reserved = [...docker.known.values()].flatMap(({ pools }) =>
      pools.flatMap(({ gateway, aux, subnet }) =>
        [gateway, ...Object.values(aux)].filter((each) => each !== subnet).map((each) => each.split('/')[0]),
      ),
    );
    await until('only what Docker has is left', async () => {
      heard();
      world.clock.pass(GRACE);
      expect([...world.host.made.keys()].sort()).toEqual(used.map(({ id }) => id).sort());
      expect([...world.host.held].sort()).toEqual([...addresses, ...reserved].sort());
      const { networks } = await world.plugin.status();
      expect(networks.map(({ id }) => id).sort()).toEqual([...docker.known.keys()].sort());
      expect(networks.reduce((sum, { endpoints }) => sum + endpoints, 0)).toBe(used.length);
      return true;
    });
  }

  /** A network, two containers, one of them stopped: some twenty calls. */
  async function live(docker: Dockerd): Promise<void> {
    const blue = await docker.create('blue', BLUE);
    const weft = [...docker.known.keys()][0] ?? '';
    const web = await docker.run('web', [blue, weft]);
    await docker.run('db', [blue]);
    await docker.stop(web);
  }

  test('is taken away, whatever it was doing when it and the router were killed', async () => {
    let length = 0;
    for (let calls = 0; ; calls++) {
      world.docker.lifetime = calls;
      const died = await live(world.docker).then(
        () => false,
        (error: unknown) => {
          if (error instanceof Killed) return true;
          throw error;
        },
      );
      world.docker.lifetime = Number.POSITIVE_INFINITY;
      await world.restart();
      // A Docker that was killed gives up all containers before it does anything else; its API does not listen yet.
      world.docker.listens = !died;
      if (died) for (const id of [...world.docker.containers.keys()]) await world.docker.stop(id);
      if (died) world.docker.endpoints.clear();
      world.docker.listens = true;
      await settled(world.docker);
      for (const id of [...world.docker.containers.keys()]) await world.docker.stop(id);
      for (const [id, { name }] of [...world.docker.known])
        if (name !== 'weft') await world.docker.removeNetworkOf(id);
      await settled(world.docker);
      length = calls;
      if (!died) break;
    }
    expect(length).toBeGreaterThan(20);
    expect(world.failures).toEqual([]);
  }, 60_000);

  test('stays while Docker does not answer', async () => {
    const weft = [...world.docker.known.keys()][0] ?? '';
    await world.docker.run('web', [weft]);
    await until('it has its names', () => world.host.bound.size === 1);
    world.docker.containers.clear();
    world.docker.endpoints.clear();
    world.docker.listens = false;
    for (let times = 0; times < 3; times++) {
      heard();
      world.clock.pass(GRACE);
      await world.plugin.status();
    }
    expect(world.host.made.size).toBe(1);
    world.docker.listens = true;
    await settled(world.docker);
  });

  test('stays while its container is being started, however busy the host is', async () => {
    const weft = [...world.docker.known.keys()][0] ?? '';
    let start = () => {};
    const started = new Promise<void>((resolve) => {
      start = resolve;
    });
    const run = world.docker.run('web', [weft], { started });
    await until('it waits for its container', () => world.docker.endpoints.size === 1);
    const [starting = ''] = world.docker.endpoints.keys();
    const lost = { NetworkID: weft, EndpointID: 'f'.repeat(64) };
    const Interface = { Address: '10.32.9.9/12', AddressIPv6: '', MacAddress: '' };
    await world.docker.ask('NetworkDriver.CreateEndpoint', { ...lost, Interface, Options: {} });
    await until('what Docker does not list is gone', () => {
      heard();
      world.clock.pass(GRACE);
      return !world.host.made.has(lost.EndpointID);
    });
    expect([...world.host.made.keys()]).toEqual([starting]);
    start();
    await run;
    await settled(world.docker);
  });

  test('goes after a while where Docker lists what no container has', async () => {
    const weft = [...world.docker.known.keys()][0] ?? '';
    await world.docker.run('web', [weft]);
    world.docker.containers.clear();
    await until('it is gone', () => {
      heard();
      world.clock.pass(GRACE);
      return world.host.made.size === 0;
    });
    expect(world.clock.now()).toBeGreaterThan(10 * 60_000);
  });

  test('stays as long as it may be on its way to a container, and goes without anything else happening', async () => {
    const [weft] = world.docker.known.values();
    const PoolID = weft?.pools[0]?.id ?? '';
    world.clock.pass(GRACE);
    await world.docker.ask('IpamDriver.RequestAddress', { PoolID, Address: '', Options: null });
    heard();
    await world.plugin.status();
    expect(world.host.held.size).toBe(1);
    world.clock.pass(GRACE + 1_000);
    await until('nobody took it', () => world.host.held.size === 0);
  });
});
