import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  awaitFrame,
  Capture,
  Exchange,
  inject,
  Listener,
  Sender,
  sendFrame,
  type Transport,
  transports,
  until,
} from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { pairOn, pingSizes, unansweredPings } from '../pair.js';

const MEBIBYTE = 2 ** 20;
const VOLUME = (process.env.WEFT_LONG === '1' ? 1024 : 64) * MEBIBYTE;
/** IEEE 802, local experimental 1: no protocol that anything but these tests knows. */
const ETHERTYPE = 0x88b5;

describe.each([
  { cipher: 'xsalsa20-poly1305', volume: VOLUME },
  { cipher: 'chacha20-poly1305', volume: VOLUME },
  { cipher: 'aes-256-gcm', volume: 1024 * MEBIBYTE },
])('across two hosts with $cipher', ({ cipher, volume }) => {
  const world = onLab((lab) => pairOn(lab, { cipher }));

  test('the session has the cipher that was asked for', async () => {
    const { connections } = await world().a.report();
    expect(connections).toEqual([expect.objectContaining({ udp: 'up', cipher })]);
  });

  test('of an IPv4 and an IPv6 path, both ends use that for which the MTU was made', async () => {
    const { a, b } = world();
    const endpoints = await Promise.all(
      [a, b].map(async (host) => (await host.report()).connections[0]?.endpoint),
    );
    expect(endpoints).toEqual([`${b.address}:6783`, `${a.address}:6783`]);
  });

  test('ARP finds the container on the other host', async () => {
    const { c1, c2 } = world();
    await c1.ip(`neighbour flush all`);
    await c1.reaches(c2.address);
    const neighbours = await c1.ipJson<{ dst: string; lladdr?: string }[]>('neighbour');
    const { address: mac } = await c2.device();
    expect(neighbours).toContainEqual(expect.objectContaining({ dst: c2.address, lladdr: mac }));
  });

  test('IPv6 neighbour discovery finds the container on the other host', async () => {
    const { c1, c2 } = world();
    await c1.ip(`neighbour flush all`);
    await c1.reaches(c2.address6);
    const neighbours = await c1.ipJson<{ dst: string; lladdr?: string }[]>('-6', 'neighbour');
    const { address: mac } = await c2.device();
    expect(neighbours).toContainEqual(expect.objectContaining({ dst: c2.address6, lladdr: mac }));
  });

  test('pings of all sizes from 0 to 65,507 bytes are answered', async () => {
    const { c1, c2 } = world();
    const { mtu } = await c1.device();
    expect(await unansweredPings(c1, c2.address, pingSizes(mtu))).toEqual([]);
    expect(await unansweredPings(c1, c2.address6, pingSizes(mtu - 20))).toEqual([]);
  });

  test('a ping that fills the MTU passes unfragmented', async () => {
    const { c1, c2 } = world();
    const { mtu } = await c1.device();
    expect(await c1.ping(c2.address, { size: mtu - 28, flags: ['-M', 'do'] })).toBe(true);
    expect(await c1.ping(c2.address, { size: mtu - 27, flags: ['-M', 'do'] })).toBe(false);
  });

  test.each([
    8, 1000, 1400, 1500, 9000, 65_507,
  ])('UDP datagrams of %i bytes arrive, each once', async (size) => {
    const { c1, c2 } = world();
    const listener = await Listener.start(c2, 7000);
    await (await Sender.start(c1, c2.address, 7000, { rate: 200, size, count: 40 })).ends();
    expect(await listener.stop()).toMatchObject({ distinct: 40, duplicates: 0 });
  });

  test.each(['239.1.2.3', 'ff15::1234'])('multicast to %s arrives once', async (group) => {
    const { c1, c2 } = world();
    const { ifname: device } = await c2.device();
    const listener = await Listener.start(c2, 7000, { group, device });
    const stream = { rate: 500, size: 300, count: 100, device: (await c1.device()).ifname };
    await (await Sender.start(c1, group, 7000, stream)).ends();
    expect(await listener.stop()).toMatchObject({ distinct: 100, duplicates: 0 });
  });

  test('broadcast arrives once', async () => {
    const { c1, c2 } = world();
    const listener = await Listener.start(c2, 7000);
    await (await Sender.start(c1, '10.32.0.255', 7000, { rate: 500, size: 300, count: 100 })).ends();
    expect(await listener.stop()).toMatchObject({ distinct: 100, duplicates: 0 });
  });

  test('frames that are not IP arrive as they were sent, to one and to all', async () => {
    const { c1, c2 } = world();
    const [here, there] = [await c1.device(), await c2.device()];
    for (const [to, text] of [
      [there.address, 'a frame for one, longer than the minimum of Ethernet, which pads shorter ones'],
      [
        'ff:ff:ff:ff:ff:ff',
        'a frame for everybody, longer than the minimum of Ethernet, which pads shorter ones',
      ],
    ] as const) {
      const received = await awaitFrame(c2, there.ifname, ETHERTYPE);
      await sendFrame(c1, here.ifname, to, ETHERTYPE, text);
      expect(await received()).toBe(text);
    }
  });

  test(`TCP carries ${volume / MEBIBYTE} MiB both ways at once, with equal checksums`, async () => {
    const { c1, c2 } = world();
    const [left, right] = await (await Exchange.start(c1, c2, c2.address, volume)).ends(110_000);
    expect(left).toMatchObject({ sent: volume, received: volume });
    expect(right).toMatchObject({ sent: volume, received: volume });
    expect(left.receivedChecksum).toBe(right.sentChecksum);
    expect(right.receivedChecksum).toBe(left.sentChecksum);
  });

  test('TCP over IPv6 carries data both ways at once, with equal checksums', async () => {
    const { c1, c2 } = world();
    const [left, right] = await (await Exchange.start(c1, c2, c2.address6, 16 * MEBIBYTE)).ends();
    expect(left.receivedChecksum).toBe(right.sentChecksum);
    expect(right.receivedChecksum).toBe(left.sentChecksum);
  });
});

