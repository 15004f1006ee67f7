import { expect, test } from 'vitest';
import { openConnections, until } from '../lab/index.js';
import { onLab } from '../lab/suite.js';
import { onThisMachine } from './machine.js';

const PORT = 6783;
const JOINS = process.env.WEFT_LONG === '1' ? 20 : 3;

/** A router that everybody asks, and a stranger with 16 addresses. */
const world = onLab(async (lab) => {
  const wire = await lab.wire();
  const [router, newcomer, stranger] = [await lab.host(wire), await lab.host(wire), await lab.host(wire)];
  await router.launch();
  const { address = '', device = '' } = stranger.ports[0] ?? {};
  const sources = Array.from({ length: 16 }, (_, i) => address.replace(/\d+$/, String(200 + i)));
  await stranger.ip(...sources.map((source) => `address add ${source}/24 dev ${device}`));
  return { router, newcomer, stranger, sources };
});

test(`${JOINS} routers join one after another within 3 s each, beside 10,000 connections of a stranger that come again when they are cut off`, async () => {
  const { router, newcomer, stranger, sources } = world();
  const token = await router.token();
  const flood = await openConnections(stranger, router.address, PORT, 10_000, sources);
  const seconds: number[] = [];
  for (let i = 0; i < JOINS; i += 1) {
    const began = performance.now();
    await newcomer.launch({ token });
    await until('it is linked', async () =>
      (await newcomer.report()).connections.some(
        ({ nickname, link }) => nickname === router.name && link === 'up',
      ),
    );
    seconds.push((performance.now() - began) / 1000);
    await newcomer.weft('reset');
  }
  const { again } = await flood.close();
  expect(again).toBeGreaterThan(1_000);
  expect(Math.max(...seconds)).toBeLessThan(onThisMachine(3));
});
