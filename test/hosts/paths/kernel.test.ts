import { describe, expect, test } from 'vitest';
import {
  awaitFrame,
  Exchange,
  type Host,
  inject,
  Listener,
  lasting,
  Sender,
  sendFrame,
  until,
} from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { type Pair, pair, pingSizes, unansweredPings } from '../pair.js';
import { connection } from './layouts.js';

const TRUSTED = ['--trusted-subnets', '192.168.0.0/16'];
const PORT = '6784';
const EVERYBODY = 'ff:ff:ff:ff:ff:ff';
/** IEEE Std 802 local experimental; not one of weft's. */
const ETHER_TYPE = 0x88b7;

/** Whether frames from one host to the other stay in the kernel. */
const isUsed = async (from: Host, to: Host) => (await connection(from, to)).kernel?.used === true;

async function bothUse({ a, b }: Pick<Pair, 'a' | 'b'>): Promise<void> {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    await until(`${from.name} leaves frames to the kernel`, () => isUsed(from, to));
  }
}

/** The host's bridge gives its device frames for the MAC, and that knows behind whom it is. */
async function knows(host: Host, mac: string): Promise<void> {
  await until(
    `${host.name} leaves frames for ${mac} to the kernel`,
    async () => (await host.run(['bridge', 'fdb', 'show', 'dev', 'weft-vx'])).split(mac).length === 3,
  );
}

/** Has traffic cross while something happens, and tells how long it paused, seconds. A connection over TCP must survive it. */
async function pauseWhile(
  { c1, c2 }: Pick<Pair, 'c1' | 'c2'>,
  happens: () => Promise<unknown>,
  { size = 200 } = {},
): Promise<number> {
  const exchange = await Exchange.start(c1, c2, c2.address, 0);
  const listener = await Listener.start(c2, 7000);
  const sender = await Sender.start(c1, c2.address, 7000, { rate: 200, size });
  await lasting(0.3);
  await happens();
  await lasting(0.3);
  await sender.stop();
  const { longestGap } = await listener.stop();
  const [left, right] = await exchange.stop();
  expect(left.receivedChecksum).toBe(right.sentChecksum);
  expect(right.receivedChecksum).toBe(left.sentChecksum);
  return longestGap;
}

const dropping = (rule: string) => `table inet test-kernel {
  chain input { type filter hook input priority 0; ${rule} drop; }
}`;

const without = (host: Host) => host.run(['nft', 'delete', 'table', 'inet', 'test-kernel']);

/** What a VXLAN device takes (RFC 7348, section 5): the header, and a frame. */
function vxlan(vni: number, to: string, text: string): Buffer {
  const header = Buffer.from([0x08, 0, 0, 0, 0, vni >> 8, vni & 0xff, 0]);
  const macs = Buffer.from(`${to.replaceAll(':', '')}02000000beef`, 'hex');
  const type = Buffer.from([ETHER_TYPE >> 8, ETHER_TYPE & 0xff]);
  return Buffer.concat([header, macs, type, Buffer.from(text.padEnd(46, '\0'))]);
}