describe('whoever reads raw packets in a container', () => {
  const world = onLab((lab) => pairOn(lab));

  /** What a raw socket sees come to these ports while that works, once there is so much of it. */
  async function seen(ports: number[], count: number, send: () => Promise<unknown>): Promise<Transport[]> {
    const { b, c2 } = world();
    const capture = await Capture.start(c2, 'ethweft', join(b.directory, `to-${ports[0]}.pcap`));
    await send();
    const found = await until(`${count} packets arrive`, () => {
      const arrived = transports(capture.bytes()).filter(({ toPort }) => ports.includes(toPort));
      return arrived.length >= count && arrived;
    });
    await capture.stop();
    return found;
  }

  test('finds right checksums in single datagrams, to one and to all, over IPv4 and IPv6', async () => {
    const { c1, c2 } = world();
    const found = await seen([67], 8, async () => {
      for (const address of [c2.address, c2.address6, '10.32.0.255', 'ff02::1%ethweft']) {
        const target = address.includes(':')
          ? `UDP6:[${address}]:67`
          : `UDP4-DATAGRAM:${address}:67,broadcast`;
        await c1.run(['socat', '-u', '-', target], { input: 'odd' });
        await c1.run(['socat', '-u', '-', target], { input: 'even' });
      }
    });
    expect(found.filter(({ intact }) => !intact)).toEqual([]);
  });

  test('finds each of several datagrams that come together, with its own checksum', async () => {
    const { c1, c2 } = world();
    const burst = Array.from({ length: 12 }, (_, i) => Buffer.alloc(50, i));
    const found = await seen([68, 69, 70], 36, async () => {
      for (const port of [68, 69, 70]) await inject(c1, c2.address, port, burst);
    });
    expect(found).toHaveLength(36);
    expect(found.filter(({ intact }) => !intact)).toEqual([]);
  });

  test('finds right checksums in TCP that comes in single segments', async () => {
    const { c1, c2 } = world();
    const found = await seen([7001], 10, async () => {
      for (const [listen, connect] of [
        ['TCP4-LISTEN', `TCP4:${c2.address}`],
        ['TCP6-LISTEN', `TCP6:[${c2.address6}]`],
      ] as const) {
        const sink = c2.start(['socat', '-u', `${listen}:7001`, '-']);
        await until('the sink listens', () => c2.run(['sh', '-c', 'ss -Hltn sport = 7001 | grep .']));
        await c1.run(['socat', '-u', '-', `${connect}:7001`], { input: 'hello' });
        await sink.ends();
      }
    });
    expect(found.filter(({ intact }) => !intact)).toEqual([]);
  });
});
