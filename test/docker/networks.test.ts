import { describe, expect, test } from 'vitest';
import type { DockerEngine } from '../lab/index.js';
import { withoutEngine } from './suite.js';
import { addressOn, IMAGE, onTwoDockers, reaches } from './world.js';

const OURS = ['--driver', 'weft', '--ipam-driver', 'weft'];

const world = onTwoDockers();

/** Makes a network on both hosts. */
async function network(name: string, ...options: string[]): Promise<void> {
  for (const { engine } of world().both) await engine.network(name, ...options);
}

/** What Docker says when it must refuse. */
async function refusal(engine: DockerEngine, ...args: string[]): Promise<string> {
  const { code, stderr } = await engine.try(...args);
  expect(code, `docker ${args.join(' ')}`).not.toBe(0);
  return stderr;
}

describe.skipIf(withoutEngine)('docker run --network weft', () => {
  test('gives containers of two hosts addresses at which, and names by which, they reach each other within a second', async () => {
    const { a, b } = world();
    await a.engine.runOn('weft', 'web');
    await b.engine.runOn('weft', 'db');
    await reaches(b.engine, 'db', await addressOn(a.engine, 'web'), 1_000);
    await reaches(b.engine, 'db', 'web.weft.local', 1_000);
    await reaches(a.engine, 'web', 'db.weft.local', 1_000);
  });

  test('gives an interface that fits the network, a way for multicast, and a way out', async () => {
    const { a } = world();
    await a.engine.runOn('weft', 'web');
    const links = await a.engine.docker('exec', 'web', 'ip', 'link', 'show', 'ethweft0');
    expect(links).toContain(`mtu ${(await a.host.report()).status.mtu} `);
    const routes = await a.engine.docker('exec', 'web', 'ip', 'route');
    expect(routes).toMatch(/^224\.0\.0\.0\/4 dev ethweft0/m);
    expect(routes).toMatch(/^default via .* dev eth0/m);
  });

  test('lets containers out to where their host can go, and others in at published ports, as Docker’s bridge does', async () => {
    const { a, b } = world();
    expect(await a.host.run(['iptables', '-S', 'FORWARD'])).toContain('-P FORWARD DROP');
    await a.engine.runOn('weft', 'web', '--publish', '8080:80');
    await a.engine.exec('web', 'sh', '-c', 'echo welcome >/tmp/index.html; httpd -p 80 -h /tmp');
    await reaches(a.engine, 'web', b.host.address);
    const page = await b.host.run(['busybox', 'wget', '-qO-', `http://${a.host.address}:8080`]);
    expect(page).toBe('welcome\n');
  });
});

