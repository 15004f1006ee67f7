import { describe, expect, test } from 'vitest';
import { Exchange, Listener, lasting, Sender, until } from '../lab/index.js';
import { onLab } from '../lab/suite.js';
import { drops, pair } from './pair.js';

const LONG = process.env.WEFT_LONG === '1';

const world = onLab(async (lab) => {
  const wire = await lab.wire();
  const [a, b] = [await lab.host(wire), await lab.host(wire)];
  return { wire, ...(await pair(a, b)) };
});

describe('a daemon killed under load', () => {
  test('loses not one packet, and its successor adopts the forwarder', async () => {
    const { a, b, c1, c2 } = world();
    const forwarder = a.forwarder;
    const listener = await Listener.start(c2, 7000);
    const sender = await Sender.start(c1, c2.address, 7000, { rate: 5000, size: 1000 });
    const back = await Listener.start(c1, 7001);
    const backSender = await Sender.start(c2, c1.address, 7001, { rate: 5000, size: 1000 });
    process.kill(a.daemon, 'SIGKILL');
    await until('status says that the daemon is gone', async () => (await a.tryWeft('status')).code === 3);
    await a.launch();
    await a.isConnectedTo(b);
    const [{ sent }, { sent: sentBack }] = [await sender.stop(), await backSender.stop()];
    await c1.reaches(c2.address);
    expect(await listener.stop()).toMatchObject({ distinct: sent, duplicates: 0 });
    expect(await back.stop()).toMatchObject({ distinct: sentBack, duplicates: 0 });
    expect(a.forwarder).toBe(forwarder);
    expect((await a.report()).status.forwarder).toMatchObject({ adopted: true, restarts: 0 });
  });
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

describe('a wire that is cut for 30 s', () => {
  test('carries traffic again within 3 s of being healed', async () => {
    const { wire, a, c1, c2 } = world();
    const outage = await wire.lose('everything');
    await until('status shows that the peer is not reached', async () =>
      (await a.report()).connections.every(({ udp }) => udp === 'down'),
    );
    await lasting(30);
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

describe('a new key every second', () => {
  const rekeying = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    return await pair(a, b, { args: ['--rekey-interval', '1'] });
  });

  test(`loses nothing for ${LONG ? 60 : 15} s under full load`, async () => {
    const { a, b, c1, c2 } = rekeying();
    const exchange = await Exchange.start(c1, c2, c2.address, 0);
    await lasting(1); // the very first probes may come before the other end has the first key
    const before = await Promise.all([a, b].map(drops));
    await lasting(LONG ? 60 : 15);
    const [left, right] = await exchange.stop();
    expect(left.receivedChecksum).toBe(right.sentChecksum);
    expect(right.receivedChecksum).toBe(left.sentChecksum);
    expect(await Promise.all([a, b].map(drops))).toEqual(before);
  });

  test(`loses no datagram for ${LONG ? 60 : 10} s`, async () => {
    const { a, b, c1, c2 } = rekeying();
    const before = await Promise.all([a, b].map(drops));
    const listener = await Listener.start(c2, 7000);
    const sender = await Sender.start(c1, c2.address, 7000, { rate: 4000, size: 1000 });
    await lasting(LONG ? 60 : 10);
    const { sent } = await sender.stop();
    await c1.reaches(c2.address);
    const { distinct, duplicates } = await listener.stop();
    const after = await Promise.all([a, b].map(drops));
    expect({ lost: sent - distinct, duplicates, drops: after }).toEqual({
      lost: 0,
      duplicates: 0,
      drops: before,
    });
  });
});
