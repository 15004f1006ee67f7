/** What Podman's netavark asks its driver, as Podman 5 sent it, and what it gets. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Netavark } from '../../../src/plugins/podman/index.js';
import { MemoryHost } from './memory-host.js';

const NETWORK = {
  name: 'shop',
  id: '2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9',
  driver: 'weft',
  created: '0001-01-01T00:00:00Z',
  ipv6_enabled: false,
  internal: false,
  dns_enabled: false,
};
const CONTAINER = '9'.repeat(64);

let host: MemoryHost;
let driver: Netavark;

beforeEach(() => {
  host = new MemoryHost();
  driver = new Netavark(host);
});
afterEach(() => {
  const used = [...host.made.values()].flatMap(({ addresses }) =>
    addresses.map((text) => text.split('/')[0]),
  );
  expect([...host.held].sort()).toEqual(used.sort());
});

const create = (changes: object) => driver.call({ command: 'create', body: { ...NETWORK, ...changes } });

interface Changes {
  readonly network?: object;
  readonly options?: object;
  readonly [field: string]: unknown;
}

function setup({ network = {}, options = {}, ...changes }: Changes = {}) {
  return {
    container_id: CONTAINER,
    container_name: 'web',
    port_mappings: null,
    network: { ...NETWORK, subnets: null, ipam_options: { driver: 'none' }, ...network },
    network_options: {
      aliases: ['web', '999999999999', 'web-host'],
      interface_name: 'eth0',
      static_ips: null,
      static_mac: null,
      options: null,
      ...options,
    },
    ...changes,
  };
}

describe('create', () => {
  it('makes a network of weft of that name, whose addresses Podman does not give', async () => {
    expect(await create({ subnets: [{ subnet: '10.40.0.0/24' }] })).toEqual({
      ...NETWORK,
      ipam_options: { driver: 'none' },
    });
    expect(host.ensured.get('shop')).toEqual(['10.40.0.0/24']);
  });

  it('takes the default subnet where none is chosen', async () => {
    await create({});
    expect(host.ensured.get('shop')).toEqual(['10.32.0.0/16']);
  });

  it('means the default network by the name weft, and another one by an option', async () => {
    await create({ name: 'weft' });
    await host.networks.ensure('blue', ['10.41.0.0/24']);
    await create({ options: { network: 'blue' } });
    expect([...host.ensured.keys()]).toEqual(['blue']);
    await expect(create({ options: { network: 'elsewhere' } })).rejects.toMatchObject({
      code: 'no-such-network',
    });
  });

  it('refuses options that it does not know', async () => {
    await expect(create({ options: { mtu: '9000' } })).rejects.toMatchObject({ code: 'bad-option' });
  });
});

describe('setup', () => {
  const call = (body: object) =>
    driver.call({ command: 'setup', netns: '/run/netns/netns-1', body: { ...body } });

  beforeEach(() => create({ subnets: [{ subnet: '10.40.0.0/24' }] }));

  it('gives the container an interface, and tells Podman of it', async () => {
    expect(await call(setup())).toEqual({
      dns_search_domains: ['weft.local'],
      dns_server_ips: ['169.254.53.53'],
      interfaces: { eth0: { mac_address: '02:00:00:00:00:01', subnets: [{ ipnet: '10.40.0.1/24' }] } },
    });
    expect([...host.placed.values()]).toMatchObject([
      { container: CONTAINER, namespace: '/run/netns/netns-1', interface: 'eth0', name: 'web' },
    ]);
  });

  it('tells the way out where the host is in the subnet', async () => {
    expect(await call(setup({ network: { name: 'weft' } }))).toMatchObject({
      interfaces: {
        eth0: {
          subnets: [
            { ipnet: '10.32.0.1/16', gateway: '10.32.255.254' },
            { ipnet: 'fd7a:1234:5678::a20:1/112', gateway: 'fd7a:1234:5678::a20:fffe' },
          ],
        },
      },
    });
    await call(setup({ container_id: 'b'.repeat(64), network: { name: 'weft', internal: true } }));
    expect([...host.placed.values()].map(({ routes }) => routes.length)).toEqual([2, 0]);
  });

  it('registers the aliases and the host name', async () => {
    await call(setup());
    expect([...host.placed.values()]).toMatchObject([{ aliases: ['999999999999', 'web-host'] }]);
  });

  it('gives the address and the MAC that were chosen', async () => {
    const options = { static_ips: ['10.40.0.9'], static_mac: '02:00:00:00:00:77' };
    expect(await call(setup({ options }))).toMatchObject({
      interfaces: { eth0: { mac_address: '02:00:00:00:00:77', subnets: [{ ipnet: '10.40.0.9/24' }] } },
    });
  });

  it('refuses to publish ports, and leaves nothing', async () => {
    const ports = [{ container_port: 80, host_ip: '', host_port: 8080, protocol: 'tcp', range: 1 }];
    await expect(call(setup({ port_mappings: ports }))).rejects.toMatchObject({ code: 'ports-elsewhere' });
    expect(host.made.size).toBe(0);
  });

  it.each([
    ['no container', { container_id: undefined }],
    ['no options', { network_options: undefined }],
  ])('refuses what is not of the protocol: %s', async (_what, changes) => {
    await expect(call(setup(changes))).rejects.toMatchObject({ code: 'bad-request' });
  });

  it('is undone by teardown, which may be repeated', async () => {
    await call(setup());
    for (let i = 0; i < 2; i++) {
      expect(
        await driver.call({ command: 'teardown', netns: '/run/netns/netns-1', body: setup() }),
      ).toBeNull();
    }
    expect(host.made.size).toBe(0);
  });
});
