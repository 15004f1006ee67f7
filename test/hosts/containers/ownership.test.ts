import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Container, type Host, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { counters, grown, pair } from '../pair.js';

/** A container gives its interface another MAC, as one does by hand. */
async function changeMac(container: Container, mac: string): Promise<void> {
  await container.ip('link set ethweft down', `link set ethweft address ${mac}`, 'link set ethweft up');
}

/** Who answers for an address when somebody asks anew; undefined: nobody. */
async function answerTo(asker: Container, address: string): Promise<string | undefined> {
  await asker.ip('neigh flush all');
  await asker.ping(address);
  const found = await asker.ipJson<{ lladdr?: string }[]>('neigh', 'show', address);
  return found[0]?.lladdr;
}

/** Asks anew and gets there; at once. */
async function reachesAnew(asker: Container, address: string): Promise<boolean> {
  await asker.ip('neigh flush all');
  return await asker.ping(address);
}

/** Asks anew until it gets there. */
async function comesToReach(asker: Container, ...addresses: string[]): Promise<void> {
  for (const address of addresses) {
    await until(`${asker.name} reaches ${address}`, () => reachesAnew(asker, address), { within: 3_000 });
  }
}

async function announcedMac(host: Host, container: Container): Promise<string | null> {
  const { attachments } = await host.report();
  return attachments.find(({ target }) => target === container.namespace)?.mac ?? null;
}

describe('the MAC of a container', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    return { ...(await pair(a, b)), near: await a.container('near', '10.32.0.3/24', 'fd32::3/64') };
  });

  test('that changes inside is followed, by its own host and by others, IPv4 and IPv6', async () => {
    const { a, c1, c2, near } = world();
    for (const mac of ['02:00:00:aa:bb:01', '02:00:00:aa:bb:02', '02:00:00:aa:bb:01']) {
      await changeMac(c1, mac);
      await c1.ip('address replace fd32::1/64 dev ethweft nodad');
      for (const asker of [c2, near]) await comesToReach(asker, '10.32.0.1', 'fd32::1');
      await until('it is announced', async () => (await announcedMac(a, c1)) === mac);
      expect(await answerTo(c2, '10.32.0.1')).toBe(mac);
      expect(await answerTo(c2, 'fd32::1')).toBe(mac);
    }
  });

  test('that changes while the interface is up reaches those who know the former one', async () => {
    const { c1, c2, near } = world();
    await c2.reaches('10.32.0.1');
    await near.reaches('10.32.0.1');
    await c1.ip('link set ethweft address 02:00:00:aa:bb:03');
    for (const asker of [c2, near]) {
      await until('it is reached', () => asker.ping('10.32.0.1'), { within: 3_000 });
    }
  });

  test('that changed while no daemon was there to see it is followed by the next', async () => {
    const { a, c1, c2 } = world();
    process.kill(a.daemon, 'SIGKILL');
    await until('its end is seen', async () => (await a.tryWeft('status')).code === 3);
    await c1.ip('link set ethweft address 02:00:00:aa:bb:04');
    await a.launch();
    await until('it is announced', async () => (await announcedMac(a, c1)) === '02:00:00:aa:bb:04');
    await until('it is told', async () => (await answerTo(c2, '10.32.0.1')) === '02:00:00:aa:bb:04');
  });

  test('is announced no more once it is another one, nor when the container is detached', async () => {
    const { a, c2 } = world();
    const container = await a.container('changing');
    await container.attach('10.32.0.21/24', 'fd32::21/64');
    await changeMac(container, '02:00:00:aa:cc:01');
    await container.attach('10.32.0.21/24');
    await until('it is told', async () => (await answerTo(c2, '10.32.0.21')) === '02:00:00:aa:cc:01');
    await container.detach();
    await until('nobody answers', async () => (await answerTo(c2, '10.32.0.21')) === undefined);
    expect(await answerTo(c2, 'fd32::21')).toBeUndefined();
    const heir = await a.container('heir');
    await heir.attach('10.32.0.21/24');
    await comesToReach(c2, '10.32.0.21');
    expect(await answerTo(c2, '10.32.0.21')).toBe((await heir.device()).address);
  });

  test('that somebody else had, on another host, goes to who has it now', async () => {
    const { a, b, c1, near } = world();
    const [before, after] = [await a.container('before'), await b.container('after')];
    await before.attach('10.32.0.31/24');
    const { address: mac } = await before.device();
    await changeMac(before, '02:00:00:aa:dd:01');
    await until('it is free', async () => (await announcedMac(a, before)) !== mac);
    await after.attach('10.32.0.32/24');
    await changeMac(after, mac);
    await until('it is announced', async () => (await announcedMac(b, after)) === mac);
    for (const asker of [c1, near, before]) await comesToReach(asker, '10.32.0.32');
    await comesToReach(after, '10.32.0.31');
  });

  test("of a bridge in the container, and of what is behind it, leaves the container's own as it is", async () => {
    const { a, c2 } = world();
    const router = await a.container('router');
    await router.attach('10.32.0.41/24');
    const { address: mac } = await router.device();
    await router.ip(
      'link add link ethweft name vm type macvlan mode bridge',
      'link set vm address 00:00:5e:00:01:05',
      'address add 10.32.0.42/24 dev vm',
      'link set vm up',
    );
    await comesToReach(c2, '10.32.0.42', '10.32.0.41');
    expect(await answerTo(c2, '10.32.0.42')).toBeDefined();
    expect(await announcedMac(a, router)).toBe(mac);
  });
});

