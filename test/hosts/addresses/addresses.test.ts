import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Attachment } from '../../../src/api/index.js';
import { type Host, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { attach, ipam } from './ipam.js';

/** Launches the first host, and the others into its network. */
async function launch(first: Host, others: readonly Host[], args: string[] = []): Promise<void> {
  await first.launch({ args });
  const token = await first.token();
  for (const host of others) await host.launch({ token, args });
}

describe('addresses of a network with a token', () => {
  const world = onLab(async (lab) => {
    const hosts = await lab.hosts(5);
    const [first, ...others] = hosts;
    await launch(first, others);
    return { hosts };
  });

  test('are given by five hosts at once, each once, and their containers talk', async () => {
    const { hosts } = world();
    const containers = await Promise.all(
      hosts.flatMap((host) => [host.container(`${host.name}a`), host.container(`${host.name}b`)]),
    );
    const addresses = await Promise.all(containers.map((container) => attach(container)));
    expect(new Set(addresses).size).toBe(addresses.length);
    expect(addresses.every((address) => /^10\.(3[2-9]|4[0-7])\..*\/12$/.test(address))).toBe(true);
    const [from] = containers;
    for (const to of containers.slice(-2)) {
      await from?.reaches(to.address);
      await from?.reaches(to.address6);
    }
  });

  test('are owned in part by each host that gives some, as all of them tell', async () => {
    const { hosts } = world();
    for (const host of hosts) {
      const { owners, range } = await until(`${host.name} knows all owners`, async () => {
        const status = await ipam(host);
        return status.owners.length === hosts.length ? status : undefined;
      });
      expect(range).toBe('10.32.0.0/12');
      expect(owners.reduce((sum, { addresses }) => sum + addresses, 0)).toBe(2 ** 20);
    }
  });

  test('may be chosen on a host that does not own them, but only once', async () => {
    const { hosts } = world();
    const [one, two] = [await hosts[1].container('chosen1'), await hosts[2].container('chosen2')];
    expect(await attach(one, '10.47.1.1/12')).toBe('10.47.1.1/12');
    const refused = await two.host.tryWeft('attach', two.namespace, '10.47.1.1/12');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('10.47.1.1') });
    expect(refused.stderr.trim().split('\n')).toHaveLength(1);
  });

  test('of a subnet are of that subnet; a subnet of nobody’s range is refused', async () => {
    const { hosts } = world();
    const container = await hosts[3].container('subnet');
    expect(await attach(container, 'net:10.40.7.0/24')).toMatch(/^10\.40\.7\.\d+\/24$/);
    const refused = await hosts[3].tryWeft('attach', container.namespace, 'net:192.168.77.0/24');
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('10.32.0.0/12');
  });

  test('stay with a container over a restart of the router', async () => {
    const { hosts } = world();
    const container = await hosts[4].container('kept');
    const before = await attach(container);
    process.kill(hosts[4].daemon, 'SIGKILL');
    await hosts[4].launch();
    const [kept] = (await hosts[4].weftJson<Attachment[]>('ps')).filter(
      ({ target }) => target === container.namespace,
    );
    expect(kept?.addresses).toContain(before);
    expect(await ipam(hosts[4])).toMatchObject({ inDoubt: false });
  });

  test.runIf(process.env.WEFT_LONG === '1')(
    'are still given when the host that made the network is dead, and those it had when it was removed',
    async () => {
      const { hosts } = world();
      const [creator, second, third] = hosts;
      const { peer } = (await creator.report()).status;
      await creator.crash();
      const container = await second.container('later');
      await attach(container);
      await until(
        'the dead host is seen to be down',
        async () =>
          (await second.weftJson<{ peer: string; state: string }[]>('status', 'peers')).some(
            (seen) => seen.peer === peer && seen.state === 'down',
          ),
        { within: 60_000, every: 500 },
      );
      await second.weft('rmpeer', peer);
      const owned = await until(
        'its addresses have another owner',
        async () => {
          const { owners } = await ipam(third);
          return owners.some((owner) => owner.peer === peer) ? undefined : owners;
        },
        { within: 30_000, every: 250 },
      );
      expect(owned.reduce((sum, { addresses }) => sum + addresses, 0)).toBe(2 ** 20);
      const again = await third.tryWeft('rmpeer', peer);
      expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('already') });
    },
  );

  test('of a host that is reset go to another', async () => {
    const { hosts } = world();
    const [, second, , leaver] = hosts;
    const { peer } = (await leaver.report()).status;
    expect(await leaver.weft('reset', '--force')).toBe('left the network\n');
    await until('all addresses have an owner that is there', async () => {
      const { owners } = await ipam(second);
      const sum = owners.reduce((total, { addresses }) => total + addresses, 0);
      return sum === 2 ** 20 && owners.every((owner) => owner.peer !== peer);
    });
  });
});

describe('addresses in a split network', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    await launch(a, [b], ['--ipalloc-range', '10.50.0.0/24']);
    for (const host of [a, b]) await attach(await host.container(`first${host.name}`));
    return { a, b };
  });

  test('are given on both sides, none twice, and all of them after it is healed', async () => {
    const { a, b } = world();
    const many = async (host: Host, side: string, count: number): Promise<string[]> => {
      const given: string[] = [];
      for (let i = 0; i < count; i += 1) given.push(await attach(await host.container(`${side}${i}`)));
      return given;
    };
    await a.port.unplug();
    const [left, right] = await Promise.all([many(a, 'left', 8), many(b, 'right', 8)]);
    expect(new Set([...left, ...right]).size).toBe(16);
    await a.port.plug();
    await a.isConnectedTo(b, 30_000);
    const after = await many(b, 'after', 2);
    expect(new Set([...left, ...right, ...after]).size).toBe(18);
  });
});

