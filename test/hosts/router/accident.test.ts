import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { attempt, type Finished, type Host, run, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { attach } from '../addresses/ipam.js';
import { traces } from '../pair.js';

/** Runs a command as in a container with a seccomp profile, or on a kernel without IPv6 (test/lab/native). */
const CONFINED = fileURLToPath(new URL('../../../build/lab/confined', import.meta.url));

const oneHost = () =>
  onLab(async (lab) => {
    const [a] = await lab.hosts(1);
    return { a };
  });

/** Runs `weft` on a host after a shell changed the world for it, in a mount namespace of its own. */
async function weftAfter(host: Host, preparation: string, ...args: string[]): Promise<Finished> {
  const command = [
    'unshare',
    '-m',
    'sh',
    '-c',
    `${preparation} && exec "$@"`,
    'sh',
    ...host.weftCommand(args),
  ];
  return await attempt(command, { env: host.environment });
}

/** Processes of a host's router that are in a namespace of their own, where the DNS server's sockets are bound. */
function binders({ runDirectory }: Host): number[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const isOurs = readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`WEFT_RUN_DIR=${runDirectory}\0`);
      return isOurs && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0--eval\0')
        ? [Number(pid)]
        : [];
    } catch {
      return []; // it has ended, or is the kernel's
    }
  });
}

function hasInterface(host: Host, name: string): boolean {
  return readFileSync(`/proc/${host.daemon}/net/dev`, 'utf8')
    .split(/[\s:]+/)
    .includes(name);
}

/** A failed command says why in one line, and leaves the host as it was. */
async function failsCleanly(host: Host, code: number, reason: RegExp, command: () => Promise<Finished>) {
  const before = await traces(host);
  const ended = await command();
  expect(ended).toMatchObject({ code, stderr: expect.stringMatching(reason) });
  expect(ended.stderr.trim().split('\n')).toHaveLength(1);
  await host.isQuiet();
  expect(await traces(host)).toEqual(before);
}

