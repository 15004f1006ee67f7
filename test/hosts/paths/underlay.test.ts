import { describe, expect, test } from 'vitest';
import type { Token } from '../../../src/api/index.js';
import type { Finding } from '../../../src/cli/diagnosis.js';
import { type Host, lasting, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { allLinked, peersOf } from '../members/members.js';
import { connection } from './layouts.js';

const PASSWORD = 'correct horse battery staple';
const DOCKER = '172.17.0.1';

/** A bridge with this address and a container on it, as Docker makes them. */
async function containerBridge(host: Host, name: string, address: string): Promise<void> {
  const port = `veth${name.slice(-6)}`;
  await host.ip(
    `link add ${name} type bridge`,
    `link add ${port} type veth peer name ${port}i`,
    `link set ${port} master ${name} up`,
    `link set ${port}i up`,
    `link set ${name} up`,
    `address add ${address}/16 dev ${name}`,
  );
}

/** So many networks of Docker, which its kernel lists before what comes later. */
async function containerBridges(host: Host, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1)
    await containerBridge(host, `br-${i.toString(16).padStart(12, '0')}`, `172.${18 + i}.0.1`);
}

const endpointsOf = async (host: Host, of: Host) =>
  (await peersOf(host)).find(({ nickname }) => nickname === of.name)?.endpoints ?? [];

const addressesOf = async (host: Host) => (await host.weftJson<Token>('token')).addresses;

async function goesDirect(from: Host, to: Host): Promise<void> {
  await until(
    `${from.name} reaches ${to.name} directly`,
    async () => (await connection(from, to)).path === 'direct',
    { within: 20_000 },
  );
}

async function isLinkedTo(host: Host, other: Host, linked: boolean, within: number): Promise<void> {
  await until(
    `${host.name} is ${linked ? '' : 'not '}linked to ${other.name}`,
    async () =>
      (await peersOf(host)).some(
        ({ nickname, state }) => nickname === other.name && (state === 'linked') === linked,
      ),
    { within, every: 100 },
  );
}

describe('two hosts with the same bridge of Docker, of which one gets another address while they are apart', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    for (const host of [a, b]) await containerBridge(host, 'docker0', DOCKER);
    await a.launch();
    await b.launch({ token: await a.token() });
    await isLinkedTo(a, b, true, 10_000);
    return { a, b };
  });

  test.runIf(process.env.WEFT_LONG === '1')('link again as soon as the cable is in', async () => {
    const { a, b } = world();
    await a.port.unplug();
    for (const [host, other] of [
      [a, b],
      [b, a],
    ] as const)
      await isLinkedTo(host, other, false, 30_000);
    await a.ip(`address flush dev ${a.port.device}`);
    // Long enough that both have dialled all addresses of the other, their own bridge's among them.
    await lasting(15);
    await a.ip(`address add 192.168.1.77/24 dev ${a.port.device}`);
    await a.port.plug();
    await isLinkedTo(b, a, true, 25_000);
    await until(
      'b knows the new address',
      async () => (await endpointsOf(b, a)).includes('192.168.1.77:6783'),
      { within: 15_000 },
    );
    expect((await b.report()).targets.map(({ state }) => state)).not.toContain('self');
  });
});

describe('a target whose name leads to the host itself', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    a.etc('hosts', `127.0.0.1 localhost\n${a.address} active.example\n`);
    await a.launch({ password: PASSWORD, peers: ['active.example'] });
    await b.launch({ password: PASSWORD });
    return { a, b };
  });

  test.runIf(process.env.WEFT_LONG === '1')('is dialled once it leads to another one', async () => {
    const { a, b } = world();
    const [target] = (await a.report()).targets;
    expect(target).toMatchObject({ state: 'self', lastError: { code: 'self' } });
    a.etc('hosts', `127.0.0.1 localhost\n${b.address} active.example\n`);
    await isLinkedTo(a, b, true, 40_000);
    expect((await a.report()).targets).toMatchObject([{ state: 'connected' }]);
  });
});