describe('two hosts that trust the wire between them', () => {
  const world = onLab(async (lab) => {
    const wire = await lab.wire();
    const [a, b, stranger] = [await lab.host(wire), await lab.host(wire), await lab.host(wire)];
    return { stranger, ...(await pair(a, b, { args: TRUSTED })) };
  });

  test('leave frames to the kernel, and say so', async () => {
    const { a, b, c1, c2 } = world();
    await bothUse({ a, b });
    // A container that has just come is known to the kernel a moment later.
    await knows(a, (await c2.device()).address);
    await knows(b, (await c1.device()).address);
    const before = (await connection(a, b)).sentPackets;
    const exchange = await Exchange.start(c1, c2, c2.address, 8_000_000);
    await exchange.ends();
    expect((await connection(a, b)).sentPackets - before).toBeLessThan(1000);
    expect(await a.weft('status', 'connections')).toMatch(/host2 .* kernel /);
    expect(await a.weft('status', 'paths')).toContain('its containers do not leave the kernel');
  });

  test('carry all sizes, and IPv6, and what goes to everybody', async () => {
    const { c1, c2 } = world();
    expect(await unansweredPings(c1, c2.address, pingSizes((await c1.device()).mtu))).toEqual([]);
    await c1.reaches(c2.address6);
    const heard = await awaitFrame(c2, (await c2.device()).ifname, ETHER_TYPE);
    await sendFrame(c1, (await c1.device()).ifname, EVERYBODY, ETHER_TYPE, 'everybody');
    expect(await heard()).toBe('everybody');
  });

  test('go by the forwarder within 1 s when the port is blocked, and back', async () => {
    const { a, b } = world();
    await bothUse(world());
    const pause = await pauseWhile(world(), async () => {
      await b.run(['nft', '--file', '-'], { input: dropping(`udp dport ${PORT}`) });
      await until('the kernel is not used', async () => !(await isUsed(a, b)));
      expect((await connection(a, b)).kernel?.reason).toContain(`UDP port ${PORT}`);
      await lasting(0.5);
      await without(b);
      await bothUse({ a, b });
    });
    expect(pause).toBeLessThan(1);
  });

  test('go by the forwarder within 1 s when the wire takes only smaller packets, and back', async () => {
    const { a, b, c1 } = world();
    await bothUse({ a, b });
    const shrink = async (mtu: number) => {
      for (const host of [a, b]) await host.ip(`link set ${host.port.device} mtu ${mtu}`);
    };
    const full = (await c1.device()).mtu - 28;
    const happens = async () => {
      await shrink(1300);
      await until('the kernel is not used', async () => !(await isUsed(a, b)) && !(await isUsed(b, a)));
      await lasting(0.5);
      await shrink(1500);
      await bothUse({ a, b });
    };
    expect(await pauseWhile(world(), happens, { size: full })).toBeLessThan(1);
  });

  test('put right what somebody does to the device and what it knows, and traffic pauses less than 1 s', async () => {
    const { a, c2 } = world();
    const { address: mac } = await c2.device();
    for (const harm of [
      ['bridge', 'fdb', 'del', mac, 'dev', 'weft-vx', 'self'],
      ['bridge', 'fdb', 'del', mac, 'dev', 'weft-vx', 'master'],
      ['ip', 'link', 'set', 'weft-vx', 'down'],
      ['ip', 'link', 'delete', 'weft-vx'],
    ]) {
      await bothUse(world());
      const pause = await pauseWhile(world(), async () => {
        await a.run(harm);
        await until('the device is there and up', async () =>
          (await a.run(['ip', 'link', 'show', 'dev', 'weft-vx'])).includes(',UP'),
        );
        await knows(a, mac);
      });
      expect(pause, harm.join(' ')).toBeLessThan(1);
    }
  });

  test('take nothing at the port from anybody else', async () => {
    const { a, b, stranger, c2 } = world();
    await bothUse({ a, b });
    const { address: mac, ifname } = await c2.device();
    const heard = await awaitFrame(c2, ifname, ETHER_TYPE);
    const port = Number(PORT);
    await inject(stranger, b.address, port, [vxlan(1, mac, 'from a stranger')]);
    await inject(a, b.address, port, [
      vxlan(2, mac, 'of another network'),
      vxlan(1, EVERYBODY, 'to everybody'),
    ]);
    await inject(a, b.address, port, [vxlan(1, mac, 'from a trusted peer')]);
    expect((await heard()).replaceAll('\0', '')).toBe('from a trusted peer');
    expect(await b.run(['nft', 'list', 'table', 'inet', 'weft-weft-vxlan'])).toContain('packets 2 ');
  });

  test('notice nothing when the forwarder or the daemon of one is killed', async () => {
    const { a, b } = world();
    await bothUse({ a, b });
    const killed = a.forwarder;
    const pauses = [
      await pauseWhile(world(), async () => {
        process.kill(killed, 'SIGKILL');
        await until('another forwarder runs', () => a.forwarder !== killed);
        await until('it reaches the other one', async () => (await connection(a, b)).udp === 'up');
        await bothUse({ a, b });
      }),
      await pauseWhile(world(), async () => {
        process.kill(a.daemon, 'SIGKILL');
        await until('the daemon is gone', async () => (await a.tryWeft('status')).code === 3);
        await a.launch();
        await bothUse({ a, b });
      }),
    ];
    expect(Math.max(...pauses)).toBeLessThan(1);
  });

  test('encrypt again, and use the kernel no more, when one of them trusts no longer', async () => {
    const { a, b, c1, c2 } = world();
    process.kill(b.daemon, 'SIGKILL');
    await until('the daemon is gone', async () => (await b.tryWeft('status')).code === 3);
    await b.launch({ args: ['--trusted-subnets', 'none'] });
    await until('the other end has noticed', async () => !(await isUsed(a, b)));
    await c1.reaches(c2.address);
    await until('nothing of it is left', async () => {
      const left = await b.run(['sh', '-c', 'ip -brief link; nft list tables']);
      return !/weft-vx|vxlan/.test(left);
    });
    await until('it says why', async () =>
      (await connection(a, b)).kernel?.reason?.includes('--trusted-subnets'),
    );
  });

  test('leave nothing behind when they stop', async () => {
    const { a } = world();
    await a.weft('stop');
    expect(await a.run(['ip', '-brief', 'link'])).not.toContain('weft');
    expect(await a.run(['nft', 'list', 'tables'])).not.toContain('weft');
  });
});

