import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../../lab/until.js';
import { World } from './world.js';

const NETWORK = 'jeh3mntfqdy23n7cokpn2w6sx';
const OWN_ADDRESS = { RequestAddressType: 'com.docker.network.gateway' };
const SERIAL = { 'com.docker.network.ipam.serial': 'true' };
/** So long what nobody has is left alone, ms. */
const GRACE = 30_000;

describe('as managed plugin of a swarm', () => {
  let world: World;

  beforeEach(async () => {
    world = await World.create({ swarm: true });
    await world.plugin.start({ enable: true });
  });

  afterEach(() => world.end());

  const ask = async (method: string, body: object) => await world.docker.ask(method, body);

  async function pool(AddressSpace = 'weftglobal', Pool = '10.40.0.0/24'): Promise<string> {
    const request = { AddressSpace, Pool, SubPool: '', Options: null, V6: false };
    return String((await ask('IpamDriver.RequestPool', request)).PoolID);
  }

  async function address(PoolID: string, Address = '', Options: object | null = SERIAL): Promise<string> {
    return String((await ask('IpamDriver.RequestAddress', { PoolID, Address, Options })).Address);
  }

  const release = async (PoolID: string, Address: string) =>
    await ask('IpamDriver.ReleaseAddress', { PoolID, Address: Address.split('/')[0] });

  /** Lets what nobody has be noticed, and its time pass. */
  async function muchLater(): Promise<void> {
    for (let times = 0; times < 2; times++) {
      world.docker.emit('connected', world.docker);
      await world.plugin.setEnabled(true);
      world.clock.pass(GRACE + 1_000);
    }
    await world.plugin.stop();
  }

  test('weft has networks that all hosts share, and makes none by itself', async () => {
    expect(await ask('NetworkDriver.GetCapabilities', {})).toMatchObject({ Scope: 'global' });
    expect((await world.plugin.status()).ready).toBe(true);
    expect(world.docker.known.size).toBe(0);
  });

  test('a manager says what a network is called on all hosts, and keeps what its user chose', async () => {
    const allocate = async (Options: object | null) =>
      await ask('NetworkDriver.AllocateNetwork', {
        NetworkID: NETWORK,
        Options,
        IPv4Data: [],
        IPv6Data: null,
      });
    expect(await allocate(null)).toEqual({ Options: { 'weft.network': 'swarm-jeh3mntfqdy2' } });
    const chosen = { 'weft.network': 'shop', 'com.docker.network.driver.mtu': '1410' };
    expect(await allocate(chosen)).toEqual({ Options: chosen });
    await expect(allocate({ colour: 'blue' })).rejects.toThrow(/no option "colour"/);
    expect(await ask('NetworkDriver.FreeNetwork', { NetworkID: NETWORK })).toEqual({});
  });

  test('addresses of services stay taken while nobody on this host has them, also over a restart, until they are released', async () => {
    const id = await pool();
    const [vip, task] = [await address(id), await address(id)];
    await world.restart();
    await muchLater();
    expect([...world.host.held]).toEqual([vip, task].map((each) => each.split('/')[0]));
    await world.restart();
    for (const each of [vip, task]) await release(id, each);
    expect([...world.host.held]).toEqual([]);
  });

  test('a host of a container accepts what the manager gave, wherever that is, and gives nothing back', async () => {
    world.host.elsewhere.set('10.40.0.9', 'host-b');
    const own = await address(await pool());
    const local = await pool('weftlocal');
    expect(await address(local, '10.40.0.0', OWN_ADDRESS)).toBe('10.40.0.0/24');
    for (const each of ['10.40.0.9', own.split('/')[0] ?? '']) {
      expect(await address(local, each, null)).toBe(`${each}/24`);
      await ask('NetworkDriver.CreateNetwork', {
        NetworkID: NETWORK,
        Options: { 'com.docker.network.generic': { 'weft.network': 'shop' } },
        IPv4Data: [{ AddressSpace: 'weftlocal', Pool: '10.40.0.0/24', Gateway: '10.40.0.0/24' }],
      });
      const endpoint = { NetworkID: NETWORK, EndpointID: `e${each.replaceAll('.', '')}` };
      await ask('NetworkDriver.CreateEndpoint', { ...endpoint, Interface: { Address: `${each}/24` } });
      await ask('NetworkDriver.DeleteEndpoint', endpoint);
      await release(local, each);
    }
    expect([...world.host.held]).toEqual([own.split('/')[0]]);
  });

  test('a manager that leads again is given again what it gave, and what another one gave, but not twice', async () => {
    const before = await pool();
    const vip = (await address(before)).split('/')[0] ?? '';
    world.host.elsewhere.set('10.40.0.9', 'host-b');
    const again = await pool();
    for (const each of [vip, '10.40.0.9']) {
      expect(await address(again, each)).toBe(`${each}/24`);
      await expect(address(again, each)).rejects.toThrow(/given .* already/);
    }
    expect(await address(again, '10.40.0.0', OWN_ADDRESS)).toBe('10.40.0.0/24');
    await release(again, '10.40.0.9');
    await release(before, vip);
    expect([...world.host.held]).toEqual([vip]);
    await release(again, vip);
    expect([...world.host.held]).toEqual([]);
  });

  test('what a removed network still had is free once it was nobody’s for a while', async () => {
    const [id, other] = [await pool(), await pool()];
    await address(id);
    const kept = (await address(other)).split('/')[0];
    await ask('IpamDriver.ReleasePool', { PoolID: id });
    expect(world.host.held.size).toBe(2);
    await until('it is free', () => {
      world.clock.pass(GRACE + 1_000);
      return world.host.held.size === 1;
    });
    expect([...world.host.held]).toEqual([kept]);
  });

  test('an address that the disk does not take is not given', async () => {
    const id = await pool();
    world.disk = new Error('disk full');
    await expect(address(id)).rejects.toThrow();
    await expect(address(id, '10.40.0.7')).rejects.toThrow();
    expect([...world.host.held]).toEqual([]);
  });

  test('containers are found by the name of their service', async () => {
    world.docker.emit('connected', world.docker);
    await ask('NetworkDriver.CreateNetwork', {
      NetworkID: NETWORK,
      Options: { 'com.docker.network.generic': { 'weft.network': 'shop' } },
      IPv4Data: [{ AddressSpace: 'weftlocal', Pool: '10.40.0.0/24' }],
    });
    const Interface = { Address: '10.40.0.5/24' };
    await ask('NetworkDriver.CreateEndpoint', { NetworkID: NETWORK, EndpointID: 'e1', Interface });
    const networks = [{ networkId: NETWORK, endpointId: 'e1', aliases: [] }];
    const labels = { 'com.docker.swarm.service.name': 'web' };
    world.docker.emit('started', world.docker, {
      id: 'c1',
      name: 'web.1.x',
      pid: 1,
      hostname: 'c1',
      image: 'bb',
      labels,
      networks,
    });
    await until('it has its names', () => world.host.bound.size === 1);
    expect(world.host.bound.get('e1')).toMatchObject({ name: 'web.1.x', pid: 1, aliases: ['web'] });
  });
});