describe('three hosts with eighteen networks of Docker, and uplinks that came after them', () => {
  const world = onLab(async (lab) => {
    const hosts = [await lab.host(), await lab.host(), await lab.host()] as const;
    for (const host of hosts) await containerBridges(host, 18);
    const wire = await lab.wire();
    for (const host of hosts) host.ports.push(await wire.join(host));
    for (const host of hosts) await host.ip('route add default via 192.168.1.254');
    const [a, b, c] = hosts;
    await a.launch();
    const token = await a.token();
    await b.launch({ token });
    await c.launch({ token });
    return { a, b, c };
  });

  test('link to each other and go direct, because each is told the address that works', async () => {
    const { a, b, c } = world();
    await allLinked([a, b, c], 20_000);
    expect(await endpointsOf(b, c)).toContain(`${c.address}:6783`);
    expect((await endpointsOf(b, c))[0]).toBe(`${c.address}:6783`);
    await goesDirect(b, c);
  });

  test('have tokens without the bridges of containers', async () => {
    const { a } = world();
    expect(await addressesOf(a)).toEqual([`${a.address}:6783`, `[${a.address6}]:6783`]);
  });

  test('tell of an uplink that comes later, and never of what is inside of a segment', async () => {
    const { a, b, lab } = world();
    const second = await lab.wire();
    const { address } = await second.join(b);
    await a.weft('expose', '10.32.0.254/24');
    await b.weft('expose', '10.32.0.253/24');
    await b.ip(
      'link add inside link weft type macvlan mode bridge',
      'link set inside up',
      'address add 10.99.0.1/24 dev inside',
    );
    await until('a knows it', async () => (await endpointsOf(a, b)).includes(`${address}:6783`), {
      within: 20_000,
    });
    const told = await endpointsOf(a, b);
    expect(told.filter((endpoint) => /^10\.|^\[fd32/.test(endpoint))).toEqual([]);
  });
});

describe('a host that has IPv6 only, and nine VLANs before its way out', () => {
  const world = onLab(async (lab) => {
    const wire = await lab.wire();
    const [a, b] = [await lab.host(), await lab.host()];
    for (let i = 1; i <= 9; i += 1)
      await a.ip(
        `link add vlan${i} type veth peer name w${i}`,
        `link set vlan${i} up`,
        `link set w${i} up`,
        `address add fd99:${i}::1/64 dev vlan${i} nodad`,
      );
    for (const host of [a, b]) {
      host.ports.push(await wire.join(host));
      await host.ip(`address delete ${host.address}/24 dev ${host.port.device}`);
    }
    await a.ip(`route add ::/0 via ${b.address6}`);
    await a.launch();
    return { a, b };
  });

  test('has a token that leads to it', async () => {
    const { a, b } = world();
    expect((await addressesOf(a))[0]).toBe(`[${a.address6}]:6783`);
    await b.launch({ token: await a.token() });
    await isLinkedTo(b, a, true, 10_000);
    await goesDirect(b, a);
  });
});

describe('a router that advertises a name which others know', () => {
  const world = onLab(async (lab) => {
    const hosts = await lab.hosts(3);
    const [a, b, c] = hosts;
    b.etc('hosts', `127.0.0.1 localhost\n${a.address} vpn.example\n`);
    await a.launch({ args: ['--advertise', 'VPN.example'] });
    await b.launch({ token: await a.token() });
    await c.launch({ token: await b.token() });
    return { a, b, c };
  });

  test('has it in its token, and is linked to all', async () => {
    const { a, b, c } = world();
    expect(await addressesOf(a)).toEqual(['vpn.example:6783']);
    await allLinked([a, b, c], 20_000);
    expect(await endpointsOf(c, a)).toContain(`${a.address}:6783`);
  });

  test('tells what the name leads to, once it knows itself', async () => {
    const { a, b } = world();
    await a.weft('stop');
    a.etc('hosts', '127.0.0.1 localhost\n127.0.1.1 vpn.example\n203.0.113.7 vpn.example\n');
    await a.launch({ token: await b.token() });
    await until('b hears of it', async () => (await endpointsOf(b, a))[0] === '203.0.113.7:6783', {
      within: 20_000,
    });
    expect(await endpointsOf(b, a)).not.toContain('127.0.1.1:6783');
  });
});

describe('a host whose DNS server is silent', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    a.etc('resolv.conf', 'nameserver 192.168.1.250\n');
    a.etc('hosts', '127.0.0.1 localhost\n');
    // Somebody is there and says nothing, which takes longer than an unreachable host.
    await a.ip(`neigh add 192.168.1.250 lladdr 02:00:00:00:00:fa dev ${a.port.device} nud permanent`);
    return { a, b };
  });

  test('launches with names all the same, and finds the others once it is told where they are', async () => {
    const { a, b } = world();
    const { seconds } = await a.launch({ password: PASSWORD, peers: ['host-a', 'host-b', 'host-c'] });
    expect(seconds).toBeLessThan(15);
    const { note } = (await a.report()).ipam;
    expect(note).toMatch(/no DNS server says yet/);
    await b.launch({ password: PASSWORD });
    a.etc('hosts', `127.0.0.1 localhost\n${a.address} host-a\n${b.address} host-b host-c\n`);
    await isLinkedTo(a, b, true, 60_000);
    await until('the vote begins', async () => !/DNS/.test((await a.report()).ipam.note ?? ''), {
      within: 60_000,
    });
  });
});

describe('a host whose default route leads into the overlay', () => {
  const world = onLab(async (lab) => {
    const [near, far] = [await lab.wire(), await lab.wire()];
    const router = await lab.router('between', near, far);
    const [a, b] = [await lab.host(near), await lab.host(far)];
    for (const host of [a, b]) await host.routeThrough(router);
    await a.launch();
    await b.launch({ token: await a.token() });
    await goesDirect(a, b);
    return { a, b };
  });

  const routesOf = async (host: Host) => {
    const { stdout } = await host.tryWeft('doctor', '-o', 'json');
    const findings = JSON.parse(stdout) as Finding[];
    return findings.find(({ check }) => check === 'routes');
  };

  test('is told so, with the remedy, by doctor and by its connections', async () => {
    const { a, b } = world();
    expect(await routesOf(a)).toMatchObject({ level: 'ok' });
    await a.weft('expose', '10.32.0.1/24');
    await a.ip('route replace default via 10.32.0.9 dev weft', 'route replace ::/0 dev weft');
    await until(
      'the connection is not direct any more',
      async () => (await connection(a, b)).path === 'none',
      {
        within: 30_000,
      },
    );
    const { reason } = await connection(a, b);
    expect(reason).toContain(`route to ${b.address}, ${b.address6} leads into weft's own bridge (weft)`);
    expect(reason).not.toMatch(/UDP port/);
    const finding = await routesOf(a);
    expect(finding).toMatchObject({ level: 'fail' });
    expect(finding?.finding).toContain(b.address);
    expect(finding?.remedy).toMatch(/route of their own/);
  });
});
