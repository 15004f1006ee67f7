/** What runtimes get for ADD, DEL, CHECK, GC and STATUS. */
import { describe, expect, it, test } from 'vitest';
import type { CniAnswer } from '../../../../src/api/index.js';
import { WeftError } from '../../../../src/errors.js';
import { aWorldForEachTest, CONFIGURATION } from './world.js';

const world = aWorldForEachTest();

const configured = (changes: object) => ({ config: { ...CONFIGURATION, ...changes } });
const code = (answer: CniAnswer) => ('error' in answer ? answer.error.code : undefined);

/** The result of an ADD that must succeed. */
function resultOf(answer: CniAnswer): Record<string, unknown> {
  if ('error' in answer || answer.result === null) throw new Error(JSON.stringify(answer));
  return answer.result;
}

describe('ADD', () => {
  it('gives an address of each family, and the way out through this host', async () => {
    expect(resultOf(await world().add('c1'))).toEqual({
      cniVersion: '1.0.0',
      interfaces: [
        { name: 'wv0123456789ab' },
        { name: 'eth0', mac: '02:00:00:00:00:01', sandbox: '/run/netns/c1' },
      ],
      ips: [
        { address: '10.32.0.1/16', gateway: '10.32.255.254', interface: 1 },
        { address: 'fd7a:1234:5678::a20:1/112', gateway: 'fd7a:1234:5678::a20:fffe', interface: 1 },
      ],
      routes: [
        { dst: '0.0.0.0/0', gw: '10.32.255.254' },
        { dst: '::/0', gw: 'fd7a:1234:5678::a20:fffe' },
      ],
      dns: { nameservers: ['169.254.53.53'], domain: 'weft.local', search: ['weft.local'] },
    });
    expect([...world().host.placed.values()]).toMatchObject([
      { container: 'c1', namespace: '/run/netns/c1', interface: 'eth0', name: null, aliases: [] },
    ]);
  });

  it.each([
    '0.3.0',
    '0.3.1',
    '0.4.0',
  ])('says of which family an address is in version %s', async (cniVersion) => {
    const result = resultOf(await world().add('c1', configured({ cniVersion })));
    expect(result).toMatchObject({ cniVersion, ips: [{ version: '4' }, { version: '6' }] });
  });

  it('tells the MTU since version 1.1.0', async () => {
    const result = resultOf(await world().add('c1', configured({ cniVersion: '1.1.0' })));
    expect(result).toMatchObject({ interfaces: [{ mtu: 1_410 }, { mtu: 1_410 }] });
  });

  it('gives no way out where the configuration says so', async () => {
    expect(resultOf(await world().add('c1', configured({ isDefaultGateway: false })))).toMatchObject({
      routes: [],
    });
  });

  it('is on the network that the configuration names', async () => {
    await world().host.networks.ensure('shop', ['10.40.0.0/24']);
    const result = resultOf(await world().add('c1', configured({ network: 'shop' })));
    expect(result).toMatchObject({ ips: [{ address: '10.40.0.1/24' }] });
    expect([...world().host.made.values()]).toMatchObject([{ network: 'shop' }]);
    expect(code(await world().add('c2', configured({ network: 'elsewhere' })))).toBe(7);
  });

  it.each([
    [
      'the capability ips',
      configured({ runtimeConfig: { ips: ['10.32.0.9/16', 'fd7a:1234:5678::a20:9/112'] } }),
    ],
    [
      'args of the configuration',
      configured({ args: { cni: { ips: ['10.32.0.9', 'fd7a:1234:5678::a20:9'] } } }),
    ],
    ['CNI_ARGS', { args: 'IgnoreUnknown=1;IP=10.32.0.9,fd7a:1234:5678::a20:9' }],
  ])('gives the addresses that %s chooses', async (_where, how) => {
    const { ips } = resultOf(await world().add('c1', how));
    expect(ips).toMatchObject([{ address: '10.32.0.9/16' }, { address: 'fd7a:1234:5678::a20:9/112' }]);
  });

  it.each([
    ['the capability mac', configured({ runtimeConfig: { mac: '02:00:00:00:00:77' } })],
    ['CNI_ARGS', { args: 'MAC=02:00:00:00:00:77' }],
  ])('gives the MAC that %s chooses', async (_where, how) => {
    expect(resultOf(await world().add('c1', how))).toMatchObject({
      interfaces: [{}, { mac: '02:00:00:00:00:77' }],
    });
  });

  it('refuses a chosen address that another container has, and leaves it to that', async () => {
    const chosen = configured({ runtimeConfig: { ips: ['10.32.0.9/16'] } });
    await world().add('c1', chosen);
    const both = [world().add('c2', chosen), world().add('c3', chosen)];
    expect((await Promise.all(both)).map(code)).toEqual([100, 100]);
    expect(world().addressesInUse()).toEqual(['10.32.0.9']);
    world().host.elsewhere.set('10.32.0.10', 'a container on b');
    const foreign = configured({ runtimeConfig: { ips: ['10.32.0.11/16', '10.32.0.10/16'] } });
    expect(await world().add('c4', foreign)).toMatchObject({ error: { details: 'address-used' } });
  });

  it('gives one of several that choose the same address at a time', async () => {
    const chosen = configured({ runtimeConfig: { ips: ['10.32.0.9/16'] } });
    const answers = await Promise.all(['c1', 'c2', 'c3'].map((id) => world().add(id, chosen)));
    expect(answers.filter((answer) => 'result' in answer)).toHaveLength(1);
    expect(world().addressesInUse()).toEqual(['10.32.0.9']);
  });

  it('takes what the plugin of addresses gave, with its routes, and claims it for nobody else', async () => {
    const ipam = {
      cniVersion: '1.0.0',
      ips: [{ address: '10.32.7.2/24', gateway: '10.32.7.1' }],
      routes: [{ dst: '0.0.0.0/0' }, { dst: '10.96.0.0/12', gw: '10.32.7.3' }],
    };
    const result = resultOf(
      await world().add('c1', { ipam, ...configured({ ipam: { type: 'host-local' } }) }),
    );
    expect(result).toMatchObject({
      ips: [{ address: '10.32.7.2/24', gateway: '10.32.7.1' }],
      routes: [
        { dst: '0.0.0.0/0', gw: '10.32.7.1' },
        { dst: '10.96.0.0/12', gw: '10.32.7.3' },
      ],
    });
    expect(world().host.held).toContain('10.32.7.2');
  });

  it.each([
    [
      'Kubernetes',
      'K8S_POD_UID=u;K8S_POD_NAMESPACE=shop;IgnoreUnknown=1;K8S_POD_NAME=web-0',
      undefined,
      'web-0',
      ['web-0.shop'],
    ],
    ['Podman', 'IgnoreUnknown=1;K8S_POD_NAME=web', { weft: ['shop', 'web'], other: ['no'] }, 'web', ['shop']],
    ['others', '', ['front', 'shop'], null, ['front', 'shop']],
  ])('registers the names that %s gives', async (_who, args, aliases, name, others) => {
    await world().add('c1', { args, ...configured({ runtimeConfig: { aliases } }) });
    expect([...world().host.placed.values()]).toMatchObject([{ name, aliases: others }]);
  });

  test('notes which pod it is of, as policies know it, and is not heard before that one is known', async () => {
    const args = 'K8S_POD_UID=u-1;K8S_POD_NAMESPACE=shop;IgnoreUnknown=1;K8S_POD_NAME=web-0';
    await world().add('c1', { args });
    await world().add('c2', { args: 'IgnoreUnknown=1;K8S_POD_NAME=podman' });
    expect([...world().host.placed.values()].map(({ labels }) => labels)).toEqual([
      {
        'io.kubernetes.pod.namespace': 'shop',
        'io.kubernetes.pod.name': 'web-0',
        'io.kubernetes.pod.uid': 'u-1',
      },
      {},
    ]);
    expect(world().met).toEqual([{ namespace: 'shop', name: 'web-0', uid: 'u-1' }]);
  });

  it.each([
    [
      'a runtime',
      { runtimeConfig: { dns: { Servers: ['192.0.2.53'], Searches: ['example.org'], Options: null } } },
    ],
    ['the configuration', { dns: { nameservers: ['192.0.2.53'], search: ['example.org'] } }],
  ])('answers with the DNS servers that %s chooses', async (_who, how) => {
    const { dns } = resultOf(await world().add('c1', configured(how)));
    expect(dns).toMatchObject({ nameservers: ['192.0.2.53'], search: ['example.org'] });
  });

  it('puts its interface behind those of earlier plugins', async () => {
    const prevResult = {
      interfaces: [{ name: 'eth9', sandbox: '/run/netns/c1' }],
      ips: [{ address: '192.0.2.1/24', interface: 0 }],
    };
    expect(resultOf(await world().add('c1', configured({ prevResult })))).toMatchObject({
      interfaces: [{ name: 'eth9' }, { name: 'wv0123456789ab' }, { name: 'eth0' }],
      ips: [{ address: '192.0.2.1/24', interface: 0 }, { interface: 2 }, { interface: 2 }],
    });
  });

  it('refuses an interface that the container has already', async () => {
    await world().add('c1');
    expect(await world().add('c1')).toMatchObject({ error: { code: 100, details: 'interface-taken' } });
    expect(world().host.made.size).toBe(1);
  });

  it('takes no addresses when the interface cannot be made, and works the next time', async () => {
    world().host.failure = new WeftError('no-such-namespace', 'there is none');
    expect(code(await world().add('c1'))).toBe(3);
    expect(world().host.held.size).toBe(0);
    world().host.failure = new WeftError('command-failed', 'no');
    const chosen = configured({ runtimeConfig: { ips: ['10.32.0.9/16'] } });
    expect(code(await world().add('c1', chosen))).toBe(100);
    expect(world().host.held.size).toBe(0);
    resultOf(await world().add('c1', chosen));
  });

  it('gives 50 containers at once an address each', async () => {
    const names = Array.from({ length: 50 }, (_, i) => `c${i}`);
    const answers = await Promise.all(names.map((name) => world().add(name)));
    expect(answers.every((answer) => 'result' in answer)).toBe(true);
    expect(new Set(world().addressesInUse()).size).toBe(100);
  });

  it.each([
    ['a name with a space', configured({ name: 'two words' }), 7],
    ['an address that is none', configured({ runtimeConfig: { ips: ['web'] } }), 7],
    ['an address of no subnet without its length', configured({ runtimeConfig: { ips: ['192.0.2.1'] } }), 7],
    ['a version of the future', configured({ cniVersion: '9.0.0' }), 1],
    ['arguments that nobody knows', { args: 'COLOUR=blue' }, 4],
    ['arguments without a value', { args: 'IP' }, 4],
    ['no interface', { ifname: undefined }, 4],
  ])('refuses %s', async (_what, how, number) => {
    expect(code(await world().add('c1', how as never))).toBe(number);
    expect(world().host.made.size).toBe(0);
  });

  it('tells a fault of weft as one, without its text', async () => {
    world().host.failure = new TypeError('secret');
    expect(await world().add('c1')).toMatchObject({
      error: { code: 999, msg: expect.not.stringContaining('secret') },
    });
    expect(world().failures.splice(0)).toEqual(["CNI's ADD failed"]);
  });
});

