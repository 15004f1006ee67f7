import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Container, Exchange, type Host, Listener, Sender, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { newToken } from '../members/members.js';
import { pingSizes, unansweredPings } from '../pair.js';
import { connection, containersOn, row } from './layouts.js';

const TRUSTED = '192.168.0.0/16';

/** What stands for the cipher between two routers. */
const cipher = async (from: Host, to: Host) => (await connection(from, to)).cipher;

/** Sends a text from one container to another, and tells whether a wire on the way shows it. */
async function isReadable(from: Container, to: Container, host: Host, device?: string): Promise<boolean> {
  const capture = await host.capture(device);
  const text = randomBytes(100).toString('base64');
  await from.run(['socat', '-u', '-', `UDP4:${to.address}:7002`], { input: text });
  await from.reaches(to.address);
  return (await capture.stop()).includes(Buffer.from(text));
}

describe('three hosts in a row, which all trust their wires', () => {
  const world = onLab(async (lab) => {
    const { hosts } = await row(lab, 3);
    const token = newToken();
    const [a, b, c] = hosts;
    if (!a || !b || !c) throw new Error('three hosts were asked for');
    // Nobody made the network, and so nobody owns addresses: those of the containers are chosen, and none of the range.
    // This is about what the forwarders carry; kernel.test.ts is about what they leave to the kernel.
    const args = ['--trusted-subnets', TRUSTED, '--no-fast-datapath', '--ipalloc-range', '10.99.0.0/16'];
    await b.launch({ token, args });
    await a.launch({ token, args, peers: [b] });
    await c.launch({ token, args, peers: [b.ports[1]?.address ?? ''] });
    const [c1, c2, c3] = (await containersOn(hosts)) as [Container, Container, Container];
    for (const to of [c2, c3]) await c1.reaches(to.address);
    return { a, b, c, c1, c2, c3 };
  });

  test('do not encrypt what goes straight, and say so', async () => {
    const { a, b, c1, c2 } = world();
    await until('nothing is encrypted', async () => (await cipher(a, b)) === 'plain');
    expect(await isReadable(c1, c2, a)).toBe(true);
    expect(await a.weft('status', 'connections')).toMatch(/host2 .* plain /);
    expect(await a.weft('status')).toMatch(/trusted +192\.168\.0\.0\/16/);
  });

  test('carry all sizes and TCP without encryption', async () => {
    const { c1, c2 } = world();
    expect(await unansweredPings(c1, c2.address, pingSizes((await c1.device()).mtu))).toEqual([]);
    const [left, right] = await (await Exchange.start(c1, c2, c2.address, 32_000_000)).ends();
    expect(left.receivedChecksum).toBe(right.sentChecksum);
    expect(right.receivedChecksum).toBe(left.sentChecksum);
  });

  test('encrypt what goes over another router', async () => {
    const { a, b, c, c1, c3 } = world();
    expect(await connection(a, c)).toMatchObject({ path: 'relay', cipher: expect.stringContaining('-') });
    for (const { device } of b.ports) expect(await isReadable(c1, c3, b, device)).toBe(false);
  });

  test('encrypt again when one of them trusts no longer, and lose nothing over it', async () => {
    const { a, b, c1, c2 } = world();
    const listener = await Listener.start(c2, 7000);
    const sender = await Sender.start(c1, c2.address, 7000, { rate: 1000, size: 500 });
    process.kill(b.daemon, 'SIGKILL');
    await until('the daemon is gone', async () => (await b.tryWeft('status')).code === 3);
    await b.launch({ args: ['--trusted-subnets', 'none'] });
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      await until(`${from.name} encrypts`, async () => (await cipher(from, to)) !== 'plain');
    }
    const { sent } = await sender.stop();
    await c1.reaches(c2.address);
    expect(await listener.stop()).toMatchObject({ distinct: sent, duplicates: 0 });
    expect(await isReadable(c1, c2, a)).toBe(false);
    expect(await b.weft('status')).not.toMatch(/trusted/);
  });

  test('are told what is no subnet', async () => {
    const { b } = world();
    await b.weft('stop');
    const { code, stderr } = await b.tryWeft('launch', '--trusted-subnets', '10.0.0.0');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('"10.0.0.0" is not a subnet'),
    });
  });
});
