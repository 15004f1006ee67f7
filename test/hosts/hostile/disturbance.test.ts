import { describe, expect, test } from 'vitest';
import {
  awaitFrame,
  type Container,
  frames,
  type Host,
  sendFrame,
  sendFrames,
  until,
} from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { counters } from '../pair.js';
import { EVERYBODY, loopProbe, PROBE_TYPE, plainFrame } from './forged.js';
import { withHostileContainer } from './world.js';

const PLAIN_TYPE = 0x88b5;

const world = onLab(withHostileContainer);

/** What goes to everybody from one container is heard by another. */
async function hears(listener: Container, speaker: Container): Promise<void> {
  const heard = await awaitFrame(listener, 'ethweft', PLAIN_TYPE);
  await sendFrame(speaker, 'ethweft', EVERYBODY, PLAIN_TYPE, 'everybody');
  expect(await heard()).toMatch(/^everybody/);
}

/** The next probe that a host's forwarder puts on its segment. */
async function nextProbe(host: Host): Promise<Buffer> {
  const capture = await host.capture('weft');
  const isProbe = (frame: Buffer) => frame.readUInt16BE(12) === PROBE_TYPE;
  try {
    return await until('a probe', () => frames(capture.bytes()).find(isProbe), { every: 10 });
  } finally {
    await capture.stop();
  }
}

/** How many MACs a host's bridge has learned. */
async function learned(host: Host): Promise<number> {
  return (await host.run(['bridge', 'fdb', 'show', 'br', 'weft'])).split('\n').length;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

async function loops(host: Host): Promise<unknown[]> {
  return (await host.report()).datapath?.networks.map(({ loop }) => loop) ?? [];
}

describe('a container that wants to disturb its segment', () => {
  test('makes no router believe in a loop by probes that it made up, or heard and returns', async () => {
    const { a, b, attacker, near, far } = world();
    const heard = [await nextProbe(a), await nextProbe(b)];
    const madeUp = heard.flatMap((probe) => [1, 2].map((version) => loopProbe(probe, version)));
    await sendFrames(attacker, 'ethweft', madeUp);
    for (let i = 0; i < 3; i += 1) {
      await sendFrames(attacker, 'ethweft', [await nextProbe(a), await nextProbe(b)]);
      await hears(far, near);
      await hears(near, far);
      for (const host of [a, b]) expect(await loops(host)).toEqual([null]);
    }
    expect((await counters(a)).dropped_muted ?? 0).toBe(0);
  });

  test('fills the table of no bridge by making up addresses, and others still come and go', async () => {
    const { a, b, attacker, near, far } = world();
    const { address: mac } = await far.device();
    const before = [await learned(a), await learned(b)];
    const madeUp = Array.from({ length: 20_000 }, (_, i) =>
      plainFrame(mac, `02:ee:00:00:${hex(i >> 8)}:${hex(i & 0xff)}`),
    );
    await sendFrames(attacker, 'ethweft', madeUp);
    const after = [await learned(a), await learned(b)];
    for (const [i, count] of after.entries()) expect(count - (before[i] ?? 0)).toBeLessThan(3_000);
    const nested = Array.from({ length: 300 }, (_, i) =>
      plainFrame(mac, `02:dd:00:00:${hex(i >> 8)}:${hex(i & 0xff)}`),
    );
    await sendFrames(near, 'ethweft', nested);
    for (const host of [a, b]) {
      const fdb = await host.run(['bridge', 'fdb', 'show', 'br', 'weft']);
      expect(fdb.match(/^02:dd:/gm)).toHaveLength(300);
    }
    await hears(far, near);
    await near.reaches(far.address);
  });
});
