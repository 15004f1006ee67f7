/** What Podman's netavark asks its driver, as Podman 5 sent it, and what it gets. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Netavark } from '../../../src/plugins/podman/index.js';
import { MemoryHost } from './memory-host.js';

/** What Podman 5.4.2 sent by netavark 1.14.0. */
const SENT = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../fixtures/netavark.json', import.meta.url)), 'utf8'),
) as Record<string, Record<string, unknown>>;
const { subnets: _subnets, ...NETWORK } = SENT.createWithSubnet ?? {};
const CONTAINER = SENT.setup?.container_id;

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

/** For a container on the network `shop`. */
function setup({ network = {}, options = {}, ...changes }: Changes = {}) {
  const { setup: sent = {}, setupOfShop: ofShop = {} } = SENT;
  return {
    ...sent,
    network: { ...(ofShop.network as object), ...network },
    network_options: { ...(sent.network_options as object), ...options },
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
    const unknown = driver.call({ command: 'create', body: SENT.createWithOption ?? {} });
    await expect(unknown).rejects.toMatchObject({ code: 'bad-option' });
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
    expect([...host.placed.values()]).toMatchObject([{ aliases: ['shop', '723a0e1cefa5', 'webhost'] }]);
  });

  it('gives the address and the MAC that were chosen', async () => {
    const { network_options: options } = SENT.setupChosen ?? {};
    expect(await call(setup({ network: { name: 'weft' }, options: options as object }))).toMatchObject({
      interfaces: { eth0: { mac_address: '02:00:00:00:09:09', subnets: [{ ipnet: '10.32.9.9/16' }] } },
    });
  });

  it('leaves ports to other networks of the container, which are asked for them, too', async () => {
    expect(SENT.setupWithPorts?.port_mappings).toHaveLength(1);
    expect(await call(SENT.setupWithPorts ?? {})).toHaveProperty('interfaces.eth0');
  });

  it.each([
    ['no container', { container_id: undefined }],
    ['no options', { network_options: undefined }],
  ])('refuses what is not of the protocol: %s', async (_what, changes) => {
    await expect(call(setup(changes))).rejects.toMatchObject({ code: 'bad-request' });
  });

  it('is undone by teardown, which may be repeated', async () => {
    await call(setup({ options: SENT.teardown?.network_options as object }));
    for (let i = 0; i < 2; i++) {
      expect(
        await driver.call({ command: 'teardown', netns: '/run/netns/netns-1', body: SENT.teardown ?? {} }),
      ).toBeNull();
    }
    expect(host.made.size).toBe(0);
  });
});
