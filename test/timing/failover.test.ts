import { describe, expect, test } from 'vitest';
import { pair } from '../hosts/pair.js';
import { connection, containersOn, launchChain, row } from '../hosts/paths/layouts.js';
import { Exchange, Listener, lasting, Sender, until } from '../lab/index.js';
import { onLab } from '../lab/suite.js';

const LONG = process.env.WEFT_LONG === '1';

const world = onLab(async (lab) => {
  const wire = await lab.wire();
  const [a, b] = [await lab.host(wire), await lab.host(wire)];
  return { wire, ...(await pair(a, b)) };
});

describe('a forwarder killed under load', () => {
  test('is back in under 2 s without help, and TCP connections survive', async () => {
    const { a, b, c1, c2 } = world();
    for (const host of [a, b]) {
      const exchange = await Exchange.start(c1, c2, c2.address, 0);
      const listener = await Listener.start(c2, 7000);
      const sender = await Sender.start(c1, c2.address, 7000, { rate: 500, size: 200 });
      const killed = host.forwarder;
      process.kill(killed, 'SIGKILL');
      await until('another forwarder runs', () => host.forwarder !== killed);
      await c1.reaches(c2.address);
      await sender.stop();
      expect((await listener.stop()).longestGap).toBeLessThan(2);
      const [left, right] = await exchange.stop();
      expect(left.received).toBe(right.sent);
      expect(left.receivedChecksum).toBe(right.sentChecksum);
      expect(right.receivedChecksum).toBe(left.sentChecksum);
    }
  });
});

/** The first is longer than it takes to give up the control link. */
const OUTAGE = LONG ? 30 : 17;

describe(`a wire that is cut for ${OUTAGE} s`, () => {
  test('carries traffic again within 3 s of being healed', async () => {
    const { wire, a, c1, c2 } = world();
    const outage = await wire.lose('everything');
    await until('status shows that the peer is not reached', async () =>
      (await a.report()).connections.every(({ udp }) => udp === 'down'),
    );
    await lasting(OUTAGE);
    await outage.lift();
    const healed = performance.now();
    await c1.reaches(c2.address);
    expect((performance.now() - healed) / 1000).toBeLessThan(3);
  });

  test('comes back when the cable was pulled at one host, too', async () => {
    const { a, c1, c2 } = world();
    await a.port.unplug();
    await until('the containers are apart', async () => !(await c1.ping(c2.address)));
    await a.port.plug();
    const healed = performance.now();
    await c1.reaches(c2.address);
    expect((performance.now() - healed) / 1000).toBeLessThan(3);
  });
});

describe('a router without targets', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    return await pair(a, b);
  });

  test('that was stopped dials the one that it remembers, and is linked again within 5 s', async () => {
    const { a, b, c1, c2 } = world();
    const targets = (await b.report()).targets.map(({ target }) => target);
    await b.weft('forget', ...targets);
    await a.weft('stop');
    await a.isQuiet();
    await a.launch();
    await a.isConnectedTo(b, 5_000);
    expect((await a.report()).targets).toEqual([]);
    await c1.reaches(c2.address);
  });
});

describe('a ring of five hosts', () => {
  const world = onLab(async (lab) => {
    const { hosts, wires } = await row(lab, 5, { closed: true });
    await launchChain(hosts);
    return { hosts, wires, containers: await containersOn(hosts) };
  });

  test('goes the other way round in under 1 s when a link is cut, and back when it is healed', async () => {
    const { hosts, wires, containers } = world();
    const [a, b] = hosts;
    const [c1, c2] = containers;
    const [wire] = wires;
    if (!a || !b || !c1 || !c2 || !wire) throw new Error('five hosts were asked for');
    await c1.reaches(c2.address);
    await until(
      'all peers are up',
      async () => (await a.report()).connections.filter(({ udp }) => udp === 'up').length === 4,
      { within: 20_000 },
    );
    const exchange = await Exchange.start(c1, c2, c2.address, 0);
    const listener = await Listener.start(c2, 7000);
    const sender = await Sender.start(c1, c2.address, 7000, { rate: 200, size: 200 });
    await lasting(1);
    const cut = await wire.lose('everything');
    await until('the packets go through a relay', async () => (await connection(a, b)).via !== null);
    await lasting(1);
    await cut.lift();
    await until('the packets go straight again', async () => (await connection(a, b)).via === null, {
      within: 30_000,
    });
    await lasting(1);
    await sender.stop();
    const { longestGap } = await listener.stop();
    expect(longestGap).toBeLessThan(1);
    const [left, right] = await exchange.stop();
    expect(left.receivedChecksum).toBe(right.sentChecksum);
    expect(right.receivedChecksum).toBe(left.sentChecksum);
  });
});
