import { describe, expect, test } from 'vitest';
import { type Container, type Host, sendFlood, sendFrames, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { dig, nameserver, resolvConf } from '../names/dig.js';
import { counters } from '../pair.js';
import { advertisement, DNS_MAC, EVERYBODY, gratuitousArp, plainFrame, question } from './forged.js';
import { withHostileContainer } from './world.js';

const DNS_ADDRESSES = { IPv4: '169.254.53.53', IPv6: 'fe80::53' };

/** What the neighbour cache of a container has for an address. */
async function knownMac(container: Container, address: string): Promise<string | undefined> {
  const found = await container.ipJson<{ lladdr?: string }[]>(
    'neigh',
    'show',
    address.includes(':') ? address : `${address}/32`,
    'dev',
    'ethweft',
  );
  return found[0]?.lladdr;
}

/** A MAC of the bridge on this host. */
async function bridgeMac(host: Host): Promise<string> {
  const [link] = await host.ipJson<{ address: string }[]>('link', 'show', 'weft');
  return link?.address ?? '';
}

/** Frames that were refused as another's, at the ports of a host and at its tunnel. */
async function refused(host: Host): Promise<number> {
  const found = await counters(host);
  return Object.entries(found)
    .filter(([name]) => /^refused_|^dropped_foreign/.test(name))
    .reduce((sum, [, count]) => sum + count, 0);
}

/** Sends these frames out of a container, each some times, and waits until as many more are refused on its host. */
async function attack(attacker: Container, frames: readonly Buffer[]): Promise<void> {
  const before = await refused(attacker.host);
  await sendFrames(attacker, 'ethweft', [...frames, ...frames, ...frames]);
  await until('they are refused', async () => (await refused(attacker.host)) >= before + 3 * frames.length, {
    within: 10_000,
  });
}

const world = onLab(withHostileContainer);

describe('a hostile container', () => {
  test('that sends from the MAC of the name server takes no question from it, on any host', async () => {
    const { a, b, attacker, near, far } = world();
    const { address: mac } = await far.device();
    await attack(attacker, [plainFrame(EVERYBODY, DNS_MAC), plainFrame(mac, DNS_MAC)]);
    for (const host of [a, b]) {
      expect(await host.run(['bridge', 'fdb', 'get', DNS_MAC, 'br', 'weft'])).toMatch(/ dev weft-dns /);
    }
    for (const asker of [near, far]) {
      expect(await dig(asker, 'nobody.weft.local')).toMatchObject({ status: 'NXDOMAIN' });
    }
  });

  test.each([
    ['IPv4', gratuitousArp],
    ['IPv6', advertisement],
  ] as const)('that claims the address of the name server over %s is believed by nobody', async (family, claim) => {
    const { attacker, near, far } = world();
    const address = DNS_ADDRESSES[family];
    const server = family === 'IPv6' ? `${address}%ethweft` : address;
    for (const asker of [near, far]) await dig(asker, 'nobody.weft.local', { server });
    const { address: mac } = await attacker.device();
    await attack(attacker, [claim(address, mac)]);
    for (const asker of [near, far]) {
      expect(await knownMac(asker, address)).toBe(DNS_MAC);
      expect(await dig(asker, 'nobody.weft.local', { server })).toMatchObject({ status: 'NXDOMAIN' });
    }
  });

  test('that speaks as a host on the network is believed by nobody', async () => {
    const { a, b, attacker, near, far } = world();
    await a.weft('expose', '10.32.0.253/24');
    await b.weft('expose', '10.32.0.254/24');
    try {
      for (const asker of [near, far]) {
        for (const address of ['10.32.0.253', '10.32.0.254']) await asker.reaches(address);
      }
      // The rules of what other hosts have are gathered for two seconds.
      await until('the address of the other host is guarded here', async () =>
        (await a.run(['nft', 'list', 'set', 'bridge', 'weft-weft-ports', 'ipv4_0'])).includes('10.32.0.254'),
      );
      const { address: mac } = await attacker.device();
      const [hereMac, thereMac] = [await bridgeMac(a), await bridgeMac(b)];
      await attack(attacker, [
        gratuitousArp('10.32.0.253', mac),
        gratuitousArp('10.32.0.254', mac),
        plainFrame(EVERYBODY, hereMac),
        plainFrame(EVERYBODY, thereMac),
      ]);
      for (const asker of [near, far]) {
        expect(await knownMac(asker, '10.32.0.253')).toBe(hereMac);
        expect(await knownMac(asker, '10.32.0.254')).toBe(thereMac);
        for (const address of ['10.32.0.253', '10.32.0.254']) expect(await asker.ping(address)).toBe(true);
      }
    } finally {
      await a.weft('hide', '10.32.0.253/24');
      await b.weft('hide', '10.32.0.254/24');
    }
  });

  test('finds no host on its segment that was not exposed, and so no service that listens on [::]', async () => {
    const { a, b, attacker } = world();
    const services = [a, b].map((host) => host.start(['socat', 'TCP6-LISTEN:2222,fork', 'SYSTEM:echo open']));
    try {
      const { stdout } = await attacker.attempt([
        'ping',
        '-n',
        '-c',
        '3',
        '-i',
        '0.3',
        '-w',
        '2',
        'ff02::1%ethweft',
      ]);
      const found = new Set([...stdout.matchAll(/from (fe80::[0-9a-f:]+)/g)].map(([, address]) => address));
      for (const host of [a, b]) {
        const [bridge] = await host.ipJson<{ addr_info: { local: string }[] }[]>(
          'address',
          'show',
          'dev',
          'weft',
        );
        expect(bridge?.addr_info).toEqual([]);
      }
      for (const address of found) {
        const { code } = await attacker.attempt([
          'socat',
          '-u',
          `TCP6:[${address}%ethweft]:2222,connect-timeout=1`,
          '-',
        ]);
        expect(code, `${address} lets nobody in`).not.toBe(0);
      }
    } finally {
      for (const service of services) await service.stop();
    }
  });
});

describe('a hostile container that asks for names without end', () => {
  const asker = onLab(async (lab) => {
    const [host] = await lab.hosts(1);
    // For names below nobody.test it asks a server that never answers, as many at a time as come.
    await nameserver(
      host,
      '--address=/example.test/192.0.2.1',
      '--server=/nobody.test/192.168.1.250',
      '--dns-forward-max=9999',
    );
    await host.launch({ args: ['--resolv-conf', resolvConf(host, '127.0.0.1')] });
    const attacker = await host.container('attacker', '10.32.0.1/24');
    const near = await host.container('near', '10.32.0.3/24');
    await near.reaches('10.32.0.1');
    const { address: mac } = await attacker.device();
    const questions = (count: number, address: string) =>
      Array.from({ length: count }, (_, i) => question(`${i}.nobody.test`, { mac, address, port: 1024 + i }));
    return { host, attacker, near, questions };
  });

  test('keeps no neighbour from an answer', async () => {
    const { host, attacker, near, questions } = asker();
    const flood = await sendFlood(attacker, 'ethweft', questions(4_000, '10.32.0.1'), 2_000);
    const waiting = async () => (await host.report()).dns?.status.counters.overloaded ?? 0;
    await until('it has all the places of those who wait', async () => (await waiting()) > 0, {
      within: 30_000,
    }).finally(() => flood.stop());
    expect(await dig(near, 'www.example.test')).toMatchObject({ status: 'NOERROR', answers: ['192.0.2.1'] });
  });

  test('cannot ask in the name of a neighbour', async () => {
    const { host, attacker, questions } = asker();
    const before = await refused(host);
    await sendFrames(attacker, 'ethweft', questions(200, '10.32.0.3'));
    await until('they are refused', async () => (await refused(host)) >= before + 200);
  });
});
