/** The CNI plugin as the specification has it: verb by verb and error by error, the real program and real routers. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type CniResult,
  CniRuntime,
  type Container,
  type Host,
  lasting,
  PLUGINS,
  until,
} from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { leftOn } from './left-on.js';

const isLong = process.env.WEFT_LONG === '1';
/** How often the router is killed while a container is added. */
const KILLS = isLong ? 40 : 3;
const MANY = 50;
const withoutPlugins = !existsSync(join(PLUGINS, 'host-local'));

const world = onLab(async (lab) => {
  const [a, b] = await lab.hosts(2);
  await a.launch();
  await b.launch({ token: await a.token() });
  return { a, b, onA: new CniRuntime(a), onB: new CniRuntime(b) };
});

const made: [CniRuntime, Container][] = [];
let count = 0;

/** A container that is not on any network; what a test adds goes with the test. */
async function container(host: Host, runtime: CniRuntime): Promise<Container> {
  count += 1;
  const fresh = await host.container(`c${count}`);
  made.push([runtime, fresh]);
  return fresh;
}

afterEach(async () => {
  const { a, b } = world();
  await Promise.all(made.splice(0).map(([runtime, each]) => runtime.call('DEL', each)));
  for (const host of [a, b]) expect(await leftOn(host)).toEqual([]);
});

/** The address of a family, without prefix length. */
function addressOf({ ips }: CniResult, isIpv6 = false): string {
  const found = ips.find(({ address }) => address.includes(':') === isIpv6);
  return found?.address.split('/')[0] ?? '';
}

interface Link {
  readonly ifname: string;
  readonly address: string;
  readonly mtu: number;
  readonly addr_info: { readonly local: string; readonly prefixlen: number; readonly scope: string }[];
}

describe('ADD', () => {
  test('makes what it says: interface, addresses, the way out, the DNS server, and both hosts reach it', async () => {
    const { a, b, onA, onB } = world();
    const [near, far] = [await container(a, onA), await container(b, onB)];
    const result = await onA.call('ADD', near);
    const other = await onB.call('ADD', far);
    const [port, inner] = result.interfaces;
    const [link] = await near.ipJson<Link[]>('address', 'show', 'dev', 'eth0');
    expect(inner).toEqual({
      name: 'eth0',
      mac: link?.address,
      mtu: link?.mtu,
      sandbox: `/run/netns/${near.namespace}`,
    });
    expect((await a.ipJson<Link[]>('link')).map(({ ifname }) => ifname)).toContain(port?.name);
    const addresses = link?.addr_info.filter(({ scope }) => scope === 'global') ?? [];
    expect(result.ips.map(({ address }) => address)).toEqual(
      addresses.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    );
    expect(result.ips).toHaveLength(2);
    for (const isIpv6 of [false, true]) await near.reaches(addressOf(other, isIpv6));
    await near.reaches(a.address); // out of the overlay, through the gateway
    expect(result.dns.nameservers).toEqual(['169.254.53.53']);
  });

  test('registers the names that runtimes give', async () => {
    const { a, b, onA } = world();
    const pod = await container(a, onA);
    const result = await onA.call('ADD', pod, {
      args: 'K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0;IgnoreUnknown=1',
      config: { runtimeConfig: { aliases: ['front'] } },
    });
    for (const name of ['web-0', 'web-0.shop', 'front']) {
      await until(`${name} is known`, async () =>
        (await b.weft('dns-lookup', name)).includes(addressOf(result)),
      );
    }
  });

  test('gives chosen addresses and MACs, and refuses those that somebody has', async () => {
    const { a, b, onA, onB } = world();
    const [one, two] = [await container(a, onA), await container(b, onB)];
    const chosen = { config: { runtimeConfig: { ips: ['10.44.0.9/24'], mac: '02:00:00:00:44:09' } } };
    expect(await onA.call('ADD', one, chosen)).toMatchObject({
      interfaces: [{}, { mac: '02:00:00:00:44:09' }],
      ips: [{ address: '10.44.0.9/24' }],
    });
    expect(await onB.refused('ADD', two, { args: 'IP=10.44.0.9' })).toMatchObject({
      details: 'address-used',
    });
    expect(await two.ipJson<Link[]>('link')).toHaveLength(1);
  });

  test('is of the network that the configuration names, apart from others', async () => {
    const { a, b, onA, onB } = world();
    await a.weft('network', 'create', 'shop', '--subnet', '10.45.0.0/24');
    const inShop = { config: { network: 'shop', isDefaultGateway: false } };
    const containers = [await container(a, onA), await container(b, onB), await container(b, onB)] as const;
    const [one, two, outside] = containers;
    await until('both know the network', async () => (await b.report()).networks.length === 2);
    await onA.call('ADD', one, inShop);
    const result = await onB.call('ADD', two, inShop);
    await onB.call('ADD', outside);
    await one.reaches(addressOf(result));
    expect(await outside.ping(addressOf(result))).toBe(false);
  });

  test('refuses an interface that the container has already', async () => {
    const { a, onA } = world();
    const twice = await container(a, onA);
    const result = await onA.call('ADD', twice);
    expect(await onA.refused('ADD', twice)).toMatchObject({ details: 'interface-taken' });
    await twice.ip('link add foreign0 type bridge');
    expect(await onA.refused('ADD', twice, { ifname: 'foreign0' })).toMatchObject({
      details: 'interface-taken',
    });
    expect(await onA.call('CHECK', twice, { config: { prevResult: result } })).toBeNull();
  });

  test(`gives ${MANY} containers at once an address each`, async () => {
    const { a, onA } = world();
    const containers: Container[] = [];
    for (let i = 0; i < MANY; i += 1) containers.push(await container(a, onA));
    const results = await Promise.all(containers.map((each) => onA.call('ADD', each)));
    expect(new Set(results.map((result) => addressOf(result))).size).toBe(MANY);
    await Promise.all(containers.map((each) => onA.call('DEL', each)));
    expect(await leftOn(a)).toEqual([]);
  });
});