/** Takes addresses and announces them, as keepalived does: the kernel announces all of an interface whose MAC is set. */
async function claim(container: Container, ...addresses: string[]): Promise<void> {
  const { address: mac } = await container.device();
  await container.ip(
    ...addresses.map(
      (address) => `address add ${address} dev ethweft ${address.includes(':') ? 'nodad' : ''}`,
    ),
    `link set ethweft address ${mac}`,
  );
}

async function leave(container: Container, ...addresses: string[]): Promise<void> {
  await container.ip(...addresses.map((address) => `address delete ${address} dev ethweft`));
}

describe('an address that moves by announcement', () => {
  const world = onLab(async (lab) => {
    const [a, b, e] = await lab.hosts(3);
    const hosts = await pair(a, b);
    await e.launch({ token: await a.token() });
    const [near, far, third] = [
      await a.container('near', '10.32.0.3/24', 'fd32::3/64'),
      await b.container('far', '10.32.0.4/24', 'fd32::4/64'),
      await e.container('third', '10.32.0.5/24', 'fd32::5/64'),
    ];
    for (const address of [hosts.c1.address, hosts.c2.address, near.address]) await third.reaches(address);
    return { ...hosts, near, far, third };
  });

  const isAt = async (container: Container, askers: readonly Container[], addresses: readonly string[]) => {
    const { address: mac } = await container.device();
    for (const asker of askers) {
      for (const address of addresses) {
        await until(`${asker.name} finds ${address} at ${container.name}`, () => asker.ping(address), {
          within: 1_000,
        });
        expect(await answerTo(asker, address)).toBe(mac);
      }
    }
  };

  test.each([
    ['that weft never gave', false],
    ['that was given as a floating one', true],
  ])('%s is where it was announced last, for those who know it and those who ask anew, and back', async (_, given) => {
    const { c1, c2, near, far, third } = world();
    const addresses = given ? ['10.32.0.101', 'fd32::101'] : ['10.32.0.100', 'fd32::100'];
    const cidrs = addresses.map((address) => `${address}/${address.includes(':') ? 64 : 24}`);
    const askers = [near, far, third];
    if (given) await c1.attach('--floating', ...cidrs);
    else await claim(c1, ...cidrs);
    await isAt(c1, askers, addresses);
    for (const [from, to] of [
      [c1, c2],
      [c2, c1],
    ] as const) {
      await leave(from, ...cidrs);
      await claim(to, ...cidrs);
      await isAt(to, askers, addresses);
    }
    expect(await near.ping(c1.address)).toBe(true);
  });

  test('is shown as floating, and is its own again once it is attached so', async () => {
    const { a } = world();
    const container = await a.container('shown');
    await container.attach('10.32.0.111/24');
    await container.attach('--floating', '10.32.0.112/24');
    const shown = async () =>
      (await a.report()).attachments.find(({ target }) => target === container.namespace);
    expect(await shown()).toMatchObject({
      addresses: ['10.32.0.111/24', '10.32.0.112/24'],
      floating: ['10.32.0.112/24'],
    });
    expect(await a.weft('ps')).toContain('10.32.0.111/24 10.32.0.112/24 (floating)');
    await a.weft('detach', container.namespace, '10.32.0.112/24');
    expect(await shown()).toMatchObject({ addresses: ['10.32.0.111/24'], floating: [] });
    await a.weft('attach', container.namespace, '--floating');
    expect(await shown()).toMatchObject({ floating: ['10.32.0.111/24'] });
  });
});

describe('a MAC that is chosen', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    return await pair(a, b);
  });

  test('is that of the interface, also when the container is restarted', async () => {
    const { a, c2 } = world();
    const container = await a.container('licensed');
    await container.attach('--mac', '02:00:00:AA:BB:11', '10.32.0.51/24');
    expect((await container.device()).address).toBe('02:00:00:aa:bb:11');
    await comesToReach(c2, '10.32.0.51');
    expect(await answerTo(c2, '10.32.0.51')).toBe('02:00:00:aa:bb:11');
    await container.restart();
    await until(
      'it is attached again',
      async () => (await container.device()).address === '02:00:00:aa:bb:11',
    );
    await container.attach('--mac', '02:00:00:aa:bb:12');
    await until('it is told', async () => (await answerTo(c2, '10.32.0.51')) === '02:00:00:aa:bb:12');
  });

  test('is refused when somebody has it who is attached, on any host, and when it is none', async () => {
    const { a, b, c1 } = world();
    const { address: taken } = await c1.device();
    for (const host of [a, b]) {
      const container = await host.container(`second-${host.name}`);
      const { code, stderr } = await host.tryWeft(
        'attach',
        container.namespace,
        '--mac',
        taken,
        '10.32.0.61/24',
      );
      expect([code, stderr]).toEqual([1, expect.stringContaining(`already has the MAC ${taken}`)]);
      expect((await container.ipJson<object[]>('link')).length).toBe(1);
      for (const mac of ['01:00:5e:00:00:01', '00:00:00:00:00:00', '02:00:00:aa:bb', '02:77:65:66:74:35']) {
        const refused = await host.tryWeft('attach', container.namespace, '--mac', mac, '10.32.0.61/24');
        expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(`"${mac}" cannot be`)]);
      }
    }
  });
});