describe.skipIf(withoutEngine)('a network that is made by Docker', () => {
  test('is one segment on all hosts where it is made, apart from others with the same subnet', async () => {
    const { a, b } = world();
    await network('shop_front', '--subnet', '10.40.0.0/16');
    await network('back', '--subnet', '10.40.0.0/16');
    await a.engine.runOn('shop_front', 'a1');
    await b.engine.runOn('shop_front', 'b1');
    await b.engine.runOn('back', 'b2');
    const address = await addressOn(a.engine, 'a1', 'shop_front');
    expect(address).toMatch(/^10\.40\./);
    await reaches(b.engine, 'b1', address);
    expect((await b.engine.try('exec', 'b2', 'ping', '-c', '1', '-W', '1', address)).code).not.toBe(0);
  });

  test('gives fixed addresses and MACs, and refuses those that somebody on any host has', async () => {
    const { a, b } = world();
    await network(
      'fix',
      '--subnet',
      '10.41.0.0/16',
      '--gateway',
      '10.41.0.1',
      '--aux-address',
      'printer=10.41.0.9',
    );
    await a.engine.runOn('fix', 'a1', '--ip', '10.41.7.7', '--mac-address', '02:11:22:33:44:55');
    expect(await a.engine.docker('exec', 'a1', 'ip', 'address', 'show', 'ethweft0')).toMatch(
      /02:11:22:33:44:55[\s\S]*10\.41\.7\.7\/16/,
    );
    const run = ['run', '--detach', '--network', 'fix', '--ip', '10.41.7.7', IMAGE];
    expect(await refusal(b.engine, ...run)).toMatch(/10\.41\.7\.7.*(a1|node|host)/);
    expect(await refusal(a.engine, ...run)).toContain('10.41.7.7');
    await b.engine.runOn('fix', 'b1', '--ip', '10.41.7.8');
    await reaches(b.engine, 'b1', '10.41.7.7');
  });

  test('takes addresses of its range only', async () => {
    const { a } = world();
    await a.engine.network('range', '--subnet', '10.42.0.0/16', '--ip-range', '10.42.8.0/24');
    await a.engine.runOn('range', 'a1');
    expect(await addressOn(a.engine, 'a1', 'range')).toMatch(/^10\.42\.8\./);
  });

  test('has IPv6 where it is asked for', async () => {
    const { a, b } = world();
    const { range6 } = (await a.host.report()).ipam;
    expect(range6).not.toBeNull();
    await network('six', '--ipv6', '--subnet', '10.43.0.0/16');
    await a.engine.runOn('six', 'a1');
    await b.engine.runOn('six', 'b1');
    const format = '{{(index .NetworkSettings.Networks "six").GlobalIPv6Address}}';
    await reaches(b.engine, 'b1', await a.engine.docker('inspect', '--format', format, 'a1'));
  });

  test('is one of several of a container, which comes and goes while it runs', async () => {
    const { a, b } = world();
    await network('one', '--subnet', '10.44.0.0/16');
    await network('two', '--subnet', '10.45.0.0/16');
    await a.engine.runOn('one', 'a1');
    await b.engine.runOn('two', 'b1');
    await a.engine.docker('network', 'connect', 'two', 'a1');
    await reaches(b.engine, 'b1', await addressOn(a.engine, 'a1', 'two'));
    await reaches(b.engine, 'b1', 'a1.weft.local');
    await a.engine.docker('network', 'disconnect', 'one', 'a1');
    await reaches(a.engine, 'a1', 'b1.weft.local');
    expect(await a.engine.docker('exec', 'a1', 'ip', 'link')).not.toContain('ethweft0');
  });

  test('that is internal has no way out', async () => {
    const { a } = world();
    await a.engine.network('inner', '--internal', '--subnet', '10.46.0.0/16');
    await a.engine.runOn('inner', 'a1');
    expect(await a.engine.docker('exec', 'a1', 'ip', 'route')).not.toContain('default');
  });

  test('is refused in a sentence where an option cannot be honoured', async () => {
    const { a } = world();
    const create = (...options: string[]) =>
      refusal(a.engine, 'network', 'create', ...OURS, ...options, 'odd');
    expect(await create('--subnet', '192.168.7.0/24')).toContain('10.32.0.0/12');
    expect(await create('-o', 'colour=blue')).toContain('colour');
    expect(await create('--ipam-opt', 'colour=blue')).toContain('colour');
    expect(await create('-o', 'com.docker.network.driver.mtu=9000')).toContain('MTU of');
    const run = await refusal(
      a.engine,
      'run',
      '--rm',
      '--network',
      'name=weft,driver-opt=colour=blue',
      IMAGE,
      'true',
    );
    expect(run).toContain('colour');
  });

  test('with addresses of Docker’s own IPAM refuses those that another host gave out', async () => {
    const { a, b } = world();
    for (const { engine } of world().both) {
      await engine.docker('network', 'create', '--driver', 'weft', '--subnet', '172.30.0.0/16', 'plain');
    }
    await a.engine.runOn('plain', 'a1');
    expect(await refusal(b.engine, 'run', '--detach', '--network', 'plain', IMAGE)).toContain(
      '--ipam-driver weft',
    );
    await b.engine.runOn('plain', 'b1', '--ip', '172.30.7.7');
    await reaches(b.engine, 'b1', await addressOn(a.engine, 'a1', 'plain'));
  });
});