describe('DEL', () => {
  test('takes the interface away, and may be repeated, without result and namespace', async () => {
    const { a, onA } = world();
    const leaving = await container(a, onA);
    const prevResult = await onA.call('ADD', leaving);
    expect(await onA.call('DEL', leaving, { config: { prevResult } })).toBeNull();
    expect(await leaving.ipJson<Link[]>('link')).toHaveLength(1);
    expect(await onA.call('DEL', leaving, { env: { CNI_NETNS: '' } })).toBeNull();
  });

  test('works once the namespace is gone, and after an ADD that failed', async () => {
    const { a, onA } = world();
    const ended = await container(a, onA);
    await onA.call('ADD', ended);
    await ended.end();
    expect(await onA.call('DEL', ended)).toBeNull();
    expect(await onA.refused('ADD', ended)).toMatchObject({ code: 3 });
    expect(await onA.call('DEL', ended)).toBeNull();
    await ended.begin();
  });
});

describe.runIf(isLong)('a container whose runtime says nothing', () => {
  test('gives everything back once its namespace is gone for half a minute', async () => {
    const { a, onA } = world();
    const lost = await container(a, onA);
    await onA.call('ADD', lost, { args: 'K8S_POD_NAME=lost' });
    await lost.end();
    await until('nothing of it is left', async () => (await leftOn(a)).length === 0, { within: 60_000 });
    await lost.begin();
  });
});

describe('CHECK', () => {
  test('tells what somebody did to the interface', async () => {
    const { a, onA } = world();
    const checked = await container(a, onA);
    const prevResult = await onA.call('ADD', checked);
    const check = { config: { prevResult } };
    await checked.ip('route delete default');
    expect(await onA.refused('CHECK', checked, check)).toMatchObject({
      code: 100,
      msg: expect.stringContaining('no route to 0.0.0.0/0'),
    });
    await checked.ip(`address delete ${prevResult.ips[0]?.address} dev eth0`);
    expect(await onA.refused('CHECK', checked, check)).toMatchObject({
      msg: expect.stringContaining(addressOf(prevResult)),
    });
    await onA.call('DEL', checked);
    expect(await onA.refused('CHECK', checked, check)).toMatchObject({ details: 'no-such-endpoint' });
  });
});

