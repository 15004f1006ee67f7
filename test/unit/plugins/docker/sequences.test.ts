import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WeftError } from '../../../../src/errors.js';
import { until } from '../../../lab/until.js';
import { World } from './world.js';

const SIX = 'fd7a:1234:5678::a20:0/112';

describe('Docker', () => {
  let world: World;

  beforeEach(async () => {
    world = await World.create();
    await world.plugin.start({ enable: true });
    await until('the network is there', async () => (await world.plugin.status()).ready);
  });

  afterEach(async () => {
    expect(world.failures).toEqual([]);
    await world.end();
  });

  const weft = () => [...world.docker.known.values()].find(({ name }) => name === 'weft')?.id ?? '';
  const addressesOf = (index = 0) => [...world.host.made.values()][index]?.addresses;

  test('is given a network `weft` of the default subnet, which is the network of `weft attach`', async () => {
    const [network] = (await world.plugin.status()).networks;
    expect(network).toMatchObject({ name: 'weft', network: 'default', fault: null, endpoints: 0 });
    expect(network?.subnets).toEqual(['10.32.0.0/16']);
    expect(world.host.ensured.size).toBe(0);
    expect([...world.host.held]).toEqual([]);
  });

  test('keeps a network of that name that is not ours, and says so', async () => {
    await world.docker.removeNetworkOf(weft());
    const network = {
      id: 'b'.repeat(64),
      name: 'weft',
      driver: 'bridge',
      internal: false,
      options: {},
      subnets: [],
      pools: [],
    };
    world.docker.known.set(network.id, network);
    world.docker.emit('connected', world.docker);
    await until('it is noticed', () => world.notices.some((text) => text.includes('driver bridge')));
    expect((await world.plugin.status()).faults).toEqual([expect.stringContaining('docker network rm weft')]);
  });

  test('runs a container with two addresses and gives all back when it ends', async () => {
    const network = await world.docker.create('both', { subnets: ['10.40.0.0/16', SIX], ipv6: true });
    const id = await world.docker.run('web', [network]);
    const [endpoint] = world.host.made.values();
    expect(endpoint).toMatchObject({
      network: 'both',
      addresses: ['10.40.0.1/16', 'fd7a:1234:5678::a20:1/112'],
    });
    expect(world.host.plugged.size).toBe(1);
    await until('it has its names', () => world.host.bound.size === 1);
    expect([...world.host.bound.values()]).toEqual([
      {
        id,
        pid: 1,
        engine: '/run/docker.sock',
        name: 'web',
        hostname: id.slice(0, 12),
        aliases: ['alias-both'],
        labels: {},
      },
    ]);
    await world.docker.stop(id);
    expect([...world.host.made, ...world.host.held]).toEqual([]);
  });

  test('joins with the routes that a container can have once, and without a gateway', async () => {
    const other = await world.docker.create('other', { subnets: ['10.40.0.0/16'] });
    const reference = { EndpointID: 'e1', NetworkID: weft() };
    const second = { EndpointID: 'e2', NetworkID: other };
    for (const [each, Address] of [
      [reference, '10.32.0.1/16'],
      [second, '10.40.0.1/16'],
    ] as const) {
      await world.docker.ask('NetworkDriver.CreateEndpoint', {
        ...each,
        Interface: { Address },
        Options: null,
      });
    }
    const first = await world.docker.ask('NetworkDriver.Join', { ...reference, SandboxKey: '/netns/1' });
    expect(first).toEqual({
      InterfaceName: { SrcName: 'vwe1', DstPrefix: 'ethweft' },
      StaticRoutes: [
        { Destination: '224.0.0.0/4', RouteType: 1, NextHop: '' },
        { Destination: '169.254.53.53/32', RouteType: 1, NextHop: '' },
      ],
    });
    const join = () => world.docker.ask('NetworkDriver.Join', { ...second, SandboxKey: '/netns/1' });
    expect(await join()).toMatchObject({ StaticRoutes: [] });
    await world.restart();
    expect(await join()).toMatchObject({ StaticRoutes: [] });
    await world.docker.ask('NetworkDriver.Leave', reference);
    expect(await join()).toMatchObject({ StaticRoutes: [{}, {}] });
  });

  test('joins nothing that was never made, and notes nothing of it', async () => {
    const reference = { EndpointID: 'e1', NetworkID: weft(), SandboxKey: '/netns/1' };
    await expect(world.docker.ask('NetworkDriver.Join', reference)).rejects.toThrow(/no endpoint e1/);
    expect((await world.plugin.status()).networks).toMatchObject([{ endpoints: 0 }]);
  });

  test('is refused one container more than a host may have', async () => {
    const mac = '02:00:00:00:00:02';
    const made = { network: 'default', addresses: [], mac, container: null, present: false };
    for (let i = 0; i < 4_096; i++) world.host.made.set(`${i}`, { ...made, id: `${i}` });
    await expect(world.docker.run('web', [weft()])).rejects.toThrow(/4096 containers.*remove some/);
    world.host.made.clear();
    await world.docker.run('web', [weft()]);
  });

  test('is told why a container cannot be on two networks that overlap', async () => {
    const inner = await world.docker.create('inner', { subnets: ['10.32.4.0/24'] });
    await expect(world.docker.run('web', [weft(), inner])).rejects.toThrow(
      /inner and weft do \(10\.32\.4\.0\/24\).*--ipalloc-default-subnet/,
    );
  });

  test('calls its networks by their own names in weft, or by the one that was chosen', async () => {
    const blue = await world.docker.create('proj_blue', { subnets: ['10.40.0.0/16'] });
    const red = await world.docker.create('red', {
      subnets: ['10.41.0.0/16'],
      options: { 'weft.network': 'crimson' },
    });
    await world.docker.run('web', [blue, red]);
    expect([...world.host.made.values()].map(({ network }) => network)).toEqual(['proj_blue', 'crimson']);
    await until('all names are known', async () =>
      (await world.plugin.status()).networks.every(({ name }) => name !== null),
    );
    expect(
      (await world.plugin.status()).networks.map(({ name, network, endpoints }) => [
        name,
        network,
        endpoints,
      ]),
    ).toEqual([
      ['weft', 'default', 0],
      ['proj_blue', 'proj_blue', 1],
      ['red', 'crimson', 1],
    ]);
    for (const id of world.docker.containers.keys()) await world.docker.stop(id);
    for (const id of [blue, red]) await world.docker.removeNetworkOf(id);
    expect(world.host.ensured.size).toBe(0);
  });

  test('keeps gateway and auxiliary addresses from containers until the network goes', async () => {
    const id = await world.docker.create('blue', {
      subnets: ['10.40.0.0/24'],
      ipRange: '10.40.0.0/25',
      gateway: '10.40.0.1',
      aux: { printer: '10.40.0.2' },
    });
    expect([...world.host.held]).toEqual(['10.40.0.1', '10.40.0.2']);
    await world.docker.run('web', [id]);
    expect(addressesOf()).toEqual(['10.40.0.3/24']);
    await expect(world.docker.run('thief', [id], { ip: '10.40.0.2' })).rejects.toThrow(/reserves it/);
    expect([...world.host.held]).toEqual(['10.40.0.1', '10.40.0.2', '10.40.0.3']);
    for (const container of world.docker.containers.keys()) await world.docker.stop(container);
    await world.docker.removeNetworkOf(id);
    expect([...world.host.held]).toEqual([]);
  });

  test('may make a network whose gateway another host reserved for it, but not give that to a container', async () => {
    world.host.elsewhere.set('10.40.0.1', 'docker on host-b');
    const id = await world.docker.create('blue', { subnets: ['10.40.0.0/24'], gateway: '10.40.0.1' });
    await expect(world.docker.run('thief', [id], { ip: '10.40.0.1' })).rejects.toThrow(/reserves it/);
    world.host.elsewhere.set('10.40.0.9', 'web on host-b');
    await expect(world.docker.run('thief', [id], { ip: '10.40.0.9' })).rejects.toThrow(/web on host-b/);
    await world.docker.removeNetworkOf(id);
    expect([...world.host.held]).toEqual([]);
  });

  test('cannot give away what a container has, or a network reserves', async () => {
    const blue = await world.docker.create('blue', { subnets: ['10.40.0.0/24'], gateway: '10.40.0.1' });
    await world.docker.run('web', [blue]);
    const PoolID = world.docker.known.get(blue)?.pools[0]?.id ?? '';
    for (const Address of ['10.40.0.1', '10.40.0.2', '10.40.0.0', '10.40.0.77']) {
      expect(await world.docker.call('IpamDriver.ReleaseAddress', { PoolID, Address })).toEqual({});
    }
    expect([...world.host.held]).toEqual(['10.40.0.1', '10.40.0.2']);
  });

  test('gives a container the address that was chosen, once', async () => {
    const id = await world.docker.run('web', [weft()], { ip: '10.32.7.7' });
    expect(addressesOf()).toContain('10.32.7.7/16');
    await expect(world.docker.run('other', [weft()], { ip: '10.32.7.7' })).rejects.toThrow(/in use/);
    expect(world.host.held.has('10.32.7.7')).toBe(true);
    await expect(world.docker.run('other', [weft()], { ip: '10.32.0.0' })).rejects.toThrow(/subnet/);
    await expect(world.docker.run('other', [weft()], { ip: '10.33.0.1' })).rejects.toThrow(/not in/);
    await world.docker.stop(id);
    expect([...world.host.held]).toEqual([]);
  });

  test('rolls back a container that does not start, and a network that cannot be', async () => {
    const before = world.host.held.size;
    await expect(world.docker.run('web', [weft()], { options: { speed: '9' } })).rejects.toThrow(/"speed"/);
    expect(world.host.held.size).toBe(before);
    world.host.ensured.set('crimson', ['10.45.0.0/16']);
    const taken = { subnets: ['10.41.0.0/16'], options: { 'weft.network': 'crimson' } };
    await expect(world.docker.create('red', taken)).rejects.toThrow(/has other subnets/);
    expect((await world.plugin.status()).networks).toHaveLength(1);
  });

  test('is refused in a sentence while the disk is full, and nothing is left of what it asked for', async () => {
    world.disk = new WeftError('disk-full', 'cannot write to docker.json: the disk is full: make room');
    await expect(world.docker.run('web', [weft()])).rejects.toThrow(/disk is full/);
    await expect(world.docker.create('blue', { subnets: ['10.40.0.0/16'] })).rejects.toThrow(/disk is full/);
    expect([...world.host.made, ...world.host.held]).toEqual([]);
    expect((await world.plugin.status()).networks).toHaveLength(1);
    world.disk = undefined;
    const id = await world.docker.run('web', [weft()]);
    world.disk = new WeftError('disk-full', 'full');
    await world.docker.stop(id);
    expect([...world.host.made, ...world.host.held]).toEqual([]);
    expect(world.failures.splice(0)).not.toEqual([]);
  });

  test.each([
    [{ subnets: ['192.168.1.0/24'] }, /10\.32\.0\.0\/12.*--ipalloc-range/],
    [{ subnets: ['fd99::/108', '10.40.0.0/16'], ipv6: true }, /fd7a:1234:5678::a20:0\/108/],
    [{ subnets: ['10.40.0.0/31'] }, /no room/],
    [{ subnets: ['10.40.0.0/24'], ipRange: '10.41.0.0/25' }, /--ip-range/],
    [{ subnets: ['10.40.0.0/16'], options: { colour: 'blue' } }, /"colour"/],
    [{ subnets: ['10.40.0.0/16'], options: { 'com.docker.network.driver.mtu': '9000' } }, /MTU of 1410/],
    [{ subnets: ['10.40.0.0/16'], options: { 'com.docker.network.driver.mtu': '1300' } }, /MTU of 1410/],
    [{ subnets: ['10.40.0.0/16'], ipamOptions: { fast: '1' } }, /--ipam-opt "fast"/],
  ])('is refused %j in a sentence', async (options, sentence) => {
    await expect(world.docker.create('blue', options)).rejects.toThrow(sentence);
    expect((await world.plugin.status()).networks).toHaveLength(1);
    expect([...world.host.held]).toEqual([]);
  });

  test('may say the MTU that weft has', async () => {
    const options = { 'com.docker.network.driver.mtu': '1410' };
    await expect(world.docker.create('blue', { subnets: ['10.40.0.0/16'], options })).resolves.toBeDefined();
  });

  test('is told what is in the way of the default subnet, instead of asking for ever', async () => {
    world.way = 'a route to 10.32.5.0/24';
    await expect(world.docker.create('blue')).rejects.toThrow(/a route to 10\.32\.5\.0\/24.*--subnet/);
    await expect(world.docker.create('blue', { subnets: ['10.32.0.0/16'] })).resolves.toBeDefined();
  });

  test('has the addresses of its own IPAM claimed, and is told of a better one', async () => {
    const blue = await world.docker.create('blue', { subnets: ['10.40.0.0/16'] });
    const create = (EndpointID: string, Address: string) =>
      world.docker.ask('NetworkDriver.CreateEndpoint', {
        NetworkID: blue,
        EndpointID,
        Interface: { Address },
      });
    await create('e1', '10.40.0.2/16');
    await create('e2', '172.20.0.2/16');
    expect([...world.host.held]).toEqual(['10.40.0.2']);
    world.host.elsewhere.set('10.40.0.3', 'db on host-b');
    await expect(create('e3', '10.40.0.3/16')).rejects.toThrow(/db on host-b.*--ipam-driver weft/);
    for (const EndpointID of ['e1', 'e2']) {
      await world.docker.ask('NetworkDriver.DeleteEndpoint', { NetworkID: blue, EndpointID });
    }
    expect([...world.host.held, ...world.host.made]).toEqual([]);
  });

  test('gets the MAC that was chosen, and none in the answer then', async () => {
    const Interface = { Address: '10.32.0.9/16', MacAddress: '02:11:22:33:44:55' };
    const create = { NetworkID: weft(), EndpointID: 'e1', Interface };
    expect(await world.docker.ask('NetworkDriver.CreateEndpoint', create)).toEqual({});
    expect(world.host.made.get('e1')?.mac).toBe('02:11:22:33:44:55');
    const unchosen = { ...create, EndpointID: 'e2', Interface: { Address: '10.32.0.8/16' } };
    expect(await world.docker.ask('NetworkDriver.CreateEndpoint', unchosen)).toEqual({
      Interface: { MacAddress: '02:00:00:00:00:01' },
    });
    expect(await world.docker.ask('NetworkDriver.CreateEndpoint', unchosen)).toHaveProperty('Interface');
  });

  test('names services of compose as the container says, not as its image does', async () => {
    const labels = { 'com.docker.compose.service': 'db', 'com.docker.compose.project': 'shop' };
    await world.docker.run('shop-db-1', [weft()], { labels });
    await until('it has its names', () => world.host.bound.size === 1);
    const aliases = () => [...world.host.bound.values()].at(-1)?.aliases;
    expect(aliases()).toEqual(['alias-weft', 'db', 'db.shop']);
    const ofImage = { ...labels, 'com.docker.compose.project': 'of-the-image' };
    await world.docker.run('other', [weft()], { labels: ofImage });
    await until('it has its names', () => world.host.bound.size === 2);
    expect(aliases()).toEqual(['alias-weft', 'db']);
  });

  test('tells the labels that whoever ran a container gave it, not those of its image', async () => {
    const labels = { 'weft.label.app': 'shop', 'com.docker.compose.project': 'of-the-image', other: 'x' };
    await world.docker.run('web', [weft()], { labels });
    await until('it is known', () => world.host.bound.size === 1);
    expect([...world.host.bound.values()].map((each) => each.labels)).toEqual([{ app: 'shop' }]);
  });

  test('restarts while its API does not listen yet, and weft answers from what it knows', async () => {
    const id = await world.docker.run('web', [weft()]);
    world.docker.listens = false;
    await world.restart();
    const began = performance.now();
    await world.docker.stop(id);
    await world.docker.run('web', [weft()]);
    expect(performance.now() - began).toBeLessThan(1_000);
    world.docker.listens = true;
    world.docker.emit('connected', world.docker);
    await until('it has its names', () => world.host.bound.size === 1);
    expect(world.host.held.size).toBe(1);
  });

  test('is asked about a network of which weft lost its memory', async () => {
    const blue = await world.docker.create('blue', { subnets: ['10.40.0.0/16'], gateway: '10.40.0.1' });
    await world.plugin.stop();
    const { rm } = await import('node:fs/promises');
    await rm(`${world.directory}/docker.json`);
    await world.restart();
    await world.plugin.setEnabled(true);
    await world.docker.run('web', [blue]);
    expect([...world.host.made.values()][0]?.network).toBe('blue');
    await expect(world.docker.run('web', [blue], { ip: '10.40.0.1' })).rejects.toThrow(/reserves it/);
    const create = { NetworkID: 'f00', EndpointID: 'e9', Interface: { Address: '10.40.0.9/16' } };
    await expect(world.docker.ask('NetworkDriver.CreateEndpoint', create)).rejects.toThrow(
      /Docker network f00/,
    );
  });

  test('is served no more once it is disabled, which containers forbid', async () => {
    const id = await world.docker.run('web', [weft()]);
    await until('it has its names', () => world.host.bound.size === 1);
    await expect(world.plugin.setEnabled(false)).rejects.toThrow(/^web is on Docker networks/);
    await world.docker.stop(id);
    expect(await world.plugin.setEnabled(false)).toMatchObject({
      enabled: false,
      listening: false,
      networks: [],
    });
    expect(world.docker.known.size).toBe(0);
    await world.restart();
    expect(await world.plugin.status()).toMatchObject({ enabled: false, listening: false });
    await world.plugin.setEnabled(true);
    await until('the network is there again', async () => (await world.plugin.status()).ready);
  });
});