describe('a launch that cannot succeed says why, and leaves nothing', () => {
  const world = oneHost();

  test.each([
    ['TCP', 'TCP-LISTEN:6783,fork'],
    ['UDP', 'UDP-RECV:6783'],
  ])('where another program has the %s port', async (_, address) => {
    const { a } = world();
    const other = a.start(['socat', '-u', address, '/dev/null']);
    const listening = ['ss', '-Hlntu', 'sport = :6783'];
    await until('it has the port', async () => (await a.run(listening)) !== '');
    const { code, stderr } = await a.tryWeft('launch');
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(/6783.*ss -l.*--port/) });
    const { stdout } = await a.tryWeft('doctor');
    expect(stdout).toMatch(/fail +port +(TCP|UDP) 6783 is in use\n *→ .*ss -lnptu/);
    await other.stop('SIGTERM');
    await a.isQuiet();
    expect(a.files()).toEqual([]);
  });

  test('without /dev/net/tun', async () => {
    const { a } = world();
    await failsCleanly(a, 1, /\/dev\/net\/tun.*modprobe tun/, () =>
      weftAfter(a, 'mount -t tmpfs none /dev/net', 'launch'),
    );
  });

  test('on a kernel that is too old', async () => {
    const { a } = world();
    const old = ['setarch', '--uname-2.6', ...a.weftCommand(['launch'])];
    await failsCleanly(a, 1, /^weft: this is Linux 2\.6, and weft needs Linux 5\.12 or later: upgrade/, () =>
      attempt(old, { env: a.environment }),
    );
  });

  test('as a user who may not', async () => {
    const { a } = world();
    const other = a.own(['setpriv', '--reuid=65534', '--clear-groups', a.program, 'launch']);
    await failsCleanly(a, 1, /run weft as root/, () => attempt(other, { env: a.environment }));
  });

  test('where the state directory is read-only, or a file', async () => {
    const { a } = world();
    const readOnly = `mkdir -p ${a.directory}/ro && mount -t tmpfs -o ro none ${a.directory}/ro`;
    await failsCleanly(a, 1, /read-only.*--state-dir/, () =>
      weftAfter(a, readOnly, 'launch', '--state-dir', `${a.directory}/ro`),
    );
    const file = join(a.directory, 'file');
    writeFileSync(file, '');
    await failsCleanly(a, 1, /a file stands where.*--state-dir/, () =>
      a.tryWeft('launch', '--state-dir', file),
    );
    await failsCleanly(a, 1, /a file stands where.*--run-dir/, () => a.tryWeft('launch', '--run-dir', file));
  });

  test('in a run directory whose path is too long', async () => {
    const { a } = world();
    const long = join(a.directory, 'x'.repeat(100));
    await failsCleanly(a, 1, /too long.*--run-dir/, () => a.tryWeft('launch', '--run-dir', long));
    expect(existsSync(long)).toBe(false);
  });

  test('with a token that is none, or an empty password', async () => {
    const { a } = world();
    await failsCleanly(a, 2, /no join token/, () => a.tryWeft('launch', '--token', 'nonsense'));
    await failsCleanly(a, 1, /password is empty/, () => a.tryWeft('launch', '--password', ''));
  });

  test('when it is interrupted, at any moment', async () => {
    const { a } = world();
    const before = await traces(a);
    for (const moment of [0, 100, 200, 300, 400, 500, 800]) {
      const launching = a.startWeft('launch');
      const ended = await Promise.race([launching.finished, new Promise((end) => setTimeout(end, moment))]);
      if (ended === undefined) await launching.stop('SIGINT');
      // One that was ready before is no accident.
      if (launching.stdout.includes('is ready')) await a.weft('reset');
      await a.isQuiet();
      expect({ moment, left: await traces(a) }).toEqual({ moment, left: before });
    }
  });

  test('when the router is killed while the DNS server gets its namespace', async () => {
    const { a } = world();
    const launching = a.startWeft('launch', '--foreground');
    await until('the namespace is there', () => binders(a).length > 0, { every: 1 });
    process.kill(a.daemon, 'SIGKILL');
    await launching.finished;
    await until('nobody is left in it', () => binders(a).length === 0);
    await a.weft('reset');
  });

  test.each([
    ['gives others an address that none of them can use', ['--advertise', 'fe80::1%eth1'], 2, /fe80::1/],
    ['wants for its bridge what is not weft’s', ['--bridge', 'eth1'], 1, /eth1 .*choose another name/],
    ['asks for what the forwarder does not know', ['--no-offload', 'nonsense'], 2, /nonsense/],
    ['serves names where no host is', ['--dns-listen-address', '224.0.0.1'], 2, /224.0.0.1/],
  ])('when it %s; the right one works next', async (_, options, code, reason) => {
    const { a } = world();
    await failsCleanly(a, code, reason, () => a.tryWeft('launch', ...options));
    await a.launch();
    await a.weft('reset');
    await a.isQuiet();
  });

  test('where something else stands in place of its socket', async () => {
    const { a } = world();
    mkdirSync(join(a.runDirectory, 'weft.sock'), { recursive: true });
    await failsCleanly(a, 1, /weft\.sock/, () => a.tryWeft('launch'));
    rmSync(a.runDirectory, { recursive: true });
  });

  test.each([
    ['has locked its directories', (host: Host) => host.daemon > 0],
    ['has made its bridge', (host: Host) => hasInterface(host, 'weft')],
    ['has started the forwarder', (host: Host) => host.forwarder > 0],
    ['has made its TAP', (host: Host) => hasInterface(host, 'weft-tap')],
  ])('when its router is killed that %s', async (_, moment) => {
    const { a } = world();
    const before = await traces(a);
    const launching = a.startWeft('launch');
    await until('it is that far', () => moment(a), { within: 30_000, every: 1 });
    process.kill(a.daemon, 'SIGKILL');
    const { code, stderr } = await launching.ends();
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/ended before it was ready/),
    });
    await a.isQuiet();
    expect(await traces(a)).toEqual(before);
  });

  test('when both of its processes are killed, the next one takes over', async () => {
    const { a } = world();
    const launching = a.startWeft('launch');
    await until('the bridge is there', () => hasInterface(a, 'weft'), { within: 30_000, every: 1 });
    launching.signal('SIGKILL');
    process.kill(a.daemon, 'SIGKILL');
    await launching.ends();
    await a.launch({ bridge: 'other' });
    expect(hasInterface(a, 'weft')).toBe(false);
    await a.weft('reset');
    await a.isQuiet();
    expect(a.files()).toEqual([]);
  });

  test('when it fails, what an earlier launch chose still holds', async () => {
    const { a } = world();
    await a.launch({ peers: ['192.168.1.99'] });
    await a.weft('stop');
    const files = ['launch.json', 'targets.json'].map((name) => join(a.stateDirectory, name));
    const before = files.map((path) => readFileSync(path, 'utf8'));
    const chosen = ['--bridge', 'other', '--mtu', '1300', '192.168.1.98'];
    expect((await weftAfter(a, 'mount -t tmpfs none /dev/net', 'launch', ...chosen)).code).toBe(1);
    expect(files.map((path) => readFileSync(path, 'utf8'))).toEqual(before);
    await a.weft('reset');
  });
});