describe('GC', () => {
  test('removes what the runtime does not name', async () => {
    const { a, onA } = world();
    const [stale, valid] = [await container(a, onA), await container(a, onA)];
    await onA.call('ADD', stale);
    const prevResult = await onA.call('ADD', valid);
    const attachments = [{ containerID: valid.name, ifname: 'eth0' }];
    await onA.call('GC', undefined, { config: { 'cni.dev/valid-attachments': attachments } });
    expect(await stale.ipJson<Link[]>('link')).toHaveLength(1);
    expect(await onA.call('CHECK', valid, { config: { prevResult } })).toBeNull();
  });
});

describe('a call that is wrong', () => {
  test.each([
    ['ADD', 'without a container', { env: { CNI_CONTAINERID: '' } }, 4],
    ['ADD', 'without a namespace', { env: { CNI_NETNS: '' } }, 4],
    ['ADD', 'without an interface', { env: { CNI_IFNAME: '' } }, 4],
    ['CHECK', 'without directories of plugins', { env: { CNI_PATH: '' } }, 4],
    ['ADD', 'with an id that is a path', { env: { CNI_CONTAINERID: '../c1' } }, 4],
    ['ADD', 'with an interface that Linux does not take', { env: { CNI_IFNAME: 'a/b' } }, 4],
    ['ADD', 'with a namespace that is none', { env: { CNI_NETNS: '/etc/hostname' } }, 4],
    ['ADD', "with the host's own namespace", { env: { CNI_NETNS: '/proc/self/ns/net' } }, 8],
    ['ADD', 'with arguments that nobody knows', { args: 'COLOUR=blue' }, 4],
    ['MOVE', 'with a verb that is none', {}, 4],
    ['ADD', 'with a configuration that is no JSON', { input: 'weft' }, 6],
    ['ADD', 'with a version of the future', { config: { cniVersion: '9.0.0' } }, 1],
    ['STATUS', 'before there was the verb', { config: { cniVersion: '1.0.0' } }, 1],
    ['GC', 'before there was the verb', { config: { cniVersion: '1.0.0' } }, 1],
    ['CHECK', 'before there was the verb', { config: { cniVersion: '0.3.1' } }, 1],
    ['CHECK', 'without the result of ADD', {}, 7],
    ['GC', 'without a list of what stays', {}, 7],
    ['ADD', 'with a name that no network has', { config: { name: 'two words' } }, 7],
    ['ADD', 'with a network that nobody made', { config: { network: 'elsewhere' } }, 7],
    ['STATUS', 'with a network that nobody made', { config: { network: 'elsewhere' } }, 7],
    ['ADD', 'with an address that is none', { config: { runtimeConfig: { ips: ['web'] } } }, 7],
    ['ADD', 'with a plugin of addresses that is not there', { config: { ipam: { type: 'nobody' } } }, 7],
  ])('%s %s is refused with its number', async (command, _how, options, code) => {
    const { a, onA } = world();
    const untouched = await container(a, onA);
    const error = await onA.refused(command, untouched, options);
    expect(error).toMatchObject({ code, cniVersion: expect.any(String), msg: expect.stringMatching(/./) });
    expect(await untouched.ipJson<Link[]>('link')).toHaveLength(1);
  });

  test('VERSION answers without a router, whatever else is sent', async () => {
    const { onA } = world();
    const dummies = { CNI_NETNS: 'dummy', CNI_IFNAME: 'dummy', CNI_PATH: 'dummy', CNI_CONTAINERID: '' };
    const input = '{"cniVersion":"0.4.0"}';
    expect(await onA.call('VERSION', undefined, { env: dummies, input })).toEqual({
      cniVersion: '0.4.0',
      supportedVersions: ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'],
    });
  });
});