describe('DEL', () => {
  it('gives interface and addresses back, and may be repeated, without namespace and result', async () => {
    await world().add('c1');
    const { plugin } = world();
    expect(await plugin.call(world().call('DEL', 'c1'))).toEqual({ result: null });
    expect(world().host.made.size + world().host.held.size).toBe(0);
    expect(await plugin.call(world().call('DEL', 'c1', { netns: '' }))).toEqual({ result: null });
    expect(await plugin.call(world().call('DEL', 'never'))).toEqual({ result: null });
  });

  it('leaves other interfaces of the container, and of other networks, alone', async () => {
    await world().add('c1');
    await world().add('c1', { ifname: 'eth1' });
    await world().plugin.call(world().call('DEL', 'c1', configured({ name: 'other' })));
    await world().plugin.call(world().call('DEL', 'c1', { ifname: 'eth1' }));
    expect([...world().host.made.keys()]).toEqual(['weft c1 eth0']);
  });
});

describe('CHECK', () => {
  it('finds an interface that is as it was added', async () => {
    const prevResult = resultOf(await world().add('c1'));
    expect(await world().plugin.call(world().call('CHECK', 'c1', configured({ prevResult })))).toEqual({
      result: null,
    });
  });

  test.each([
    [
      'somebody changed',
      (id: string) => world().host.harm.set(id, ['the interface eth0 is down']),
      /eth0 is down/,
    ],
    ['is gone', (id: string) => world().host.endpoints.remove(id), /no endpoint/],
  ])('tells of one that %s', async (_what, harm, message) => {
    const prevResult = resultOf(await world().add('c1'));
    const held = [...world().host.held];
    await harm('weft c1 eth0');
    expect(await world().plugin.call(world().call('CHECK', 'c1', configured({ prevResult })))).toMatchObject({
      error: { code: 100, msg: expect.stringMatching(message) },
    });
    if (world().host.made.size === 0) for (const address of held) world().host.held.delete(address);
  });

  it('tells of an address that it does not have any more', async () => {
    const prevResult = resultOf(await world().add('c1'));
    const changed = { ...prevResult, ips: [{ address: '10.32.0.99/16', interface: 1 }] };
    expect(
      await world().plugin.call(world().call('CHECK', 'c1', configured({ prevResult: changed }))),
    ).toMatchObject({ error: { details: 'cni-changed', msg: expect.stringContaining('10.32.0.99') } });
  });

  it('needs a result, and version 0.4.0', async () => {
    const prevResult = resultOf(await world().add('c1'));
    expect(code(await world().plugin.call(world().call('CHECK', 'c1')))).toBe(7);
    const old = configured({ cniVersion: '0.3.1', prevResult });
    expect(code(await world().plugin.call(world().call('CHECK', 'c1', old)))).toBe(1);
  });
});

