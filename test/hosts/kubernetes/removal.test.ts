import { afterAll, describe, expect, test } from 'vitest';
import { NODES } from '../../kubernetes/api-server.js';
import { until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { attach, ipam } from '../addresses/ipam.js';
import { Cluster, statusOf } from './world.js';

/** Addresses of 10.32.0.0/12. */
const ALL = 2 ** 20;

describe.runIf(process.env.WEFT_LONG === '1')('a node that is removed from a cluster of three', () => {
  const world = onLab(async (lab) => {
    const cluster = await Cluster.create(lab, 3);
    await cluster.launch();
    const [a, b, c] = cluster.hosts;
    if (a === undefined || b === undefined || c === undefined) throw new Error('no hosts');
    return { cluster, a, b, c };
  });

  afterAll(() => world().cluster.end());

  test('leaves its addresses to one of the others, once, and to none while its router still runs', async () => {
    const { cluster, a, b, c } = world();
    const { peer } = (await c.report()).status;
    await a.isConnectedTo(c);
    await b.isConnectedTo(c);
    const container = await c.container('c1');
    await until('it owns some', () => attach(container), { within: 30_000 });
    const isOwner = async () => (await ipam(a)).owners.some((owner) => owner.peer === peer);
    await until('others know of that', isOwner);
    await until('both know its Node', async () => (await statusOf(b)).counts.nodes === 3);
    cluster.api.remove(NODES, c.name);
    await until('they hear of it', async () => (await statusOf(a)).removed.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 30_000)); // longer than the time of grace
    expect(await isOwner()).toBe(true);
    await c.crash();
    const began = performance.now();
    for (const host of [a, b]) {
      await until(
        `${host.name} sees that it is taken over`,
        async () => {
          const { owners } = await ipam(host);
          const sum = owners.reduce((all, { addresses }) => all + addresses, 0);
          return owners.every((owner) => owner.peer !== peer) && sum === ALL;
        },
        { within: 150_000, every: 500 },
      );
    }
    console.log(`taken over ${Math.round((performance.now() - began) / 1000)} s after the crash`);
    await new Promise((resolve) => setTimeout(resolve, 40_000)); // the next one's turn passes
    const told = [a, b].map((host) => (host.logs().match(/this router takes over what/g) ?? []).length);
    expect(told.sort()).toEqual([0, 1]);
    for (const host of [a, b]) expect((await statusOf(host)).removed).toEqual([]);
  }, 300_000);
});
