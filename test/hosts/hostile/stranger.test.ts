import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  type Datagram,
  datagrams,
  type Host,
  inject,
  Listener,
  openConnections,
  Sender,
  until,
} from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { counters, grown, pair, refusals } from '../pair.js';

const PORT = 6783;
/** Of the datagrams in the containers that are captured; on the wire, headers and tag are around them. */
const SIZE = 700;
const SEALED = SIZE + 8 + 20 + 14 + 8 + 16 + 16;

/** So many packets at once overflow the kernel's queue of 1,000 a CPU between two ends of a veth, before any router. */
const KERNEL_BACKLOG = { tolerance: 0.005 };

/** Two good hosts, and one without a network secret on the same wire. */
const world = onLab(async (lab) => {
  const wire = await lab.wire();
  const [a, b, stranger] = [await lab.host(wire), await lab.host(wire), await lab.host(wire)];
  return { wire, stranger, ...(await pair(a, b)) };
});

/**
 * Runs an attack while numbered datagrams flow between the containers: none may come twice, and none may be lost (or not
 * more than `tolerance`, as a share).
 */
async function whileTrafficFlows(attack: () => Promise<void>, { tolerance = 0 } = {}): Promise<void> {
  const { a, b, c1, c2 } = world();
  const pids = [a.daemon, a.forwarder, b.daemon, b.forwarder];
  const listener = await Listener.start(c2, 7000);
  const sender = await Sender.start(c1, c2.address, 7000, { rate: 1000, size: 500 });
  try {
    await attack();
  } finally {
    const { sent } = await sender.stop();
    const { distinct, duplicates } = await listener.stop();
    expect(duplicates).toBe(0);
    expect((sent - distinct) / sent).toBeLessThanOrEqual(tolerance);
  }
  expect([a.daemon, a.forwarder, b.daemon, b.forwarder]).toEqual(pids);
}

/** Real datagrams from `a` to `b`, each with a number for the listener in `c2`, which may or may not have seen them. */
async function captured(count: number, { lost = false } = {}): Promise<Buffer[]> {
  const { wire, a, b, c1, c2 } = world();
  const outage = lost ? await wire.lose('udp', { from: a, to: b }) : undefined;
  try {
    const capture = await a.capture();
    await (await Sender.start(c1, c2.address, 7000, { rate: 500, size: SIZE, count })).ends();
    const ofOurs = await until(`${count} of our datagrams are captured`, () => {
      const found = datagrams(capture.bytes())
        .filter(({ to }) => to === b.address)
        .flatMap(sealed);
      return found.length >= count && found;
    });
    await capture.stop();
    return ofOurs;
  } finally {
    await outage?.lift();
  }
}

/** The packets of one send, which the kernel may carry as one until they meet hardware, if they are the sender's. */
function sealed({ payload }: Datagram): Buffer[] {
  if (payload.length % SEALED !== 0) return [];
  return Array.from({ length: payload.length / SEALED }, (_, i) =>
    payload.subarray(i * SEALED, (i + 1) * SEALED),
  );
}