describe.skipIf(withoutPlugins)('other plugins', () => {
  const data = () => join(world().a.directory, 'host-local');
  const ipam = () => ({
    type: 'host-local',
    dataDir: data(),
    ranges: [[{ subnet: '10.46.0.0/24' }]],
    routes: [{ dst: '192.0.2.0/24', gw: '10.46.0.1' }],
  });
  const given = () => readdirSync(join(data(), 'lab')).filter((name) => name.startsWith('10.'));

  test('give addresses in place of weft, which are given back by DEL and when ADD fails', async () => {
    const { a, onA } = world();
    const delegated = { cniVersion: '1.0.0', ipam: ipam() };
    const [one, two] = [await container(a, onA), await container(a, onA)];
    const prevResult = await onA.call('ADD', one, { config: delegated });
    expect(prevResult).toMatchObject({
      ips: [{ address: '10.46.0.2/24' }],
      routes: [{ dst: '192.0.2.0/24', gw: '10.46.0.1' }],
    });
    expect(await one.run(['ip', 'route', 'get', '192.0.2.1'])).toContain('via 10.46.0.1');
    await onA.call('CHECK', one, { config: { ...delegated, prevResult } });
    await onA.refused('ADD', two, { config: { ...delegated, network: 'elsewhere' } });
    expect(given()).toEqual(['10.46.0.2']);
    await onA.call('DEL', one, { config: delegated });
    expect(given()).toEqual([]);
  });

  test('give chosen addresses, which nobody else is given then', async () => {
    const { a, b, onA, onB } = world();
    const [one, two] = [await container(a, onA), await container(b, onB)];
    const address = '10.47.0.9/12';
    const ipam = { type: 'static', addresses: [{ address }], routes: [{ dst: '192.0.2.0/24' }] };
    const delegated = { cniVersion: '1.0.0', ipam };
    expect(await onA.call('ADD', one, { config: delegated })).toMatchObject({ ips: [{ address }] });
    expect(await one.run(['ip', 'route', 'get', '192.0.2.1'])).toContain('dev eth0');
    expect(await onB.refused('ADD', two, { config: delegated })).toMatchObject({ details: 'address-used' });
    await onA.call('DEL', one, { config: delegated });
  });

  test.each(['tuning', 'portmap'])('work on what weft made: %s', async (type) => {
    const { a, onA } = world();
    const chained = await container(a, onA);
    const version = { cniVersion: '1.0.0' };
    const prevResult = await onA.call('ADD', chained, { config: version });
    const more = {
      type,
      sysctl: { 'net.ipv4.conf.IFNAME.rp_filter': '2' },
      runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] },
    };
    const options = { program: join(PLUGINS, type), config: { ...version, ...more, prevResult } };
    expect(await onA.call('ADD', chained, options)).toMatchObject({ ips: prevResult.ips });
    await onA.call('CHECK', chained, { config: { ...version, prevResult } });
    await onA.call('DEL', chained, options);
  });
});

describe('while no router runs', () => {
  test('STATUS and others say so, DEL is done later, and ADD waits', async () => {
    const { a, onA } = world();
    const [leaving, coming] = [await container(a, onA), await container(a, onA)];
    await onA.call('ADD', leaving);
    expect(await onA.call('STATUS')).toBeNull();
    process.kill(a.daemon, 'SIGKILL');
    await until('nobody answers', async () => (await onA.attempt('STATUS')).code === 1);
    expect(await onA.refused('STATUS')).toMatchObject({ code: 50 });
    expect(await onA.refused('CHECK', leaving)).toMatchObject({ code: 11 });
    expect(await onA.refused('GC')).toMatchObject({ code: 11 });
    const removed = await onA.attempt('DEL', leaving);
    expect(removed).toMatchObject({ code: 0, answer: null });
    expect(removed.seconds).toBeLessThan(2);
    const adding = onA.start('ADD', coming);
    await a.launch();
    expect((await adding.ends()).code).toBe(0);
    expect(await leaving.ipJson<Link[]>('link')).toHaveLength(1);
  });

  test.runIf(isLong)('ADD gives up after half a minute', async () => {
    const { a, onA } = world();
    const waiting = await container(a, onA);
    process.kill(a.daemon, 'SIGKILL');
    const { code, answer, seconds } = await onA.attempt('ADD', waiting);
    expect({ code, answer }).toMatchObject({ code: 1, answer: { code: 11 } });
    expect(seconds).toBeGreaterThan(29);
    await a.launch();
  });

  test(`that was killed while it added one, ${KILLS} times, nothing is left, and the next ADD works`, async () => {
    const { a, onA } = world();
    const killed = await container(a, onA);
    for (let i = 0; i < KILLS; i += 1) {
      const adding = onA.start('ADD', killed);
      await lasting(((i * 40) / KILLS + 5) / 1000); // where it is by then is chance
      process.kill(a.daemon, 'SIGKILL');
      await a.launch();
      await adding.ends();
      await onA.call('DEL', killed);
      expect(await killed.ipJson<Link[]>('link')).toHaveLength(1);
      expect(await leftOn(a)).toEqual([]);
    }
    await onA.call('ADD', killed);
  });
});