describe('what was given to a container', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    const hosts = await pair(a, b);
    const near = await a.container('near', '10.32.0.3/24', 'fd32::3/64');
    return { ...hosts, near, far: await b.container('far', '10.32.0.4/24', 'fd32::4/64') };
  });

  /** How often a host's log says that somebody claims something. */
  const told = (host: Host, who: string, claimed: string) =>
    readFileSync(join(host.runDirectory, 'daemon.log'), 'utf8')
      .split('\n')
      .filter((line) => line.includes(`${who} claims ${claimed},`)).length;

  /** It is where it belongs, for those who know it and those who ask anew. */
  const isUndisturbed = async (holder: Container, askers: readonly Container[]) => {
    const { address: mac } = await holder.device();
    for (const asker of askers) {
      for (const address of [holder.address, holder.address6]) {
        expect(await asker.ping(address)).toBe(true);
        expect(await answerTo(asker, address)).toBe(mac);
      }
    }
  };

  test.each([
    'the same host',
    'another host',
  ])('cannot be claimed by a container on %s: it is counted and told once', async (where) => {
    const { a, b, c1, near, far } = world();
    const host = where === 'the same host' ? a : b;
    const thief = await host.container(`thief-${host.name}`);
    await thief.attach(host === a ? '10.32.0.11/24' : '10.32.0.12/24');
    const before = await counters(host);
    await isUndisturbed(c1, [near, far]);
    for (let i = 0; i < 3; i += 1) {
      await claim(thief, '10.32.0.1/24', 'fd32::1/64');
      await isUndisturbed(c1, [near, far]);
      await leave(thief, '10.32.0.1/24', 'fd32::1/64');
    }
    await grown(host, before, 'refused_ipv4');
    await grown(host, before, 'refused_ipv6');
    for (const address of ['10.32.0.1', 'fd32::1']) {
      await until('it is told', () => told(host, thief.namespace, address) > 0);
      expect(told(host, thief.namespace, address)).toBe(1);
    }
    const [{ address: own }, { address: mac }] = [await thief.device(), await c1.device()];
    await thief.ip(`link set ethweft address ${mac}`);
    await thief.attempt(['ping', '-c', '3', '-i', '0.2', '-W', '1', far.address]);
    await isUndisturbed(c1, [near, far]);
    await grown(host, before, 'refused_mac');
    await until('it is told', () => told(host, thief.namespace, mac) > 0);
    expect(await announcedMac(host, thief)).toBe(own);
    await thief.ip(`link set ethweft address ${own}`);
    await thief.reaches(c1.address);
  });

  test('is kept by the next daemon, and when somebody removed the rules', async () => {
    const { a, c1, near, far } = world();
    const thief = await a.container('patient');
    await thief.attach('10.32.0.13/24');
    await a.run(['nft', 'flush', 'ruleset']);
    await until('the rules are there', async () =>
      (await a.run(['nft', 'list', 'ruleset'])).includes('weft-weft'),
    );
    await claim(thief, '10.32.0.1/24', 'fd32::1/64');
    await isUndisturbed(c1, [near, far]);
    await leave(thief, '10.32.0.1/24', 'fd32::1/64');
    process.kill(a.daemon, 'SIGKILL');
    await until('its end is seen', async () => (await a.tryWeft('status')).code === 3);
    await a.launch();
    await claim(thief, '10.32.0.1/24', 'fd32::1/64');
    await isUndisturbed(c1, [near, far]);
    await leave(thief, '10.32.0.1/24', 'fd32::1/64');
  });

  test("is anybody's once the container is detached", async () => {
    const { a, b, far, near } = world();
    const [before, after] = [await a.container('leaving'), await b.container('taking', '10.32.0.22/24')];
    await before.attach('10.32.0.21/24', 'fd32::21/64');
    await comesToReach(far, '10.32.0.21', 'fd32::21');
    await before.detach();
    await claim(after, '10.32.0.21/24', 'fd32::21/64');
    for (const asker of [near, far]) await comesToReach(asker, '10.32.0.21', 'fd32::21');
  });

  test('leaves no rule behind when the router is stopped', async () => {
    const { b } = world();
    expect(await b.run(['nft', 'list', 'ruleset'])).toContain('table bridge');
    await b.weft('stop');
    expect(await b.run(['nft', 'list', 'ruleset'])).not.toContain('table bridge');
  });
});
