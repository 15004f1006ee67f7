import { describe, expect, test } from 'vitest';
import { type Container, type Host, until } from '../lab/index.js';
import { onLab } from '../lab/suite.js';
import { pair } from './pair.js';

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
