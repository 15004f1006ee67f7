import { describe, expect, test } from 'vitest';
import { LONGEST_ABSENCE } from '../../../src/ipam/index.js';
import { type Host, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { attach, ipam } from './ipam.js';

/** Addresses of 10.32.0.0/12. */
const ALL = 2 ** 20;

describe('addresses that are all the one router’s that is down', () => {
  const world = onLab(async (lab) => {
    const hosts = await lab.hosts(3);
    const [first, second, third] = hosts;
    const { peer } = await first.launch();
    for (const host of [second, third]) await host.launch({ token: await first.token() });
    const kept = [await first.container('c1'), await first.container('c2')] as const;
    for (const container of kept) await attach(container);
    await second.isConnectedTo(first);
    return { hosts, peer, kept };
  });

  let lastAlive = 0;

  test('are waited for, in vain, with its name; what is nobody’s is had at once', async () => {
    const { hosts } = world();
    const [first, second] = hosts;
    await first.crash();
    const [waits, other] = [await second.container('waits'), await second.container('other')];
    const [refused, had] = await Promise.all([
      second.tryWeft('attach', waits.namespace, '10.32.0.9/12'),
      second.tryWeft('attach', other.namespace, '10.77.0.1/24'),
    ]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(first.name) });
    expect(refused.seconds).toBeLessThan(12);
    expect(had).toMatchObject({ code: 0 });
    expect(had.seconds).toBeLessThan(3);
  });

  test('are had by whoever waits when it comes back', async () => {
    const { hosts } = world();
    const [first, second] = hosts;
    const container = await second.container('patient');
    const waiting = second.startWeft('attach', container.namespace, '10.32.0.9/12');
    await until('it waits', async () => (await ipam(second)).requests.claim > 0);
    await first.launch();
    expect(await waiting.ends()).toMatchObject({ code: 0 });
    await first.crash();
    lastAlive = performance.now();
  });

  test('are given by the others once it is removed and cannot come back as if nothing had happened', async () => {
    const { hosts, peer, kept } = world();
    const [, second, third] = hosts;
    await until('it may be removed', () => second.weft('rmpeer', peer), { within: 60_000, every: 500 });
    const given = async (host: Host) => {
      const container = await host.container(`of-${host.name}`);
      return await until(`${host.name} gives one`, () => attach(container), { within: 45_000 });
    };
    const [one, two] = await Promise.all([given(second), given(third)]);
    expect(performance.now() - lastAlive).toBeGreaterThan(LONGEST_ABSENCE * 1000);
    expect(one).toBe(kept[0].addresses[0]);
    expect(two).not.toBe(one);
    for (const host of [second, third]) {
      const { owners } = await ipam(host);
      expect(owners.map(({ peer: owner }) => owner)).not.toContain(peer);
      expect(owners.reduce((sum, { addresses }) => sum + addresses, 0)).toBe(ALL);
    }
  });

  test('are its own again as far as nobody else has them, and it tells who has the others', async () => {
    const { hosts, kept } = world();
    const [first, second] = hosts;
    const [taken, free] = kept;
    await first.launch();
    const inUse = new RegExp(
      `${taken.namespace} has ${taken.address}/.*${taken.address} is in use by ${second.name}`,
    );
    await until('it is told', () => inUse.test(first.logs()));
    await until('the other one is its own', async () => (await ipam(first)).requests.claim === 0);
    const late = await second.container('late');
    const refused = await second.tryWeft('attach', late.namespace, free.addresses[0] ?? '');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(first.name) });
  });
});

describe.runIf(process.env.WEFT_LONG === '1')('addresses of a router that was removed', () => {
  const world = onLab(async (lab) => {
    const hosts = await lab.hosts(3);
    const [first, second, third] = hosts;
    const { peer } = await first.launch();
    for (const host of [second, third]) await host.launch({ token: await first.token() });
    await attach(await first.container('kept'));
    await second.isConnectedTo(third);
    return { hosts, peer };
  });

  test('are taken over although the one that removed it dies right after', async () => {
    const { hosts, peer } = world();
    const [first, second, third] = hosts;
    await first.crash();
    await until('it may be removed', () => second.weft('rmpeer', peer), { within: 60_000, every: 500 });
    await until('the third knows', async () => (await third.weft('peer', 'ls')).includes(peer) === false);
    await second.crash();
    const died = second.name;
    await until('that one may be removed', () => third.weft('rmpeer', died), { within: 60_000, every: 500 });
    const ownersAt = async (host: Host) => (await ipam(host)).owners.map(({ peer: owner }) => owner);
    await until('it owns nothing', async () => !(await ownersAt(third)).includes(peer), {
      within: 150_000,
      every: 1_000,
    });
    const given = await attach(await third.container('late'));
    expect(given).not.toBe('');
  });
});

describe.runIf(process.env.WEFT_LONG === '1')('a removed router without addresses', () => {
  const world = onLab(async (lab) => {
    const hosts = await lab.hosts(3);
    const [first, second, third] = hosts;
    await first.launch();
    for (const host of [second, third]) await host.launch({ token: await first.token() });
    await first.isConnectedTo(third);
    await third.isConnectedTo(second);
    return { hosts, peer: (await third.report()).status.peer };
  });

  test('is waited for by nobody, although the one that removed it dies right after', async () => {
    const { hosts, peer } = world();
    const [first, second, third] = hosts;
    const died = (await second.report()).status.peer;
    await third.crash();
    await until('it may be removed', () => second.weft('rmpeer', peer), { within: 60_000, every: 500 });
    await until('the first knows', async () => !(await first.weft('peer', 'ls')).includes(peer));
    await second.crash();
    await until('that one may be removed', () => first.weft('rmpeer', died), { within: 60_000, every: 500 });
    const seenTo = new RegExp(`took over the addresses of a removed peer.*${peer}`);
    await until('it is seen to', () => seenTo.test(first.logs()), { within: 150_000, every: 1_000 });
    await first.weft('stop');
    await first.launch();
    expect(await attach(await first.container('late'))).not.toBe('');
  });
});