describe('two hosts that trust a wire without IPv4', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    for (const host of [a, b]) await host.run(['ip', '-4', 'address', 'flush', 'dev', host.port.device]);
    return await pair(a, b, { mtu: 1398, args: ['--trusted-subnets', 'fd00::/8'] });
  });

  test('leave frames of all sizes to the kernel', async () => {
    const { a, b, c1, c2 } = world();
    await bothUse({ a, b });
    await knows(a, (await c2.device()).address);
    expect(await unansweredPings(c1, c2.address, pingSizes((await c1.device()).mtu))).toEqual([]);
    expect((await connection(a, b)).endpoint).toContain('[fd');
  });
});

describe('a host that leaves nothing to the kernel', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    return await pair(a, b, { args: [...TRUSTED, '--no-fast-datapath'] });
  });

  test('has the forwarder carry all frames', async () => {
    const { a, b } = world();
    await until('nothing is encrypted', async () => (await connection(a, b)).cipher === 'plain');
    expect((await connection(a, b)).kernel).toBeNull();
    expect(await a.run(['ip', '-brief', 'link'])).not.toContain('weft-vx');
  });
});

describe('hosts whose containers have different MTUs', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    await a.launch({ args: TRUSTED });
    await b.launch({ args: TRUSTED, mtu: 1380, token: await a.token() });
    const [large, small] = [
      await a.container('large', '10.32.0.1/24'),
      await b.container('small', '10.32.0.2/24'),
    ];
    await large.reaches(small.address);
    return { a, b, large, small };
  });

  test('leave nothing to the kernel, which drops what is too large without a word, and say so', async () => {
    const { a, b, large, small } = world();
    await until('nothing is encrypted', async () => (await connection(a, b)).cipher === 'plain');
    const reason = /MTU 1380.*1418.*--mtu/;
    await until('it is said', async () => reason.test((await connection(a, b)).kernel?.reason ?? ''));
    // What is too large is answered once with the size that is not.
    const sizes = pingSizes((await large.device()).mtu);
    expect(await unansweredPings(large, small.address, sizes, { tries: 2 })).toEqual([]);
  });
});
