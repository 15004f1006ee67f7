import { describe, expect, test } from 'vitest';
import { MAX_MTU } from '../../../src/hostnet/index.js';
import {
  Exchange,
  type Host,
  type Lab,
  type LaunchOptions,
  Listener,
  Sender,
  until,
} from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { pair, pingSizes, unansweredPings } from '../pair.js';

const VOLUME = 32 * 2 ** 20;
/** IPv4, UDP, the sealed packet's header, inner header and tag, the Ethernet header inside. */
const OVERHEAD = 20 + 8 + 16 + 8 + 16 + 14;

interface Place {
  place: string;
  hosts: (lab: Lab) => Promise<Host[]>;
  /** Of the path, bytes. */
  path: number;
  /** Of the containers, where it is not to follow from the wires. */
  options?: LaunchOptions;
}

const places: Place[] = [
  { place: 'a wire of MTU 1280', hosts: (lab) => lab.hosts(2, { mtu: 1280 }), path: 1280 },
  { place: 'a wire of MTU 1500', hosts: (lab) => lab.hosts(2, { mtu: 1500 }), path: 1500 },
  { place: 'a wire of MTU 9000', hosts: (lab) => lab.hosts(2, { mtu: 9000 }), path: 9000 },
  { place: 'a hop with a smaller MTU', hosts: (lab) => lab.hostsAcross(1380), path: 1380 },
  {
    place: 'a hop with a smaller MTU that says nothing',
    hosts: (lab) => lab.hostsAcross(1380, { silent: true }),
    path: 1380,
  },
  {
    place: 'a hop that carries less than IPv6 needs and says nothing',
    hosts: (lab) => lab.hostsAcross(700, { silent: true }),
    path: 700,
  },
  {
    place: 'a wire far smaller than --mtu',
    hosts: (lab) => lab.hosts(2, { mtu: 1500 }),
    path: 1500,
    options: { mtu: MAX_MTU },
  },
];

/** Waits until the router found out what the path to its peer carries. */
async function knows(host: Host, path: number): Promise<void> {
  await until(
    `${host.name} knows that ${path} bytes pass`,
    async () => (await host.report()).connections.every(({ pathMtu }) => pathMtu === path),
    { within: 35_000, every: 200 },
  );
}

describe.each(places)('over $place', ({ hosts, path, options }) => {
  const world = onLab(async (lab) => {
    const [a, b] = await hosts(lab);
    if (a === undefined || b === undefined) throw new Error('two hosts are needed');
    const there = await pair(a, b, options);
    for (const host of [a, b]) await knows(host, path);
    return there;
  });

  test('pings of all sizes are answered, over IPv4 and IPv6', async () => {
    const { c1, c2 } = world();
    const sizes = pingSizes(path - OVERHEAD);
    const tries = { tries: (await c1.device()).mtu > path - OVERHEAD ? 3 : 1 };
    expect(await unansweredPings(c1, c2.address, sizes, tries)).toEqual([]);
    expect(await unansweredPings(c2, c1.address6, sizes, tries)).toEqual([]);
  });

  test('TCP carries data both ways at once, with equal checksums', async () => {
    const { c1, c2 } = world();
    const [left, right] = await (await Exchange.start(c1, c2, c2.address, VOLUME)).ends();
    expect(left).toMatchObject({ sent: VOLUME, received: VOLUME });
    expect(left.receivedChecksum).toBe(right.sentChecksum);
    expect(right.receivedChecksum).toBe(left.sentChecksum);
  });

  test('UDP datagrams larger than the path arrive', async () => {
    const { c1, c2 } = world();
    const listener = await Listener.start(c2, 7000);
    await (await Sender.start(c1, c2.address, 7000, { rate: 100, size: 9500, count: 50 })).ends();
    await c1.reaches(c2.address);
    expect(await listener.stop()).toMatchObject({ distinct: 50, duplicates: 0 });
  });

  test('what may not be fragmented either passes or its sender is told', async () => {
    const { c1, c2 } = world();
    const { mtu } = await c1.device();
    if (options !== undefined) expect(mtu).toBe(options.mtu);
    const fits = Math.min(mtu, path - OVERHEAD);
    expect(await c1.ping(c2.address, { size: fits - 28, flags: ['-M', 'do'] })).toBe(true);
    for (const size of [fits - 27, mtu - 28, mtu - 27]) {
      const { code, stdout, stderr } = await c1.attempt([
        'ping',
        '-n',
        '-c',
        '3',
        '-W',
        '1',
        '-i',
        '0.2',
        '-M',
        'do',
        '-s',
        `${size}`,
        c2.address,
      ]);
      const told = /frag needed|message too long/i.test(stdout + stderr);
      expect({ size, passedOrTold: code === 0 || told }).toEqual({ size, passedOrTold: true });
    }
  });
});
