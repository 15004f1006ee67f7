import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EVERYBODY, gratuitousArp, plainFrame, question } from '../hosts/hostile/forged.js';
import { withHostileContainer } from '../hosts/hostile/world.js';
import { type Host, sendGarbage } from '../lab/index.js';
import { onLab } from '../lab/suite.js';

const SECONDS = 10;
const RATE = 100_000;
const MIB = 1024 * 1024;

const world = onLab(withHostileContainer);

/** Frames of every kind that parsers have something to do with, as they are or cut short. */
function frames(mac: string, to: string): Buffer[] {
  const whole = [
    plainFrame(EVERYBODY, mac),
    plainFrame(to, mac),
    gratuitousArp('10.32.0.66', mac),
    gratuitousArp('10.32.0.2', mac),
    question('a.very.long.name.that.nobody.has.test', { mac, address: '10.32.0.1', port: 1024 }),
    raw('0180c2000000', mac, '0026424203000000'), // spanning tree
    raw('ffffffffffff', mac, `88b6${Buffer.from('weftloop').toString('hex')}00010000${'ab'.repeat(8)}`),
    raw('ffffffffffff', mac, `${'8100000a'.repeat(6)}0800`), // a stack of VLAN tags
    raw('01005e010203', mac, '0800460000200000000001020000ef0102030a200001e00000169404000022009ff900000001'), // IGMPv3
    raw(
      '333300000016',
      mac,
      '86dd60000000002400010000000000000000000000000000000000000000ff0200000000000000000000000000163a000502000001008f00ffff00000001',
    ),
    raw('ffffffffffff', mac, '08004500003c0001200000110000ffffffff0a2000020000000000'), // the first of some fragments
    raw('ffffffffffff', mac, '08004500003c00013fff00110000ffffffff0a2000020000000000'), // a last one beyond 64 KiB
    raw('ffffffffffff', mac, `86dd6000000000082cff${'00'.repeat(32)}3a00fff900000001`),
  ];
  return whole.flatMap((frame) => [
    frame,
    frame.subarray(0, Math.max(15, frame.length >> 1)),
    Buffer.concat([frame, Buffer.alloc(1200, 7)]),
  ]);
}

function raw(to: string, from: string, rest: string): Buffer {
  return Buffer.from(to + from.replaceAll(':', '') + rest, 'hex');
}

/** Resident memory in bytes. */
function memory(pid: number): number {
  const [, kib = 0] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

/** How many MACs (a place in the kernel's memory each) the bridge of a host remembers. */
async function remembered(host: Host): Promise<number> {
  return (await host.run(['bridge', 'fdb', 'show', 'br', 'weft'])).split('\n').length;
}

test('a container that sends 100,000 frames of garbage a second costs its neighbours no ping, and its hosts no memory', async () => {
  const { a, b, attacker, near, far } = world();
  const pids = [a.daemon, a.forwarder, b.daemon, b.forwarder];
  const before = pids.map(memory);
  const [{ address: mac }, { address: to }] = [await attacker.device(), await far.device()];
  const attack = await sendGarbage(attacker, 'ethweft', frames(mac, to), RATE);
  const pinged = await near.attempt(['ping', '-n', '-q', '-i', '0.1', '-c', `${10 * SECONDS}`, far.address]);
  const entries = [await remembered(a), await remembered(b)];
  const { sent } = await attack.stop();
  expect(sent).toBeGreaterThan((RATE * SECONDS) / 4);
  expect(pinged.stdout).toContain(' 0% packet loss');
  expect([a.daemon, a.forwarder, b.daemon, b.forwarder]).toEqual(pids);
  for (const [i, pid] of pids.entries()) expect(memory(pid) - (before[i] ?? 0)).toBeLessThan(64 * MIB);
  for (const count of entries) expect(count).toBeLessThan(5_500);
});
