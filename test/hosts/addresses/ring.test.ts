import { describe, expect, test } from 'vitest';
import { type Host, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { DOMAIN, digs } from '../names/dig.js';
import { attach, ipam } from './ipam.js';

/** Addresses of 10.32.0.0/12. */
const ALL = 2 ** 20;
const password = 'an unguessable sentence';

/** The IPv4 address that a new container is given. */
const given = async (host: Host, name: string) => attach(await host.container(name));

/** Waits until a host knows that all addresses are owned, by these and nobody else. */
async function ownedBy(host: Host, owners: readonly string[]): Promise<void> {
  await until(
    `${host.name} sees all addresses owned by ${owners.join(' ')}`,
    async () => {
      const found = (await ipam(host)).owners.filter(({ addresses }) => addresses > 0);
      const sum = found.reduce((total, { addresses }) => total + addresses, 0);
      return sum === ALL && found.every(({ peer }) => owners.includes(peer));
    },
    { within: 20_000, every: 200 },
  );
}

describe.runIf(process.env.WEFT_LONG === '1')('a network whose routers are reset one after the other', () => {
  const world = onLab(async (lab) => ({ hosts: await lab.hosts(3) }));

  test('keeps all its addresses, and gives none to two', async () => {
    const { hosts } = world();
    const peers = new Map<Host, string>();
    const held = new Map<Host, string>();
    const [first, second] = hosts;
    peers.set(first, (await first.launch()).peer);
    for (const host of hosts.slice(1)) {
      peers.set(host, (await host.launch({ token: await first.token() })).peer);
    }
    for (const host of hosts) held.set(host, await given(host, `before-${host.name}`));
    for (const host of hosts) {
      const other = host === first ? second : first;
      const token = await other.token();
      await host.weft('reset');
      held.delete(host);
      peers.delete(host);
      for (const rest of hosts) if (rest !== host) await ownedBy(rest, [...peers.values()]);
      peers.set(host, (await host.launch({ token })).peer);
      held.set(host, await given(host, `after-${host.name}`));
      expect(new Set(held.values()).size).toBe(3);
      for (const each of hosts) await ownedBy(each, [...peers.values()]);
    }
  });
});

describe('routers that are told by id who shares the addresses', () => {
  const world = onLab(async (lab) => {
    const hosts = await lab.hosts(3);
    const ids: string[] = [];
    for (const host of hosts) {
      ids.push((await host.launch({ password, args: ['--ipalloc-init', 'observer'] })).peer);
      await host.weft('stop');
    }
    return { hosts, ids };
  });

  test('give addresses before they meet; when they do, they agree, and their containers find each other', async () => {
    const { hosts, ids } = world();
    const [a, b] = hosts;
    const args = ['--ipalloc-init', `seed=${ids.slice(0, 2).join()}`];
    for (const host of [a, b]) await host.launch({ password, args });
    const [c1, c2] = [await a.container('c1'), await b.container('c2')];
    const apart = [await attach(c1), await attach(c2)];
    await a.weft('stop');
    await a.launch({ password });
    expect(await a.weft('ps')).toContain(apart[0]);
    await a.weft('connect', b.address);
    await c1.reaches(c2.address);
    await digs(c1, [`${c2.namespace}.${DOMAIN}`], [c2.address]);
    for (const host of [a, b]) await ownedBy(host, ids.slice(0, 2));
    const together = [await given(a, 'c3'), await given(b, 'c4')];
    expect(new Set([...apart, ...together]).size).toBe(4);
  });

  test('tell one that was told otherwise, whom they refuse and go on', async () => {
    const { hosts, ids } = world();
    const [a, , c] = hosts;
    const others = [ids[0], ids[2]].join();
    await c.launch({ password, peers: [a.address], args: ['--ipalloc-init', `seed=${others}`] });
    await until('both say so', () =>
      [a, c].every((host) =>
        /first split between .* launch all routers with the same --ipalloc-init/.test(host.logs()),
      ),
    );
    await given(a, 'c5');
    expect((await c.report()).status.peers.linked).toBeGreaterThan(0);
  });
});