describe.runIf(process.env.WEFT_LONG === '1')('addresses of a network with a password', () => {
  const world = onLab(async (lab) => {
    const hosts = await lab.hosts(4);
    return { hosts };
  });
  const password = 'an unguessable sentence';

  test('are shared once most of the routers that were named have met; an observer gets some of theirs', async () => {
    const { hosts } = world();
    const [a, b, c, observer] = hosts;
    const peers = [a, b, c];
    await a.launch({ password, peers });
    const early = await a.tryWeft('attach', (await a.container('early')).namespace);
    expect(early).toMatchObject({ code: 1, stderr: expect.stringContaining('2 of the 3 routers') });
    await observer.launch({ password, peers, args: ['--ipalloc-init', 'observer'] });
    await b.launch({ password, peers });
    await Promise.all([a, b].map((host) => host.weft('prime')));
    await c.launch({ password, peers });
    const containers = await Promise.all(hosts.map((host) => host.container(`of-${host.name}`)));
    const addresses = await Promise.all(containers.map((container) => attach(container)));
    expect(new Set(addresses).size).toBe(4);
    const { founders } = await ipam(observer);
    expect(founders).not.toContain((await observer.report()).status.peer);
  });
});

describe('a router', () => {
  const world = onLab(async (lab) => named(await lab.hosts(2)));

  test('refuses a damaged file of addresses, names the remedy, and leaves the file as it is', async () => {
    const { a } = world();
    await a.launch();
    await attach(await a.container('one'));
    await a.weft('stop');
    const file = join(a.stateDirectory, 'addresses.json');
    const content = await readFile(file, 'utf8');
    const torn = content.slice(0, content.length / 2);
    await writeFile(file, torn);
    const refused = await a.tryWeft(...a.launchArguments());
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('addresses.json is damaged') });
    expect(await readFile(file, 'utf8')).toBe(torn);
    await writeFile(file, content);
    await a.launch();
    await a.weft('stop');
  });

  test('refuses another range than it had, goes on with that one, and takes the other once it was reset', async () => {
    const { a } = world();
    const other = { args: ['--ipalloc-range', '10.51.0.0/24'] };
    const refused = await a.tryWeft(...a.launchArguments(other));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/10\.32\.0\.0\/12.*weft reset/);
    await a.launch();
    expect(await attach(await a.container('former'))).toMatch(/^10\.32\./);
    await a.weft('reset');
    await a.launch(other);
    expect(await attach(await a.container('fresh'))).toBe('10.51.0.1/24');
    await a.weft('reset');
  });

  test('refuses a range that its host has routes to, and one that is not the network’s', async () => {
    const { a, b } = world();
    await b.ip(`route add 172.20.0.0/16 dev ${b.port.device}`);
    const refused = await b.tryWeft(...b.launchArguments({ args: ['--ipalloc-range', '172.20.0.0/14'] }));
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('172.20.0.0/16') });
    await a.launch();
    await b.launch({ token: await a.token(), args: ['--ipalloc-range', '10.99.0.0/16'] });
    await b.isConnectedTo(a);
    await until('both ranges are named', async () =>
      /10\.99\.0\.0\/16.*10\.32\.0\.0\/12|10\.32\.0\.0\/12.*10\.99\.0\.0\/16/.test(b.logs()),
    );
    const none = await b.tryWeft('attach', (await b.container('none')).namespace);
    expect(none.code).toBe(1);
  });
});

describe('an address that only a router has to give that is away', () => {
  const world = onLab(async (lab) => named(await lab.hosts(2)));

  test.runIf(process.env.WEFT_LONG === '1')(
    'is refused with its name and what to do, which helps',
    async () => {
      const { a, b } = world();
      await launch(a, [b]);
      const { peer } = (await a.report()).status;
      await a.weft('stop');
      await asksFor(b, '10.32.0.9/12', a, peer);
      await b.weft('reset', '--force');
      await a.launch();
      await a.weft('reset', '--force');
    },
  );

  test.runIf(process.env.WEFT_LONG === '1')(
    'is known as the former router of a host that was set up anew, on that host, too',
    async () => {
      const { a, b } = world();
      await launch(a, [b]);
      const address = await attach(await b.container('before'));
      const { peer } = (await b.report()).status;
      await b.crash();
      await b.ip('link delete weft');
      for (const directory of [b.stateDirectory, b.runDirectory]) await rm(directory, { recursive: true });
      await b.launch({ token: await a.token() });
      await asksFor(b, address, b, peer);
      for (const host of [a, b]) await host.weft('reset', '--force');
    },
    240_000,
  );
});

/** Attaches with this address, which an absent router must give; and again after what the refusal says was done. */
async function asksFor(host: Host, address: string, absent: Host, peer: string): Promise<void> {
  const container = await host.container(`chosen-from-${absent.name}`);
  const { code, stderr } = await host.tryWeft('attach', container.namespace, address);
  const [bare] = address.split('/');
  const sharesName = absent === host ? ` \\(${peer}\\)` : '';
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(
      new RegExp(
        `^weft: only ${absent.name}${sharesName} can give ${bare}, and (cannot be reached|did not answer in time): `,
      ),
    ),
  });
  const [, ...advice] = /`weft (rmpeer) (\w+)`/.exec(stderr) ?? [];
  expect(advice).toEqual(['rmpeer', peer]);
  await until('it may be removed', () => host.weft(...advice), { within: 60_000, every: 500 });
  await until('the address is given', () => host.weft('attach', container.namespace, address), {
    within: 60_000,
    every: 500,
  });
}

const named = ([a, b]: [Host, Host]) => ({ a, b });
