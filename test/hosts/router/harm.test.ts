import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Container, type Host, lasting, run, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { withOutside } from '../outside.js';

const OUTSIDE = '192.168.2.2';
const OUTSIDE6 = 'fd00:2::2';
/** What somebody did is to be undone within so many ms. */
const SOON = 5_000;

/** Routers on a and b; a is exposed, and on a second wire, on which there is a machine that knows nothing of the overlay. */
const world = onLab(async (lab) => {
  const known = await withOutside(lab);
  await known.a.weft('expose', '10.32.0.254/24', 'fd32::254/64');
  for (const container of [known.c1, known.c2]) await throughHost(container);
  return known;
});

async function throughHost(container: Container): Promise<void> {
  await container.ip('route add default via 10.32.0.254', 'route add ::/0 via fd32::254');
  await container.reaches(OUTSIDE);
  await container.reaches(OUTSIDE6);
}

const log = (host: Host) => readFileSync(join(host.runDirectory, 'daemon.log'), 'utf8').trimEnd().split('\n');
const faults = async (host: Host) => (await host.report()).status.faults;

/** The name of the interface on the host that leads to its only container. */
async function portOf(host: Host): Promise<string> {
  const links = await host.ipJson<{ ifname: string }[]>('link');
  const port = links.find(({ ifname }) => /^wv[0-9a-f]{12}$/.test(ifname));
  if (port === undefined) throw new Error('there is no port');
  return port.ifname;
}

/** Waits until the containers and the host reach each other, the outside and the DNS server, before somebody loses patience. */
async function allIsReached({ a, c1, c2 }: ReturnType<typeof world>): Promise<void> {
  const question = ['dig', '+short', '+time=1', '+tries=1', '@169.254.53.53', `${c2.namespace}.weft.local`];
  const ways = {
    'c2 to c1': () => c2.ping(c1.address),
    'c2 to c1 over IPv6': () => c2.ping(c1.address6),
    'c2 to a': () => c2.ping('10.32.0.254'),
    'c2 to a over IPv6': () => c2.ping('fd32::254'),
    'c1 to outside': () => c1.ping(OUTSIDE),
    'c1 to outside over IPv6': () => c1.ping(OUTSIDE6),
    'a to c2': () => a.ping(c2.address),
    'c1 to its DNS server': async () => (await c1.attempt(question)).stdout.includes(c2.address),
  };
  await Promise.all(
    Object.entries(ways).map(([way, isOpen]) =>
      until(`the way from ${way} is open`, isOpen, { within: SOON }),
    ),
  );
}

