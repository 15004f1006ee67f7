import { describe, expect, test } from 'vitest';
import type { Datapath, PeerPath } from '../../../src/api/index.js';
import { type Container, type Host, Listener, lasting, Sender, until, type Wire } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { drops, pair } from '../pair.js';

/** Of each flow, as a cloud's limit for single flows. */
const CAP = '16mbit';
const FLOWS = 16;
const OWN_PORT = 6783;

/** How packets may be made and where they may go; the last has more ports and workers than lanes. */
const VARIANTS =
  process.env.WEFT_LONG === '1'
    ? [
        ['--cipher', 'xsalsa20-poly1305', '--udp-ports', '4'],
        ['--cipher', 'chacha20-poly1305', '--udp-ports', '4'],
        ['--trusted-subnets', '192.168.0.0/16', '--no-fast-datapath', '--udp-ports', '4'],
        ['--workers', '4', '--udp-ports', '16'],
      ]
    : [];

/** From how many ports a host sends to the only other one. */
async function udpPorts(host: Host) {
  return (await host.report()).connections[0]?.udpPorts;
}

async function sendsFrom(host: Host, ports: number): Promise<void> {
  await until(`${host.name} sends from ${ports} ports`, async () => (await udpPorts(host))?.used === ports, {
    every: 50,
  });
}

async function sourcePorts(host: Host): Promise<number[]> {
  return (await host.weftJson<Datapath>('status', 'datapath')).forwarder.sourcePorts;
}

/** Caps what a host is sent from a port: that is all in which the flows between two hosts differ. */
async function capFlow(wire: Wire, to: Host, port: number, number: number): Promise<void> {
  const { farDevice } = wire.portOf(to);
  const flow = `1:${number}`;
  const add = async (what: string, ...args: string[]) =>
    await wire.node.run(['tc', what, 'add', 'dev', farDevice, ...args]);
  if (number === 1) await add('qdisc', 'root', 'handle', '1:', 'htb');
  await add('class', 'parent', '1:', 'classid', flow, 'htb', 'rate', CAP);
  await add('qdisc', 'parent', flow, 'bfifo', 'limit', '200kb');
  await wire.node.nft(`add rule bridge lab forward udp sport ${port} meta priority set ${flow}`);
}

/** Mbit/s of several TCP connections together. */
async function throughput(from: Container, to: Container): Promise<number> {
  const server = to.start(['iperf3', '-s', '-1']);
  await until('iperf3 listens', () => to.run(['sh', '-c', 'ss -Hltn sport = 5201 | grep .']));
  const client = ['iperf3', '-c', to.address, '-P', `${FLOWS}`, '-O', '1', '-t', '2', '-J'];
  const { end } = JSON.parse(await from.run(client, { within: 30_000 }));
  await server.ends();
  return end.sum_received.bits_per_second / 1e6;
}

/** Paced flows from one container to another, and what became of them. */
async function flows(from: Container, to: Container) {
  const numbers = Array.from({ length: FLOWS }, (_, i) => 7100 + i);
  const listeners = await Promise.all(numbers.map((port) => Listener.start(to, port)));
  const stream = { rate: 100, size: 200 };
  const senders = await Promise.all(numbers.map((port) => Sender.start(from, to.address, port, stream)));
  return async () => {
    const sent = await Promise.all(senders.map((sender) => sender.stop()));
    await from.reaches(to.address);
    const seen = await Promise.all(listeners.map((listener) => listener.stop()));
    return seen.map((flow, i) => ({ ...flow, lost: (sent[i]?.sent ?? 0) - flow.distinct }));
  };
}

/** Loses what a host sends from these ports, until it is called. */
async function block(wire: Wire, ports: string): Promise<() => Promise<void>> {
  const echoed = await wire.node.nft(`insert rule bridge lab forward ${ports} drop`);
  const handle = /# handle (\d+)/.exec(echoed)?.[1];
  return async () => {
    await wire.node.nft(`delete rule bridge lab forward handle ${handle}`);
  };
}

async function relaunch(host: Host, ...args: string[]): Promise<void> {
  process.kill(host.daemon, 'SIGKILL');
  await until('the daemon is gone', async () => (await host.tryWeft('status')).code === 3);
  await host.launch({ args });
}

