import { describe, expect, test } from 'vitest';
import { Exchange, frames, Lab, Listener, Sender } from './index.js';
import { onLab } from './suite.js';

describe('a wire', () => {
  const world = onLab(async (lab) => {
    const wire = await lab.wire({ mtu: 1400 });
    return { wire, a: await lab.host(wire), b: await lab.host(wire), c: await lab.host(wire) };
  });

  test('joins hosts over IPv4 and IPv6', async () => {
    const { a, b } = world();
    await a.reaches(b.address);
    await a.reaches(b.address6);
  });

  test('carries what fits its MTU and nothing larger', async () => {
    const { a, b } = world();
    expect(await a.ping(b.address, { size: 1400 - 28, flags: ['-M', 'do'] })).toBe(true);
    expect(await a.ping(b.address, { size: 1401 - 28, flags: ['-M', 'do'] })).toBe(false);
  });

  test('loses one kind of packets between two nodes until that is lifted', async () => {
    const { wire, a, b, c } = world();
    await a.reaches(b.address);
    const loss = await wire.lose('everything', { from: a, to: b });
    expect(await a.ping(b.address)).toBe(false);
    await a.reaches(c.address);
    await loss.lift();
    await a.reaches(b.address);

    const deaf = await wire.lose('udp');
    expect(await a.ping(b.address)).toBe(true);
    const listener = await Listener.start(b, 7000);
    await (await Sender.start(a, b.address, 7000, { rate: 1000, size: 100, count: 100 })).ends();
    expect(await listener.stop()).toMatchObject({ received: 0 });
    await deaf.lift();
  });

  test('loses a share of the packets', async () => {
    const { wire, a, b } = world();
    const loss = await wire.lose('udp', { share: 0.25 });
    const listener = await Listener.start(b, 7000);
    await (await Sender.start(a, b.address, 7000, { rate: 20_000, size: 100, count: 4000 })).ends();
    const { distinct } = await listener.stop();
    await loss.lift();
    expect(distinct / 4000).toBeGreaterThan(0.65);
    expect(distinct / 4000).toBeLessThan(0.85);
  });

  test('lets a share of the packets arrive behind those that were sent after them', async () => {
    const { lab } = world();
    const wire = await lab.wire();
    const [a, b] = [await lab.host(wire), await lab.host(wire)];
    await a.reaches(b.address);
    await wire.reorder(0.2, 5);
    const listener = await Listener.start(b, 7000);
    await (await Sender.start(a, b.address, 7000, { rate: 2000, size: 100, count: 1000 })).ends();
    const { distinct, duplicates, reordered } = await listener.stop();
    expect({ distinct, duplicates }).toEqual({ distinct: 1000, duplicates: 0 });
    expect(reordered).toBeGreaterThan(100);
  });

  test('can be unplugged at a host and plugged in again', async () => {
    const { a, b } = world();
    await a.port.unplug();
    expect(await a.ping(b.address)).toBe(false);
    await a.port.plug();
    await a.reaches(b.address);
  });

  test('carries TCP both ways at once, with equal checksums', async () => {
    const { a, b } = world();
    const exchange = await Exchange.start(a, b, b.address, 32 << 20);
    const [left, right] = await exchange.ends();
    expect(left).toMatchObject({ sent: 32 << 20, received: 32 << 20 });
    expect(left.receivedChecksum).toBe(right.sentChecksum);
    expect(right.receivedChecksum).toBe(left.sentChecksum);
    expect(left.sentChecksum).not.toBe(right.sentChecksum);
  });

  test('can be captured', async () => {
    const { a, b } = world();
    const capture = await b.capture();
    await a.run(['ping', '-c', '1', '-p', Buffer.from('recognisable').toString('hex'), b.address]);
    const captured = await capture.stop();
    expect(captured.includes('recognisable')).toBe(true);
    expect(frames(captured).filter((frame) => frame.includes('recognisable')).length).toBe(2);
  });
});

describe('a slow wire', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2, { rate: '20mbit' });
    return { a, b };
  });

  test('carries no more than its rate', async () => {
    const { a, b } = world();
    const [{ seconds }] = await (await Exchange.start(a, b, b.address, 2 << 20)).ends();
    const megabits = (2 * 8 * 1.048576) / seconds;
    expect(megabits).toBeLessThan(22);
    expect(megabits).toBeGreaterThan(5);
  });
});

describe('a router', () => {
  test.each([true, false])('translates addresses (preserving ports: %s)', async (preservePorts) => {
    const lab = await Lab.create();
    try {
      const [inside, outside] = [await lab.wire(), await lab.wire()];
      const nat = await lab.router('nat', inside, outside);
      const [hidden, visible] = [await lab.host(inside), await lab.host(outside)];
      await hidden.routeThrough(nat);
      await nat.masquerade(outside, { preservePorts });
      const heard = visible.start([
        'socat',
        '-u',
        'UDP4-RECVFROM:7000',
        'SYSTEM:echo $SOCAT_PEERADDR $SOCAT_PEERPORT',
      ]);
      await visible.run(['sh', '-c', 'until ss -Huln sport = 7000 | grep -q .; do :; done']);
      await hidden.run(['socat', '-u', '-', `UDP4:${visible.address}:7000,sourceport=7001`], {
        input: 'hello',
      });
      const [address, port] = (await heard.ends()).stdout.trim().split(' ');
      expect(address).toBe(outside.portOf(nat).address);
      expect(port === '7001').toBe(preservePorts);
      expect(await visible.ping(hidden.address)).toBe(false);
    } finally {
      lab.remove();
    }
  });

  test('in the middle tells of its smaller MTU, unless it is silent', async () => {
    const lab = await Lab.create();
    try {
      for (const silent of [false, true]) {
        const [a, b] = await lab.hostsAcross(1300, { silent });
        await a.reaches(b.address);
        const { stdout } = await a.attempt([
          'ping',
          '-c',
          '1',
          '-W',
          '1',
          '-M',
          'do',
          '-s',
          '1400',
          b.address,
        ]);
        expect(/frag needed|message too long/i.test(stdout)).toBe(!silent);
      }
    } finally {
      lab.remove();
    }
  });
});