describe('what somebody else does to an exposed host', () => {
  test.each<[what: string, harm: (a: Host) => Promise<unknown>, told: RegExp]>([
    ['sets the bridge down', (a) => a.ip('link set weft down'), /bridge weft is down/],
    ['changes the MTU of the bridge', (a) => a.ip('link set weft mtu 1300'), /bridge weft is of another MTU/],
    ['deletes the bridge', (a) => a.ip('link delete weft'), /bridge weft is gone/],
    ['sets the TAP down', (a) => a.ip('link set weft-tap down'), /weft-tap is down/],
    [
      'takes the TAP off the bridge',
      (a) => a.ip('link set weft-tap nomaster'),
      /weft-tap is not on the bridge weft/,
    ],
    ['deletes the TAP', (a) => a.ip('link delete weft-tap'), /weft-tap is gone/],
    ['changes the MTU of the TAP', (a) => a.ip('link set weft-tap mtu 1280'), /weft-tap is of another MTU/],
    [
      'lets questions of containers pass to other hosts',
      (a) => a.ip('link set weft-tap type bridge_slave isolated off'),
      /weft-tap is not isolated/,
    ],
    [
      'takes the port of a container off the bridge',
      async (a) => a.ip(`link set ${await portOf(a)} nomaster`),
      /c1 is not on the bridge weft/,
    ],
    [
      'sets the port of a container down',
      async (a) => a.ip(`link set ${await portOf(a)} down`),
      /c1 is down/,
    ],
    [
      'isolates the port of a container',
      async (a) => a.ip(`link set ${await portOf(a)} type bridge_slave isolated on`),
      /c1 is isolated/,
    ],
    [
      'takes the port of the DNS server off the bridge',
      (a) => a.ip('link set weft-dns nomaster'),
      /DNS server .* not on/,
    ],
    ['sets the port of the DNS server down', (a) => a.ip('link set weft-dns down'), /DNS server .* is down/],
    [
      'flushes the addresses of the bridge',
      (a) => a.ip('address flush dev weft'),
      /address 10.32.0.254\/24 .* gone/,
    ],
    [
      'removes its IPv6 address',
      (a) => a.ip('address delete fd32::254/64 dev weft'),
      /address fd32::254\/64 .* gone/,
    ],
    [
      'flushes the routes of the bridge',
      (a) => a.ip('route flush dev weft'),
      /route to 10.32.0.0\/24 .* gone/,
    ],
    ['removes its IPv6 route', (a) => a.ip('route delete fd32::/64 dev weft'), /route to fd32::\/64 .* gone/],
    ['switches forwarding off', (a) => a.sysctl({ 'net.ipv4.ip_forward': 0 }), /net.ipv4.ip_forward is 0/],
    [
      'switches forwarding off for the bridge',
      (a) => a.sysctl({ 'net.ipv4.conf.weft.forwarding': 0 }),
      /net.ipv4.conf.weft.forwarding is 0/,
    ],
    [
      'switches IPv6 forwarding off',
      (a) => a.sysctl({ 'net.ipv6.conf.all.forwarding': 0 }),
      /net.ipv6.conf.all.forwarding is 0/,
    ],
    ['flushes the packet filter', (a) => a.nft('flush ruleset'), /packet filter/],
  ])('(%s) is undone within 5 s, and told once in the log', async (_what, harm, told) => {
    const { a } = world();
    const before = log(a).length;
    await harm(a);
    const lines = () => log(a).slice(before);
    await until('it is told', () => lines().some((line) => told.test(line)), { within: SOON });
    await allIsReached(world());
    await until('nothing is wrong', async () => (await faults(a)).length === 0);
    expect(lines().filter((line) => told.test(line))).toHaveLength(1);
    expect(lines().filter((line) => /"level":"error"/.test(line))).toEqual([]);
  });

  test('leaves doctor content once it is undone', async () => {
    const { a } = world();
    expect((await a.tryWeft('doctor')).stdout).toMatch(/ok +interfaces .*bridge weft/);
  });

  test.runIf(process.env.WEFT_LONG === '1')(
    'again and again is told once, by status and doctor for as long as it lasts, and not fought at full speed',
    async () => {
      const { b } = world();
      const harm = 'while :; do ip link set weft-dns down; sleep 0.2; done';
      const harming = b.start(['sh', '-c', harm]);
      const told = () => log(b).filter((line) => line.includes('again and again'));
      await until('it is said', () => told().length === 1, { within: 20_000 });
      const before = log(b).length;
      await until('it is down once more', async () => (await faults(b)).length > 0);
      expect(await faults(b)).toEqual([expect.stringMatching(/DNS server .* is down/)]);
      const doctor = await b.tryWeft('doctor');
      expect(doctor.code).toBe(1);
      expect(doctor.stdout).toMatch(/fail +interfaces .*DNS server .* is down/);
      await lasting(5);
      expect(log(b).length).toBe(before);
      await harming.stop();
    },
  );

  test('is seen where /sys shows another network namespace, too', async () => {
    const { a, b, c1, c2 } = world();
    await a.weft('stop');
    await run(['nsenter', `--net=/run/netns/${a.namespace}`, ...weft('launch')], { env: a.environment });
    await a.isConnectedTo(b);
    await c1.reaches(c2.address);
    await throughHost(c1);
    for (const harm of ['link set weft down', 'link set weft-tap nomaster', 'address flush dev weft']) {
      await a.ip(harm);
      await allIsReached(world());
    }
  });
});

function weft(...args: string[]): string[] {
  return [new URL('../../../bin/weft', import.meta.url).pathname, ...args];
}