describe('a stranger on the wire', () => {
  test('with another secret is refused and counted, and joins nothing', async () => {
    const { a, stranger } = world();
    const before = await refusals(a);
    await whileTrafficFlows(async () => {
      const { peer } = await stranger.launch({ peers: [a] });
      await isRefused(stranger, a);
      expect((await a.report()).peers.map((known) => known.peer)).not.toContain(peer);
      await stranger.weft('reset');
    });
    expect(await refusals(a)).toBeGreaterThan(before);
  });

  test('with another password is refused', async () => {
    const { lab } = world();
    const [one, two, three] = await lab.hosts(3);
    await one.launch({ password: 'the right one' });
    await two.launch({ password: 'the right one', peers: [one] });
    await three.launch({ password: 'the wrong one', peers: [one] });
    await two.isConnectedTo(one);
    await isRefused(three, one);
    expect((await one.report()).peers.map(({ nickname }) => nickname).sort()).toEqual([one.name, two.name]);
    for (const host of [one, two, three]) await host.weft('reset');
  });

  test('replaying datagrams delivers nothing, and moves no endpoint', async () => {
    const { b, c2, stranger, a } = world();
    const replayed = await captured(200);
    const before = await counters(b);
    const listener = await Listener.start(c2, 7000);
    await inject(stranger, b.address, PORT, replayed);
    await grown(b, before, 'dropped_replay', 200);
    expect(await listener.stop()).toMatchObject({ received: 0 });
    const { connections } = await b.report();
    expect(connections).toEqual([expect.objectContaining({ endpoint: `${a.address}:${PORT}` })]);
  });

  test('truncating datagrams, at every length, delivers nothing', async () => {
    const { b, c2, stranger } = world();
    const [whole] = await captured(1, { lost: true });
    if (whole === undefined) throw new Error('nothing was captured');
    const before = await counters(b);
    await whileTrafficFlows(async () => {
      const cut = Array.from({ length: whole.length }, (_, length) => whole.subarray(0, length));
      await inject(stranger, b.address, PORT, cut);
      await grown(b, before, 'dropped_short', 16);
      await grown(b, before, 'dropped_bad_tag', whole.length - 80);
    });
    await c2.reaches('10.32.0.1');
  });

  test('flipping any bit delivers nothing', async () => {
    const { b, stranger } = world();
    const [whole] = await captured(1, { lost: true });
    if (whole === undefined) throw new Error('nothing was captured');
    const before = await counters(b);
    await whileTrafficFlows(async () => {
      const flipped = Array.from({ length: whole.length * 8 }, (_, bit) => {
        const copy = Buffer.from(whole);
        copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return copy;
      });
      await inject(stranger, b.address, PORT, flipped);
      await grown(b, before, 'dropped_bad_tag', (whole.length - 16) * 8);
    });
  });

  test('reordering and doubling datagrams delivers each once', async () => {
    const { b, c2, stranger } = world();
    const listener = await Listener.start(c2, 7000);
    const late = await captured(300, { lost: true });
    const before = await counters(b);
    await inject(
      stranger,
      b.address,
      PORT,
      [...late].reverse().flatMap((datagram) => [datagram, datagram]),
    );
    await grown(b, before, 'dropped_replay', 300);
    expect(await listener.stop()).toMatchObject({ distinct: 300, duplicates: 0 });
    await c2.reaches('10.32.0.1');
  });

  test('sending garbage over UDP is counted and harms nobody', async () => {
    const { b, stranger } = world();
    const before = await counters(b);
    await whileTrafficFlows(async () => {
      const garbage = Array.from({ length: 1000 }, (_, i) => randomBytes(i));
      for (const [i, bytes] of garbage.entries()) if (i > 0) bytes[0] = i % 5;
      const plausible = Array.from({ length: 500 }, (_, i) =>
        Buffer.concat([Buffer.from([1, 0, 0, 0]), randomBytes(4), Buffer.alloc(8), randomBytes(i + 24)]),
      );
      await inject(stranger, b.address, PORT, [...garbage, ...plausible]);
      await grown(b, before, 'dropped_bad_type', 390);
      await grown(b, before, 'dropped_unknown_key', 500);
    });
  });

  test('sending garbage over TCP is counted and harms nobody', async () => {
    const { b, stranger } = world();
    const before = await refusals(b);
    await whileTrafficFlows(async () => {
      for (const size of [1, 16, 100, 5000, 300_000]) {
        const target = `TCP4:${b.address}:${PORT}`;
        await stranger.attempt(['socat', '-t', '0', '-u', '-', target], { input: randomBytes(size) });
      }
      await until('the garbage is counted', async () => (await refusals(b)) > before, { every: 200 });
    });
  });

  test('leaving connections half open is cut off', async () => {
    const { b, stranger } = world();
    await whileTrafficFlows(async () => {
      const silent = stranger.start(['socat', '-u', `TCP4:${b.address}:${PORT}`, '-']);
      const { seconds } = await silent.ends(30_000);
      expect(seconds).toBeLessThan(25);
    });
  });

  test('opening 10,000 connections at once harms nobody, and a good peer can still join', async () => {
    const { lab, wire, a, b, stranger } = world();
    const before = await refusals(b);
    await whileTrafficFlows(async () => {
      const flood = await openConnections(stranger, b.address, PORT, 10_000);
      const late = await lab.host(wire);
      await late.launch({ token: await a.token() });
      await until('a good peer joins during the flood', async () =>
        (await b.weft('status', 'peers')).includes(late.name),
      );
      await flood.close();
      await late.weft('reset');
    }, KERNEL_BACKLOG);
    expect(await refusals(b)).toBeGreaterThan(before);
  });
});

describe('strangers with four addresses that leave connections silent', () => {
  test('keep no newcomer out', async () => {
    const { lab, wire, a, b, stranger } = world();
    const { address = '', device = '' } = stranger.ports[0] ?? {};
    const others = [201, 202, 203].map((last) => address.replace(/\d+$/, String(last)));
    await stranger.ip(...others.map((other) => `address add ${other}/24 dev ${device}`));
    const before = await refusals(b);
    const silent = (from: string) => `socat -u TCP4:${b.address}:${PORT},bind=${from} - >/dev/null 2>&1 &`;
    const round = [address, ...others].map(silent).join(' ');
    const flood = stranger.start([
      'sh',
      '-c',
      `for i in $(seq 16); do ${round} done; while :; do sleep 0.15; ${round} done`,
    ]);
    await until('all places are taken', async () => (await refusals(b)) > before);
    const late = await lab.host(wire);
    await wire.lose('everything', { from: late, to: a });
    await late.launch({ token: await b.token() });
    await until('the newcomer is linked to it', async () =>
      (await late.report()).connections.some(({ nickname, link }) => nickname === b.name && link === 'up'),
    );
    const { 'connect-failed': refused = 0, 'handshake-failed': cutOff = 0 } = await counters(late);
    expect({ refused, cutOff }).toEqual({ refused: 0, cutOff: 0 });
    await flood.stop();
    await late.weft('reset');
  });
});

/** Waits until a router shows that a target refuses it. */
async function isRefused(stranger: Host, target: Host): Promise<void> {
  await until(`${target.name} refuses ${stranger.name}`, async () => {
    const { targets, connections } = await stranger.report();
    if (connections.some(({ link }) => link === 'up')) throw new Error('they are connected');
    return targets.some(({ state, lastError }) => state !== 'connected' && lastError !== undefined);
  });
}