describe('a router that runs', () => {
  const world = oneHost();

  test('keeps its state directory to itself', async () => {
    const { a } = world();
    await a.launch();
    const second = ['--run-dir', join(a.directory, 'run2'), '--port', '7000', '--bridge', 'other'];
    expect(await a.tryWeft('launch', ...second)).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/already, with another run directory.*--state-dir/),
    });
    expect(await a.weft('status')).toMatch(/bridge +weft,/);
    await a.weft('reset');
  });

  test('goes on whatever is said on its sockets', async () => {
    const { a } = world();
    await a.launch();
    const { daemon, forwarder } = a;
    for (const socket of ['weft.sock', 'forwarder.sock']) {
      const path = `UNIX-CONNECT:${join(a.runDirectory, socket)}`;
      for (const source of ['head -c 3000000 /dev/urandom', "head -c 3000000 /dev/zero | tr '\\0' '{'"]) {
        await attempt(['sh', '-c', `${source} | timeout 3 socat -u - ${path}`]);
      }
    }
    expect((await a.report()).status.forwarder).toMatchObject({ pid: forwarder, restarts: 0 });
    expect(a.daemon).toBe(daemon);
    await a.weft('reset');
  });

  test('changes nothing that a full disk cannot keep, and goes on', async () => {
    const { a } = world();
    mkdirSync(a.stateDirectory);
    await run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', a.stateDirectory]);
    try {
      await a.launch();
      const token = await a.token();
      const filler = join(a.stateDirectory, 'filler');
      expect(() => writeFileSync(filler, Buffer.alloc(100_000))).toThrow(/ENOSPC/);
      for (const change of [
        ['connect', '192.168.1.99'],
        ['token', 'rotate'],
      ]) {
        const { code, stderr } = await a.tryWeft(...change);
        expect({ change, code, stderr }).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/disk is full/),
        });
      }
      expect((await a.report()).targets).toEqual([]);
      expect(await a.token()).toBe(token);
      rmSync(filler);
      await a.weft('connect', '192.168.1.99');
      expect(await a.weft('token', 'rotate')).toContain('weft launch --token weft2');
      await a.weft('reset');
      await a.isQuiet();
    } finally {
      await run(['umount', a.stateDirectory]);
    }
  });

  test('stops, and says why, when its run directory is removed; the next launch resumes', async () => {
    const { a } = world();
    const c1 = await a.container('c1');
    const router = a.startWeft('launch', '--foreground');
    await router.says(/"message":"ready"/, 30_000);
    await c1.attach('10.32.0.1/24');
    rmSync(a.runDirectory, { recursive: true });
    const { code, stderr } = await router.ends();
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/removed.*weft launch/),
    });
    await a.isQuiet();
    expect((await a.ipJson<{ ifname: string }[]>('link')).map(({ ifname }) => ifname)).toEqual([
      'lo',
      expect.stringMatching(/^eth1/),
    ]);
    await a.launch();
    expect(await a.weft('ps')).toContain('10.32.0.1/24');
    await a.weft('reset');
  });
});

describe('a router that may not enter namespaces', () => {
  const world = oneHost();

  test('says so when it is to attach a container, and doctor says what forbids it', async () => {
    const { a } = world();
    const confined = (...args: string[]) =>
      attempt(a.own([CONFINED, 'namespaces', a.program, ...args]), { env: a.environment });
    const { stdout } = await confined('doctor');
    expect(stdout).toMatch(/fail +privileges +may not enter namespaces.*not permitted.*\n *→ .*seccomp/i);
    expect(await confined('launch')).toMatchObject({ code: 0 });
    const { namespace } = await a.container('c');
    expect(await a.tryWeft('attach', namespace)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^weft: .* is not permitted .* seccomp profile forbids it\n$/),
    });
    await a.weft('reset');
  });
});

describe('a router whose kernel has no IPv6', () => {
  const world = onLab(async (lab) => ({ hosts: await lab.hosts(2) }));
  /** Neither its sockets nor what the kernel tells of it. */
  const WITHOUT_IPV6 =
    'mount -t tmpfs none /proc/sys/net/ipv6 && mount --bind /dev/null /proc/net/if_inet6 && exec "$@"';

  test('gives addresses of IPv4, and reaches those that have both', async () => {
    const [a, b] = world().hosts;
    const hidden = ['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', WITHOUT_IPV6, 'sh'];
    const without = (...args: string[]) =>
      attempt(a.own([...hidden, CONFINED, 'ipv6', a.program, ...args]), { env: a.environment });
    expect((await without('doctor')).stdout).not.toMatch(/^(fail|warn)/m);
    expect(await without('launch', '--nickname', a.name)).toMatchObject({ code: 0, stderr: '' });
    await b.launch({ token: await a.token() });
    await a.isConnectedTo(b);
    const [here, there] = [await a.container('here'), await b.container('there')];
    await attach(here);
    const address = await attach(there);
    expect(here.addresses.filter((text) => text.includes(':'))).toEqual([]);
    await here.run(['ping', '-c', '1', '-w', '5', address.replace(/\/.*/, '')]);
    expect(a.logs()).not.toMatch(/"level":"(warn|error)"/);
  });
});