describe('GC', () => {
  it.each([
    'cni.dev/valid-attachments',
    'cni.dev/attachments',
  ])('removes what %s does not name, of this network alone', async (key) => {
    for (const id of ['c1', 'c2']) await world().add(id);
    await world().add('c3', configured({ name: 'other' }));
    const stay = { cniVersion: '1.1.0', [key]: [{ containerID: 'c2', ifname: 'eth0' }] };
    const call = { command: 'GC' as const, config: { ...CONFIGURATION, ...stay } };
    expect(await world().plugin.call(call)).toEqual({ result: null });
    expect([...world().host.made.keys()]).toEqual(['weft c2 eth0', 'other c3 eth0']);
  });

  it('removes nothing without a list, or below version 1.1.0', async () => {
    await world().add('c1');
    const gc = async (changes: object) =>
      code(await world().plugin.call({ command: 'GC', ...configured(changes) }));
    expect(await gc({ cniVersion: '1.1.0' })).toBe(7);
    expect(await gc({ 'cni.dev/valid-attachments': [] })).toBe(1);
    expect(world().host.made.size).toBe(1);
  });
});

describe('STATUS', () => {
  const status = async (changes: object) =>
    await world().plugin.call({ command: 'STATUS', ...configured({ cniVersion: '1.1.0', ...changes }) });

  it('is well while addresses can be given, and says why when they cannot', async () => {
    expect(await status({})).toEqual({ result: null });
    world().host.obstacle = 'there is no address space yet';
    expect(await status({})).toMatchObject({ error: { code: 50, msg: 'there is no address space yet' } });
  });

  it('needs the network of the configuration, and version 1.1.0', async () => {
    expect(code(await status({ network: 'elsewhere' }))).toBe(7);
    expect(code(await status({ cniVersion: '1.0.0' }))).toBe(1);
  });
});
