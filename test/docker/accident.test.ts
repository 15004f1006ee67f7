import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { reboot, until } from '../lab/index.js';
import { withoutEngine } from './suite.js';
import { addressOn, IMAGE, onTwoDockers, reaches } from './world.js';

const world = onTwoDockers({ within: 40_000 });

describe.skipIf(withoutEngine)('containers of Docker', () => {
  test('keep addresses, names and traffic when the daemon is killed, and when the router is stopped and started', async () => {
    const { a, b } = world();
    await a.engine.runOn('weft', 'web');
    await b.engine.runOn('weft', 'far');
    const address = await addressOn(a.engine, 'web');
    process.kill(a.host.daemon, 'SIGKILL');
    await reaches(b.engine, 'far', address);
    await a.host.launch();
    await reaches(b.engine, 'far', 'web.weft.local');
    await a.host.weft('stop');
    await a.host.launch();
    await reaches(b.engine, 'far', address, 10_000);
    await reaches(b.engine, 'far', 'web.weft.local');
    process.kill(a.host.forwarder, 'SIGKILL');
    await reaches(b.engine, 'far', address, 10_000);
  });

  test('come back when Docker is killed, each with an address of its own', async () => {
    const { a, b } = world();
    await b.engine.runOn('weft', 'far');
    const count = process.env.WEFT_LONG === '1' ? 10 : 4;
    const names = Array.from({ length: count }, (_, index) => `r${index}`);
    for (const name of names)
      await a.engine.runOn('weft', name, '--restart', 'always', '--stop-signal', 'KILL');
    await a.engine.stop('SIGKILL');
    await a.engine.start();
    for (const name of names) await reaches(b.engine, 'far', `${name}.weft.local`, 20_000);
    const addresses = await Promise.all(names.map((name) => addressOn(a.engine, name)));
    expect(new Set(addresses).size).toBe(names.length);
    const inUse = async () => (await a.host.report()).ipam.allocated;
    const isTidy = async () => (await inUse()) === names.length;
    await until('the ring knows of these only', isTidy, { within: 40_000 });
  });

  test.runIf(process.env.WEFT_LONG === '1')('start when Docker came before the router', async () => {
    const { a, b } = world();
    await b.engine.runOn('weft', 'far');
    await a.engine.runOn('weft', 'web', '--restart', 'always');
    await a.engine.stop();
    await a.host.weft('stop');
    const started = a.engine.start();
    await Promise.all([started, a.host.launch()]);
    await reaches(b.engine, 'far', 'web.weft.local', 40_000);
  });

  test.runIf(process.env.WEFT_LONG === '1')(
    'come back with an address and their names when the host is booted again',
    async () => {
      const { a, b } = world();
      await b.engine.runOn('weft', 'far');
      await a.engine.runOn('weft', 'web', '--restart', 'always');
      await reboot(a.host);
      await a.host.launch();
      await a.engine.start();
      await reaches(b.engine, 'far', 'web.weft.local', 20_000);
      await reaches(b.engine, 'far', await addressOn(a.engine, 'web'));
    },
  );

  test('start as before when the plugin’s directory was removed', async () => {
    const { a } = world();
    rmSync(join(a.host.runDocker, 'plugins'), { recursive: true });
    await until(
      'a container starts',
      async () => (await a.engine.try('run', '--rm', '--network', 'weft', IMAGE, 'true')).code === 0,
    );
  });

  test('are given addresses of the host’s own part of the ring while no other host is reached, and refused others at once', async () => {
    const { a, b } = world();
    await b.engine.runOn('weft', 'before');
    await b.engine.network('fix', '--subnet', '10.45.0.0/16');
    await b.host.ip(`link set dev ${b.host.port.device} down`);
    await b.engine.runOn('weft', 'after');
    await reaches(b.engine, 'before', await addressOn(b.engine, 'after'));
    const started = performance.now();
    const { code, stderr } = await b.engine.try(
      'run',
      '--rm',
      '--network',
      'fix',
      '--ip',
      '10.45.7.7',
      IMAGE,
      'true',
    );
    await b.host.ip(`link set dev ${b.host.port.device} up`);
    expect(code).not.toBe(0);
    expect(stderr).toContain(a.host.name);
    expect(performance.now() - started).toBeLessThan(11_000);
  });

  test.runIf(process.env.WEFT_LONG === '1')(
    'of a network that was removed while the router was away leave nothing',
    async () => {
      const { a } = world();
      await a.engine.network('brief', '--subnet', '10.47.0.0/16', '--gateway', '10.47.0.1');
      await a.engine.runOn('brief', 'gone');
      process.kill(a.host.daemon, 'SIGKILL');
      await a.engine.docker('rm', '--force', 'gone'); // which takes as long as Docker asks for the driver
      await a.engine.docker('network', 'rm', 'brief');
      await a.host.launch();
      await until('the network is forgotten', async () => (await a.host.report()).networks.length === 1, {
        within: 40_000,
      });
      await a.engine.hasNetwork('weft');
    },
  );

  test('find no network weft any more once the router is reset', async () => {
    const { a } = world();
    await a.host.weft('reset', '--force');
    expect((await a.engine.try('network', 'inspect', 'weft')).stderr).toContain('No such network');
    await a.host.launch({ args: ['--docker'] });
    await a.engine.hasNetwork('weft');
  });
});
