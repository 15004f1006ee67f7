import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Container, type Host, Listener, run, Sender } from '../../lab/index.js';
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
  beforeAll(async () => {
    const made = await run(['make', '--no-print-directory', 'deb'], { within: MAKING });
    const file = /^made (\S+\.deb) /m.exec(made)?.[1] ?? '';
    for (const [index, suite] of ['bookworm', 'trixie'].entries()) {
      const machine = await Machine.install(world().hosts[index] as Host, suite);
      machines.push(machine);
      packages.push(machine.give(file, 'weft.deb'));
      const container = await machine.host.container(`c${index}`);
      const process = container.start(['sh', '-c', 'echo runs && exec sleep infinity']);
      await process.says(/runs/);
      containers.push(container);
      pids.push(process.pid);
    }
  }, MAKING);

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

  test('removed takes the router with it, and purged all that it knew', async () => {
    const [twelve] = machines as [Machine];
    await twelve.run('apt-get', 'remove', '--yes', 'weft');
    expect(await twelve.host.run(['ip', '-brief', 'link'])).not.toMatch(/weft|^w[vl][0-9a-f]{12}/m);
    expect(await twelve.host.run(['nft', 'list', 'ruleset'])).toBe('');
    const state = join(twelve.root, 'var/lib/weft');
    expect(existsSync(join(state, 'identity.json'))).toBe(true);
    await twelve.run('apt-get', 'purge', '--yes', 'weft');
    const left = [
      'var/lib/weft',
      'run/weft',
      'usr/lib/weft',
      'usr/bin/weft',
      'usr/lib/systemd/system/weft.service',
    ];
    expect(left.filter((path) => existsSync(join(twelve.root, path)))).toEqual([]);
  });
});
