import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Container, Exchange, type Host, lasting, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { allLinked, newToken, peersOf } from '../members/members.js';
import { connection, containersOn } from './layouts.js';

/** Nobody here made the network, and so nobody owns addresses: those of the containers are chosen, and none of the range. */
const CHOSEN = ['--ipalloc-range', '10.99.0.0/16'];

/** Waits until packets take the way through this relay: the first that is known may be a longer one. */
async function leadsThrough(from: Host, to: Host, relay: Host): Promise<void> {
  await until(
    `the way from ${from.name} to ${to.name} leads through ${relay.name}`,
    async () => (await connection(from, to)).viaNickname === relay.name,
  );
}

/** Waits until each container reaches the ones after it. */
async function allReach(containers: readonly Container[], within = 20_000): Promise<void> {
  for (const [i, from] of containers.entries()) {
    for (const to of containers.slice(i + 1)) await from.reaches(to.address, { within });
  }
}

describe('a star of five hosts, whose ends share no wire', () => {
  const world = onLab(async (lab) => {
    const wires = [await lab.wire(), await lab.wire(), await lab.wire(), await lab.wire()];
    const middle = await lab.host(...wires);
    const ends: Host[] = [];
    for (const wire of wires) ends.push(await lab.host(wire));
    const token = newToken();
    await middle.launch({ token, args: CHOSEN });
    await Promise.all(
      ends.map(async (end, i) =>
        end.launch({ token, peers: [middle.ports[i]?.address ?? ''], args: CHOSEN }),
      ),
    );
    return { middle, ends, containers: await containersOn([middle, ...ends]) };
  });

  test('carries everything between the ends through the middle', async () => {
    const { middle, ends, containers } = world();
    await allReach(containers);
    const [one, , , other] = ends;
    const [, first, , , last] = containers;
    if (!one || !other || !first || !last) throw new Error('five hosts were asked for');
    expect(await connection(one, other)).toMatchObject({ path: 'relay', viaNickname: middle.name });
    const [left, right] = await (await Exchange.start(first, last, last.address, 4_000_000)).ends();
    expect(left.receivedChecksum).toBe(right.sentChecksum);
    expect(right.receivedChecksum).toBe(left.sentChecksum);
  });
});

describe('two groups of three hosts with one wire between them', () => {
  const world = onLab(async (lab) => {
    const [left, right, between, spare] = [
      await lab.wire(),
      await lab.wire(),
      await lab.wire(),
      await lab.wire(),
    ];
    const west = [await lab.host(left, between), await lab.host(left), await lab.host(left, spare)];
    const east = [await lab.host(right, between), await lab.host(right), await lab.host(right, spare)];
    const [gate, , spareGate] = west;
    const [farGate] = east;
    if (!gate || !farGate || !spareGate) throw new Error('there are three');
    await spareGate.ports[1]?.unplug();
    const token = newToken();
    await gate.launch({ token, args: CHOSEN });
    await farGate.launch({ token, peers: [between.portOf(gate).address], args: CHOSEN });
    for (const host of west.slice(1)) await host.launch({ token, peers: [gate], args: CHOSEN });
    for (const host of east.slice(1)) await host.launch({ token, peers: [farGate], args: CHOSEN });
    return {
      between,
      spare,
      gate,
      spareGate,
      west,
      east,
      containers: await containersOn([...west, ...east]),
    };
  });

  test('reach each other over it, and over another one when that takes its place', async () => {
    const { between, spare, gate, spareGate, west, east, containers } = world();
    await allReach(containers);
    const [, inner] = west;
    const [, farInner] = east;
    if (!inner || !farInner) throw new Error('there are three');
    await leadsThrough(inner, farInner, gate);

    await between.portOf(gate).unplug();
    await spare.portOf(spareGate).plug();
    await allReach(containers, 30_000);
    await leadsThrough(inner, farInner, spareGate);
    await until(
      'all know that all are there',
      async () => {
        const lists = await Promise.all([...west, ...east].map(peersOf));
        return lists.every((peers) => peers.every(({ state }) => state !== 'down' && state !== 'left'));
      },
      { within: 30_000, every: 200 },
    );
  });
});

describe('four hosts on one wire', () => {
  const world = onLab(async (lab) => {
    const wire = await lab.wire();
    const hosts = [await lab.host(wire), await lab.host(wire), await lab.host(wire), await lab.host(wire)];
    return { hosts };
  });

  test.runIf(process.env.WEFT_LONG === '1')(
    'that shall not dial whom they are not told to keep to the given links, and all are reached',
    async () => {
      const { hosts } = world();
      const token = newToken();
      const args = ['--no-discovery', '--rekey-interval', '1', ...CHOSEN];
      for (const [i, host] of hosts.entries()) {
        await host.launch({ token, peers: hosts.slice(0, i).slice(-1), args });
      }
      const containers = await containersOn(hosts);
      await allReach(containers);
      const links = await Promise.all(hosts.map(linksOf));
      expect(links).toEqual([1, 2, 2, 1]);
      // Data needs no link: it goes straight.
      const [first, second, third, last] = hosts;
      const [from, , , to] = containers;
      if (!first || !second || !third || !last || !from || !to) throw new Error('there are four');
      await until('the path is direct', async () => (await connection(first, last)).path === 'direct');
      // And goes on, with the keys that there are, when nothing can be agreed any more.
      for (const between of [second, third]) await between.weft('reset');
      for (const end of [first, last]) await until('no link is left', async () => (await linksOf(end)) === 0);
      await lasting(5);
      expect(await from.ping(to.address)).toBe(true);
      for (const host of hosts) await host.weft('reset');
    },
  );

  test.runIf(process.env.WEFT_LONG === '1')(
    'have no more links than the limit, and all are reached',
    async () => {
      const { hosts } = world();
      const token = newToken();
      const [first] = hosts;
      if (!first) throw new Error('there are four');
      for (const host of hosts)
        await host.launch({
          token,
          peers: host === first ? [] : [first],
          args: ['--conn-limit', '2', ...CHOSEN],
        });
      for (const host of hosts) {
        await until(`${host.name} knows all`, async () => (await peersOf(host)).length === hosts.length);
      }
      const fresh = await Promise.all(hosts.map((host, i) => host.container(`l${i}`, `10.32.1.${i + 1}/24`)));
      await allReach(fresh);
      for (const host of hosts) expect(await linksOf(host)).toBeLessThanOrEqual(2);
      for (const host of hosts) await host.weft('reset');
    },
  );

  test('find a target by its name again when the name gets another address', async () => {
    const { hosts } = world();
    const [a, b, c] = hosts;
    if (!a || !b || !c) throw new Error('there are four');
    const names = join(b.directory, 'hosts');
    const point = (to: Host) => writeFileSync(names, `127.0.0.1 localhost\n${to.address} rendezvous.test\n`);
    point(c); // nobody answers there
    const token = newToken();
    await a.launch({ token, args: CHOSEN });
    const launch = b.weftCommand(b.launchArguments({ token, peers: ['rendezvous.test'], args: CHOSEN }));
    const script = 'mount --bind "$0" /etc/hosts && exec "$@"';
    await b.run(['sh', '-c', script, names, ...launch], { env: b.environment });
    await until('the target does not answer', async () =>
      (await b.report()).targets.some(({ lastError }) => lastError !== undefined),
    );
    point(a);
    await allLinked([a, b], 20_000);
    for (const host of [a, b]) await host.weft('reset');
  });
});

async function linksOf(host: Host): Promise<number> {
  return (await peersOf(host)).filter(({ state }) => state === 'linked').length;
}
