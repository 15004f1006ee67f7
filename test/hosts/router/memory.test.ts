import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Attachment, Exposure } from '../../../src/api/index.js';
import { type Host, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { addressesOn, attach, ipam } from '../addresses/ipam.js';

const LONG = process.env.WEFT_LONG === '1';

const exposed = async (host: Host) => (await host.report()).exposures.map(({ address }) => address);

/** The IPv4 address that a new container is given. */
const given = async (host: Host, name: string) => attach(await host.container(name));

describe('addresses that routers gave', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    await a.launch();
    await b.launch({ token: await a.token() });
    const [c1, c2] = [await a.container('c1'), await b.container('c2')];
    for (const container of [c1, c2]) await attach(container);
    await c1.reaches(c2.address);
    return { a, b, c1, c2 };
  });

  test('to the host are the same when it is exposed again, and after a crash', async () => {
    const { a, c1, c2 } = world();
    const [first] = await a.weftJson<Exposure[]>('expose');
    expect(await a.weftJson<Exposure[]>('expose')).toMatchObject([first, {}]);
    expect(await addressesOn(a, 'weft')).toEqual([first?.address]);
    const before = await exposed(a);
    await a.crash();
    await a.launch();
    expect(await exposed(a)).toEqual(before);
    expect(await addressesOn(a, 'weft')).toEqual([first?.address]);
    for (const container of [c1, c2]) await a.reaches(container.address);
    expect(await given(a, 'beside')).not.toBe(first?.address);
  });

  test('to a container are its own again when it is restarted, though lower ones are free', async () => {
    const { b } = world();
    const [low, high] = [await b.container('low'), await b.container('high')];
    const free = await attach(low);
    const own = await attach(high);
    await low.detach();
    await high.restart();
    await until('it is attached again', async () => (await addressesOn(high, 'ethweft')).length > 0);
    expect(await addressesOn(high, 'ethweft')).toEqual([own]);
    expect(await attach(low)).toBe(free);
  });

  test('to a container that ended are kept for it, and are free when it does not come back', async () => {
    const { b } = world();
    const [ended, other] = [await b.container('dead'), await b.container('alive')];
    const address = await attach(ended);
    await ended.end();
    const isPresent = async () =>
      (await b.weftJson<Attachment[]>('ps')).find(({ target }) => target === ended.namespace)?.present;
    await until('its end is seen', async () => (await isPresent()) === false);
    const seen = performance.now();
    const claim = () => b.tryWeft('attach', other.namespace, address);
    expect(await claim()).toMatchObject({ code: 1, stderr: expect.stringContaining(ended.namespace) });
    expect(await attach(other)).not.toBe(address);
    if (!LONG) return;
    await until('it is free', async () => (await claim()).code === 0, { within: 45_000, every: 500 });
    expect(performance.now() - seen).toBeGreaterThan(25_000);
  });

  test('to a container that ended while no router was there are given again, on its host only', async () => {
    const { a, b, c1, c2 } = world();
    const ended = await b.container('ended');
    const address = await attach(ended);
    await a.weft('stop');
    await b.crash();
    await ended.end();
    await b.launch();
    const alone = [await given(b, 'alone1'), await given(b, 'alone2')];
    expect(alone).toContain(address);
    expect(alone).not.toContain(c1.addresses[0]);
    await a.launch();
    await c1.reaches(c2.address);
    await c2.reaches(c1.address);
  });

  const cases = [
    { who: 'every router', forgets: ['a', 'b'] },
    { who: 'the router that made the network', forgets: ['a'] },
    { who: 'another router', forgets: ['b'] },
  ] as const;
  test.each(
    process.env.WEFT_LONG === '1' ? cases : cases.slice(0, 1),
  )('stay whose they are when $who has lost its memory of them, unless they are free by then', async ({
    forgets,
  }) => {
    const { a, b, c1, c2 } = world();
    await b.weft('expose');
    const brief = await b.container(`brief-${forgets.join('')}`);
    const free = await attach(brief);
    for (const host of [a, b]) await host.weft('stop');
    for (const name of forgets) rmSync(join(world()[name].stateDirectory, 'addresses.json'));
    await b.launch();
    await brief.detach();
    await a.launch();
    await a.isConnectedTo(b);
    for (const host of [a, b]) {
      await until('all have their own again', async () => {
        const { pending, requests } = await ipam(host);
        return pending === 0 && requests.claim === 0;
      });
    }
    await attach(await a.container(`after-${brief.name}`), free);
    for (const [container, other] of [
      [c1, b],
      [c2, a],
    ] as const) {
      const thief = await other.container(`thief-of-${container.name}-${forgets.join('')}`);
      const inUse = [container.addresses[0] ?? '', ...(await exposed(container.host)).slice(0, 1)];
      for (const address of inUse) {
        const { code, stderr } = await other.tryWeft('attach', thief.namespace, address);
        expect({ address, code, stderr }).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('in use'),
        });
      }
      expect(inUse).not.toContain(
        await given(container.host, `beside-${container.name}-${forgets.join('')}`),
      );
    }
    await c1.reaches(c2.address);
  });
});
