import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Container, type Host, Listener, run, Sender, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { Machine } from './machine.js';

/** It makes two Debians and a package, which takes some minutes, and needs their mirror. */
const LONG = process.env.WEFT_LONG === '1';
const MAKING = 900_000;
/** From the package to two containers that talk, seconds. */
const MOST = 60;

describe.skipIf(!LONG)('the Debian package', { timeout: MAKING }, () => {
  const world = onLab(async (lab) => ({ hosts: await lab.hosts(2) }));
  const machines: Machine[] = [];
  const packages: string[] = [];
  const containers: Container[] = [];
  const pids: number[] = [];
  let made = '';
  beforeAll(async () => {
    const output = await run(['make', '--no-print-directory', 'deb'], { within: MAKING });
    made = /^made (\S+\.deb) /m.exec(output)?.[1] ?? '';
    for (const [index, suite] of ['bookworm', 'trixie'].entries()) {
      const machine = await Machine.install(world().hosts[index] as Host, suite);
      machines.push(machine);
      packages.push(machine.give(made, 'weft.deb'));
      const container = await machine.host.container(`c${index}`);
      const process = container.start(['sh', '-c', 'echo runs && exec sleep infinity']);
      await process.says(/runs/);
      containers.push(container);
      pids.push(process.pid);
    }
  }, MAKING);
  afterAll(async () => {
    for (const machine of machines) await machine.halt();
  });

  test('has nothing that lintian finds fault with', async () => {
    expect(
      await run(['lintian', '--allow-root', '--fail-on', 'error,warning', made], { within: MAKING }),
    ).toBe('');
  });

  test('takes bare machines of Debian 12 and 13 to two containers that talk within a minute', async () => {
    const [twelve, thirteen] = machines as [Machine, Machine];
    const started = performance.now();
    for (const [index, machine] of machines.entries()) {
      await machine.online('apt-get', 'install', '--yes', '--no-install-recommends', packages[index] ?? '');
    }
    expect(await twelve.run('weft', 'doctor')).not.toMatch(/^(failed|missing)/m);
    await twelve.run('weft', 'launch');
    const token = JSON.parse(await twelve.run('weft', 'token', '--output', 'json')).token;
    await thirteen.run('weft', 'launch', '--token', token);
    for (const [index, machine] of machines.entries()) {
      await machine.run('weft', 'attach', `${pids[index]}`, `10.32.0.${index + 1}/24`);
    }
    await containers[0]?.reaches('10.32.0.2');
    const seconds = (performance.now() - started) / 1000;
    console.log(`from the package to two containers that talk: ${seconds.toFixed(1)} s`);
    expect(seconds).toBeLessThan(MOST);
  });

  test('is exchanged for another one while packets flow, and none is lost', async () => {
    const [twelve] = machines as [Machine];
    const [c1, c2] = containers as [Container, Container];
    const listener = await Listener.start(c2, 7000);
    const sender = await Sender.start(c1, '10.32.0.2', 7000, { rate: 1000, size: 1000 });
    expect(await twelve.run('dpkg', '--install', packages[0] ?? '')).toMatch(/^upgraded from /m);
    const { sent } = await sender.stop();
    expect(await listener.stop()).toMatchObject({ distinct: sent, duplicates: 0 });
  });

  describe.skipIf(!Machine.canBoot)('as a service of systemd', { timeout: MAKING }, () => {
    const twelve = () => machines[0] as Machine;
    const property = async (name: string) =>
      (await twelve().run('systemctl', 'show', '--property', name, '--value', 'weft')).trim();
    const forwarder = () => twelve().run('pidof', 'weft-forwarder');

    // What a test starts ends with it.
    beforeAll(async () => {
      await twelve().run('weft', 'stop');
      await twelve().online('apt-get', 'install', '--yes', '--no-install-recommends', 'systemd-sysv', 'dbus');
      await twelve().boot([(containers as [Container])[0].namespace]);
    }, MAKING);

    test('comes back at a boot, and tells how many peers it has', async () => {
      const [c1, c2] = containers as [Container, Container];
      expect(await property('ActiveState')).toBe('active');
      await twelve().run('weft', 'attach', `/srv/${c1.namespace}`, '10.32.0.1/24');
      await c1.reaches('10.32.0.2');
      await c2.reaches('10.32.0.1');
      const linked = async () => (await property('StatusText')) === '1 of 1 peers linked';
      await until('systemd knows of the peer', linked, { within: 30_000 });
    });

    test('is started again when it hangs, while packets flow and none is lost', async () => {
      const [c1, c2] = containers as [Container, Container];
      const [hung, before] = [await property('MainPID'), await forwarder()];
      const listener = await Listener.start(c2, 7001);
      const sender = await Sender.start(c1, '10.32.0.2', 7001, { rate: 1000, size: 1000 });
      await twelve().run('sh', '-c', `kill -STOP ${hung}`);
      const isNew = async () => ![hung, '0'].includes(await property('MainPID'));
      await until('there is another daemon', isNew, { within: 60_000, every: 500 });
      await until('it is ready', async () => (await property('ActiveState')) === 'active', {
        within: 60_000,
      });
      const { sent } = await sender.stop();
      expect(await listener.stop()).toMatchObject({ distinct: sent, duplicates: 0 });
      expect(await forwarder()).toBe(before);
    });

    test.each(['0.1.1', 'as it was'])('exchanged for %s loses no ping and no flow', async (version) => {
      const [c1, c2] = containers as [Container, Container];
      const file = version === 'as it was' ? (packages[0] ?? '') : await twelve().giveAnother(made, version);
      const server = c2.start(['iperf3', '--server', '--one-off', '--forceflush']);
      await server.says(/listening/);
      const flow = c1.start([
        'iperf3',
        '--client',
        '10.32.0.2',
        '--time',
        '40',
        '--bitrate',
        '20M',
        '--json',
      ]);
      const pings = c1.start(['ping', '-n', '-i', '0.01', '-w', '40', '10.32.0.2']);
      expect(await twelve().run('dpkg', '--install', file)).toMatch(/^upgraded from /m);
      const [seen, streamed] = [await pings.finished, await flow.finished];
      const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(seen.stdout) ?? [];
      const { bytes } = JSON.parse(streamed.stdout).end.sum_received;
      console.log(`to ${version}: ${received} of ${sent} pings answered, ${bytes} bytes in one flow of 40 s`);
      expect(Number(sent) - Number(received)).toBeLessThanOrEqual(1);
      expect(bytes).toBeGreaterThan((0.95 * 40 * 20_000_000) / 8);
      expect(await property('ActiveState')).toBe('active');
    });
  });

  test('removed takes the router with it, and purged all that it knew', async () => {
    const [twelve] = machines as [Machine];
    await twelve.run('weft', 'cni', 'install');
    await twelve.run('apt-get', 'remove', '--yes', 'weft');
    expect(await twelve.host.run(['ip', '-brief', 'link'])).not.toMatch(/weft|^w[vl][0-9a-f]{12}/m);
    expect(await twelve.host.run(['nft', 'list', 'ruleset'])).toBe('');
    const state = join(twelve.root, 'var/lib/weft');
    expect(existsSync(join(state, 'identity.json'))).toBe(true);
    expect(existsSync(join(twelve.root, 'opt/cni/bin/weft-cni'))).toBe(false);
    expect(existsSync(join(twelve.root, 'etc/cni/net.d/10-weft.conflist'))).toBe(false);
    await twelve.run('apt-get', 'purge', '--yes', 'weft');
    const left = [
      'var/lib/weft',
      'run/weft',
      'usr/lib/weft',
      'usr/bin/weft',
      'usr/lib/systemd/system/weft.service',
      'etc/default/weft',
      'etc/systemd/system/multi-user.target.wants/weft.service',
    ];
    expect(left.filter((path) => existsSync(join(twelve.root, path)))).toEqual([]);
  });
});
