import { describe, expect, test } from 'vitest';
import { Exchange, Listener, lasting, Sender, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { drops, pair } from '../pair.js';

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
    expect(await listener.stop()).toMatchObject({ distinct: sent, duplicates: 0 });
    expect(await back.stop()).toMatchObject({ distinct: sentBack, duplicates: 0 });
    expect(a.forwarder).toBe(forwarder);
    expect((await a.report()).status.forwarder).toMatchObject({ adopted: true, restarts: 0 });
  });
});

describe('weft upgrade', () => {
  test('exchanges the daemon for one of this version with its settings, and not one packet is lost', async () => {
    const { a, b, c1, c2 } = world();
    const { daemon, forwarder } = a;
    const listener = await Listener.start(c2, 7000);
    const sender = await Sender.start(c1, c2.address, 7000, { rate: 1000, size: 1000 });
    expect(await a.weft('upgrade')).toMatch(/^upgraded from (\S+) to \1$/m);
    expect(a.daemon).not.toBe(daemon);
    expect(a.forwarder).toBe(forwarder);
    await a.isConnectedTo(b);
    const { sent } = await sender.stop();
    expect(await listener.stop()).toMatchObject({ distinct: sent, duplicates: 0 });
  });

  test('has nothing to do where no router runs', async () => {
    const { b } = world();
    await b.weft('stop');
    expect(await b.weft('upgrade')).toContain('no router runs here');
    await b.launch();
  });
});

describe('a new key every second', () => {
  const rekeying = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    return await pair(a, b, { args: ['--rekey-interval', '1'] });
  });

  test(`loses nothing for ${LONG ? 60 : 8} s under full load`, async () => {
    const { a, b, c1, c2 } = rekeying();
    const exchange = await Exchange.start(c1, c2, c2.address, 0);
    await lasting(1); // the very first probes may come before the other end has the first key
    const before = await Promise.all([a, b].map(drops));
    await lasting(LONG ? 60 : 8);
    const [left, right] = await exchange.stop();
    expect(left.receivedChecksum).toBe(right.sentChecksum);
    expect(right.receivedChecksum).toBe(left.sentChecksum);
    expect(await Promise.all([a, b].map(drops))).toEqual(before);
  });

  test(`loses no datagram for ${LONG ? 60 : 6} s`, async () => {
    const { a, b, c1, c2 } = rekeying();
    const before = await Promise.all([a, b].map(drops));
    const listener = await Listener.start(c2, 7000);
    const sender = await Sender.start(c1, c2.address, 7000, { rate: 4000, size: 1000 });
    await lasting(LONG ? 60 : 6);
    const { sent } = await sender.stop();
    const { distinct, duplicates } = await listener.stop();
    const after = await Promise.all([a, b].map(drops));
    expect({ lost: sent - distinct, duplicates, drops: after }).toEqual({
      lost: 0,
      duplicates: 0,
      drops: before,
    });
  });
});
