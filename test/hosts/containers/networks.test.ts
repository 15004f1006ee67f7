import { describe, expect, test } from 'vitest';
import type { NetworkInfo } from '../../../src/api/index.js';
import { awaitFrame, type Container, type Host, sendFrame, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';

const ETHERTYPE = 0x88b5;

const networks = (host: Host) => host.weftJson<NetworkInfo[]>('network', 'ls');
const names = async (host: Host) => (await networks(host)).map(({ name }) => name);

async function knows(host: Host, name: string): Promise<NetworkInfo> {
  return await until(`${host.name} knows the network ${name}`, async () =>
    (await networks(host)).find((network) => network.name === name),
  );
}

async function forgot(host: Host, name: string): Promise<void> {
  await until(`${host.name} knows no network ${name}`, async () => !(await names(host)).includes(name));
}

describe('networks', () => {
  const world = onLab(async (lab) => {
    const [a, b, c] = await lab.hosts(3);
    await a.launch();
    const token = await a.token();
    await b.launch({ token });
    await c.launch({ token });
    for (const [from, to] of [
      [a, b],
      [a, c],
      [b, c],
    ] as const) {
      await from.isConnectedTo(to);
    }
    await a.weft('network', 'create', 'red', '--subnet', '10.99.0.0/24');
    await b.weft('network', 'create', 'blue', '--subnet', '10.99.0.0/24');
    for (const host of [a, b, c]) for (const name of ['red', 'blue']) await knows(host, name);
    const on = async (host: Host, network: string, address: string): Promise<Container> => {
      const container = await host.container(`${network}${host.name}`);
      await container.attach('--network', network, `${address}/24`);
      return container;
    };
    return {
      ...{ a, b, c },
      red: [await on(a, 'red', '10.99.0.1'), await on(b, 'red', '10.99.0.2')] as const,
      blue: [await on(a, 'blue', '10.99.0.1'), await on(b, 'blue', '10.99.0.2')] as const,
    };
  });

  test('made on one host are known on all, with one number and one bridge where they are used', async () => {
    const { a, b, c } = world();
    const [here, there, unused] = [await knows(a, 'red'), await knows(b, 'red'), await knows(c, 'red')];
    expect(here).toMatchObject({ subnets: ['10.99.0.0/24'], bridge: expect.stringMatching(/^weft/) });
    expect(there).toMatchObject({ number: here.number, bridge: here.bridge });
    expect(unused).toMatchObject({ number: here.number, bridge: null });
    expect(new Set([0, here.number, (await knows(a, 'blue')).number]).size).toBe(3);
  });

  test('may have the same addresses, and each container meets those of its own network only', async () => {
    const { red, blue } = world();
    await red[0].reaches('10.99.0.2');
    await blue[0].reaches('10.99.0.2');
    const neighbour = async ([first]: readonly [Container, Container]) => {
      const found = await first.ipJson<{ dst: string; lladdr?: string }[]>('neighbour', 'show', '10.99.0.2');
      return found[0]?.lladdr;
    };
    expect(await neighbour(red)).toBe((await red[1].device()).address);
    expect(await neighbour(blue)).toBe((await blue[1].device()).address);
  });

  test('keep broadcasts to themselves', async () => {
    const { red, blue, b } = world();
    const other = await b.container('other');
    await other.attach('10.99.0.9/24');
    const devices = await Promise.all([...red, ...blue, other].map((container) => container.device()));
    const [from, , , , outside] = devices;
    const inside = await awaitFrame(red[1], devices[1]?.ifname ?? '', ETHERTYPE);
    const strangers = [
      await awaitFrame(blue[1], devices[3]?.ifname ?? '', ETHERTYPE),
      await awaitFrame(other, outside?.ifname ?? '', ETHERTYPE),
    ];
    const text = (who: string) => `to all of ${who}, in a frame that is longer than the minimum of Ethernet`;
    await sendFrame(red[0], from?.ifname ?? '', 'ff:ff:ff:ff:ff:ff', ETHERTYPE, text('red'));
    expect(await inside()).toBe(text('red'));
    // What the strangers see first is what is sent to them afterwards.
    await sendFrame(blue[0], devices[2]?.ifname ?? '', 'ff:ff:ff:ff:ff:ff', ETHERTYPE, text('blue'));
    await sendFrame(other, outside?.ifname ?? '', 'ff:ff:ff:ff:ff:ff', ETHERTYPE, text('nobody'));
    expect(await strangers[0]?.()).toBe(text('blue'));
    const late = await world().a.container('late');
    await late.attach('10.99.0.8/24');
    await sendFrame(late, (await late.device()).ifname, 'ff:ff:ff:ff:ff:ff', ETHERTYPE, text('default'));
    expect(await strangers[1]?.()).toBe(text('default'));
  });

  test('are listed with their containers', async () => {
    const { a, red } = world();
    const attached = await a.weftJson<{ target: string; network: string }[]>('ps');
    expect(attached).toContainEqual(expect.objectContaining({ target: red[0].namespace, network: 'red' }));
    expect((await a.report()).networks.map(({ name }) => name)).toEqual(['default', 'blue', 'red']);
    expect(await a.weft('status', 'networks')).toMatch(/^red\s+\d+\s+10\.99\.0\.0\/24\s+weft[0-9a-f]{4}\s/m);
  });

  test('cannot be removed from any host while they are used, and are gone everywhere after that', async () => {
    const { a, b, c } = world();
    await a.weft('network', 'create', 'green');
    await knows(b, 'green');
    const container = await b.container('green');
    await container.attach('--network', 'green', '10.98.0.1/24');
    const used = await until('others know that it is used', async () => {
      const { code, stderr } = await c.tryWeft('network', 'rm', 'green');
      return code === 1 && stderr;
    });
    expect(used).toMatch(/detach/);
    await container.detach();
    await until('it is free', async () => (await knows(c, 'green')).usedBy.length === 0);
    await c.weft('network', 'rm', 'green');
    for (const host of [a, b, c]) await forgot(host, 'green');
    const links = await b.ipJson<{ ifname: string }[]>('link');
    expect(links.filter(({ ifname }) => /^weft[0-9a-f]{4}$/.test(ifname))).toHaveLength(2);
    const { code, stderr } = await a.tryWeft(
      'attach',
      container.namespace,
      '--network',
      'green',
      '10.98.0.1/24',
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/no network "green"/);
  });

  test('outlive the host that made them, and are there again after a daemon was killed', async () => {
    const { a, b, c, red } = world();
    await c.weft('network', 'create', 'yellow');
    await knows(a, 'yellow');
    await c.weft('reset');
    await until('c is gone', async () =>
      (await a.report()).peers.every(({ nickname, state }) => nickname !== c.name || state === 'left'),
    );
    process.kill(b.daemon, 'SIGKILL');
    await until('its end is seen', async () => (await b.tryWeft('status')).code === 3);
    await b.launch();
    await knows(b, 'yellow');
    await red[0].reaches('10.99.0.2');
    await red[1].reaches('10.99.0.1');
  });

  test('leave nothing behind when the router stops', async () => {
    const { a } = world();
    await a.weft('stop');
    const links = await a.ipJson<{ ifname: string }[]>('link');
    expect(links.map(({ ifname }) => ifname)).toEqual(['lo', expect.stringMatching(/^eth1/)]);
  });
});