describe('a wire that caps each flow', () => {
  const world = onLab(async (lab) => {
    const wire = await lab.wire();
    const [a, b] = [await lab.host(wire), await lab.host(wire)];
    await capFlow(wire, b, OWN_PORT, 1);
    return { wire, single: 0, ...(await pair(a, b)) };
  });

  test('binds all that goes between two hosts, by default', async () => {
    const { a, c1, c2 } = world();
    world().single = await throughput(c1, c2);
    expect(world().single).toBeGreaterThan(5);
    expect(world().single).toBeLessThan(16);
    expect(await udpPorts(a)).toEqual({ used: 1, of: 1 });
    expect(await a.weft('status', 'paths')).not.toMatch(/UDP ports/);
  });

  test('that lets the own port through only is no loss to a host that would send from more', async () => {
    const { wire, a, b, c1, c2 } = world();
    const lift = await block(wire, `udp dport ${OWN_PORT} udp sport != ${OWN_PORT}`);
    await relaunch(a, '--udp-ports', '4');
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const)
      await from.isConnectedTo(to);
    await c1.reaches(c2.address);
    const end = await flows(c1, c2);
    await until('the ports are tried', async () => /no answer/.test((await udpPorts(a))?.reason ?? ''));
    await lasting(1);
    for (const flow of await end()) expect(flow).toMatchObject({ lost: 0, duplicates: 0, reordered: 0 });
    expect(await udpPorts(a)).toMatchObject({ used: 1, of: 4 });
    expect(await a.weft('status', 'paths')).toMatch(/UDP ports: sends from 1 of 4 \(no answer to the others/);
    await lift();
  });

  test('binds each of the ports that a host sends from', async () => {
    const { wire, a, b, c1, c2, single } = world();
    const extra = await sourcePorts(a);
    expect(new Set([OWN_PORT, ...extra]).size).toBe(4);
    for (const [i, port] of extra.entries()) await capFlow(wire, b, port, i + 2);
    const end = await flows(c1, c2);
    await sendsFrom(a, 4);
    for (const flow of await end()) expect(flow).toMatchObject({ lost: 0, duplicates: 0, reordered: 0 });
    const spread = await throughput(c1, c2);
    console.info(`${single.toFixed(1)} Mbit/s from one port, ${spread.toFixed(1)} from 4`);
    expect(spread).toBeGreaterThan(2.5 * single);
    expect(await a.weft('status', 'paths')).toMatch(/UDP ports: sends from 4 of 4\n/);
    expect((await a.weftJson<PeerPath[]>('status', 'paths'))[0]?.udpPorts).toEqual({ used: 4, of: 4 });
  });

  test('that begins to lose what comes from one port stops no flow for a second', async () => {
    const { wire, a, c1, c2 } = world();
    const [port] = await sourcePorts(a);
    const end = await flows(c1, c2);
    await sendsFrom(a, 4);
    const lift = await block(wire, `udp sport ${port}`);
    await sendsFrom(a, 3);
    await lift();
    await sendsFrom(a, 4);
    const seen = await end();
    for (const { longestGap } of seen) expect(longestGap).toBeLessThan(1);
    expect(Math.max(...seen.map(({ lost }) => lost))).toBeGreaterThan(0);
    expect(Math.min(...seen.map(({ lost }) => lost))).toBe(0);
  });

  test('is met in the same way after a restart, and nothing can be sent to the further ports', async () => {
    const { a, b, c1, c2 } = world();
    const before = await sourcePorts(a);
    await relaunch(a);
    expect(await sourcePorts(a)).toEqual(before);
    await c1.reaches(c2.address);
    await b.run([
      'bash',
      '-c',
      `for i in {1..200}; do echo ${'x'.repeat(500)} >/dev/udp/${a.address}/${before[0]}; done`,
    ]);
    expect(await a.run(['ss', '-Huan', `sport = :${before[0]}`])).toMatch(/^UNCONN\s+0\s/);
    expect(await a.weft('status')).toMatch(/forwarder +.* 4 UDP ports/);
  });
});

describe.each(VARIANTS.map((args) => ({ args })))('two hosts launched with $args', ({ args }) => {
  const world = onLab(async (lab) => {
    const wire = await lab.wire();
    const [a, b] = [await lab.host(wire), await lab.host(wire)];
    return { wire, ...(await pair(a, b, { args })) };
  });
  const ports = Number(args.at(-1));

  test.each([
    'IPv4',
    'IPv6',
  ])('lose nothing while they begin to send from all ports, over %s', async (family) => {
    const { wire, a, b, c1, c2 } = world();
    if (family === 'IPv6') await block(wire, `meta protocol ip udp dport ${OWN_PORT}`);
    const way = family === 'IPv6' ? /^\[/ : /^192/;
    for (const host of [a, b]) {
      await until(`${host.name} goes by ${family}`, async () =>
        way.test((await host.report()).connections[0]?.endpoint ?? ''),
      );
    }
    const before = await drops(b);
    const ends = [await flows(c1, c2), await flows(c2, c1)];
    await Promise.all([a, b].map((host) => sendsFrom(host, ports)));
    await lasting(2);
    for (const end of ends)
      for (const flow of await end()) expect(flow).toMatchObject({ lost: 0, duplicates: 0 });
    expect(await drops(b)).toEqual(before);
  });
});
