import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nativeProgram } from '../../../src/native-program.js';
import { FakeEngine } from '../../lab/engine.js';
import { run, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { DOMAIN, dig, digs, nameserver, resolvConf, told } from './dig.js';

describe('the names of a container', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    await a.launch();
    await b.launch({ token: await a.token() });
    const c1 = await a.container('c1', '10.32.0.1/24');
    const c2 = await b.container('c2', '10.32.0.2/24');
    await c1.reaches(c2.address);
    return { a, b, c1, c2, all: [c1, c2] };
  });

  test('are what a TAB completes, as is whatever else the router knows', async () => {
    const { a, b, c2 } = world();
    const words = async (...args: string[]) => {
      const output = await b.run([nativeProgram('weft-words'), ...args], {
        env: { WEFT_RUN_DIR: b.runDirectory },
      });
      return output.split('\n').filter((line) => line !== '');
    };
    // It waits for 150 ms only, which a busy machine may need for more.
    const completes = (kind: string, expected: readonly string[]) =>
      until(`${kind} are ${expected}`, async () => expect(await words(kind, '')).toEqual(expected));
    await completes('names', (await b.weft('status', 'dns', '-q')).trim().split('\n').sort());
    await completes('peers', [a.name]);
    await completes('containers', [c2.namespace]);
    await completes('networks', ['default']);
    await completes('targets', [`${a.address}:6783`]); // brackets, as of IPv6, are patterns for shells
    await completes('policies', []);
  });

  test('go when it ends, and there is one of each when it was restarted, however often', async () => {
    const { b, all } = world();
    const churned = await b.container('churned');
    await b.weft(
      'attach',
      churned.namespace,
      '10.32.0.9/24',
      '--name',
      'churned',
      '--hostname',
      'churn.host',
    );
    await b.weft('dns-add', churned.namespace, '-h', 'more');
    const names = ['churned', 'churn.host', 'more'];
    for (const name of names) await told(all, name, '10.32.0.9');
    for (let restart = 0; restart < 2; restart += 1) {
      await churned.end();
      for (const name of names) await told(all, name);
      await churned.begin();
      await told(all, 'churned', '10.32.0.9');
      await told(all, 'churn.host', '10.32.0.9');
      await b.weft('dns-add', churned.namespace, '-h', 'more');
      await told(all, 'more', '10.32.0.9');
    }
    await churned.detach();
    for (const name of names) await told(all, name);
  });

  test('are exactly those of what is attached and exposed, in whichever order that comes and goes', async () => {
    const { a, all } = world();
    const many = await a.container('many');
    const attach = (...args: string[]) => a.weft('attach', many.namespace, '--name', 'many', ...args);
    const detach = (...args: string[]) => a.weft('detach', many.namespace, ...args);
    await attach('10.32.0.21/24', '10.33.0.1/16');
    await told(all, 'many', '10.32.0.21', '10.33.0.1');
    await attach('10.34.0.1/16');
    await detach('10.33.0.1/16');
    await told(all, 'many', '10.32.0.21', '10.34.0.1');
    await a.weft('expose', '10.32.0.254/24', '-h', 'many');
    await a.weft('expose', '10.34.0.254/16', '-h', 'gate');
    await told(all, 'many', '10.32.0.21', '10.34.0.1', '10.32.0.254');
    await told(all, 'gate', '10.34.0.254');
    await detach();
    await told(all, 'many', '10.32.0.254');
    await attach('10.32.0.21/24');
    await a.weft('hide', '10.32.0.254/24');
    await told(all, 'many', '10.32.0.21');
    await a.weft('hide');
    await told(all, 'gate');
    await detach();
    await told(all, 'many');
  });

  test('are not given where nobody wants them', async () => {
    const { b, c1, all } = world();
    const quiet = await b.container('quiet');
    await b.weft('attach', quiet.namespace, '10.32.0.31/24', '--name', 'quiet', '--without-dns');
    await quiet.reaches(c1.address);
    await b.weft('attach', quiet.namespace, '10.32.0.32/24');
    const loud = await b.container('loud');
    await b.weft('attach', loud.namespace, '10.32.0.33/24', '--name', 'loud');
    await told(all, 'loud', '10.32.0.33');
    await told(all, 'quiet');
    expect((await dig(c1, '-x', '10.32.0.31')).answers).toEqual([]);
  });

  test('are none where its own cannot be one, which is logged once, and it is reached all the same', async () => {
    const { b, c1 } = world();
    const long = await b.container('x'.repeat(65), '10.32.0.36/24');
    await long.reaches(c1.address);
    expect((await dig(c1, '-x', '10.32.0.36')).answers).toEqual([]);
    expect(b.logs().match(/x{65}\\" cannot name a container/g)).toHaveLength(1);
  });

  test('that went while hosts were apart are gone once they meet again', async () => {
    const { b, c1, c2 } = world();
    const stale = await b.container('stale', '10.32.0.41/24');
    await b.weft('dns-add', stale.namespace, '-h', 'stale');
    await told([c1, c2], 'stale', '10.32.0.41');
    await b.port.unplug();
    await b.weft('stop');
    await stale.end();
    await b.launch();
    await told([c1], 'stale', '10.32.0.41');
    await b.port.plug();
    await told([c1, c2], 'stale');
    await stale.begin();
  });
});

describe('a container of an engine', () => {
  const world = onLab(async (lab) => {
    const [a] = await lab.hosts(1);
    const socket = join(lab.directory, 'engine.sock');
    const launch = () =>
      run(['env', `DOCKER_HOST=unix://${socket}`, ...a.weftCommand(['launch'])], { env: a.environment });
    await launch();
    return { a, socket, launch };
  });

  test('has its name and its host name, also when its engine comes up after the router', async () => {
    const { a, socket, launch } = world();
    const first = await FakeEngine.start(socket);
    const container = await a.container('run');
    const process = container.start(['sh', '-c', 'echo up; exec sleep 1000']);
    await process.says(/up/);
    const id = first.run('weft-test-web', process.pid);
    await a.weft('attach', 'weft-test-web', '10.32.0.61/24');
    for (const name of ['weft-test-web', id.slice(0, 12)]) await told([container], name, '10.32.0.61');

    await a.weft('stop');
    await first.end();
    await launch();
    expect(await a.weft('ps')).toContain('10.32.0.61/24');
    const second = await FakeEngine.start(socket);
    second.run('weft-test-web', process.pid);
    await told([container], 'weft-test-web', '10.32.0.61');
    await second.end();
    await process.stop('SIGKILL');
  });

  test('has its name while it runs', async () => {
    const { a, socket } = world();
    const engine = await FakeEngine.start(socket);
    await until('the router listens to it', () => engine.listeners > 0);
    const asking = await a.container('asking', '10.32.0.62/24');
    const container = await a.container('weft-test-job');
    const run = async () => {
      const process = container.start(['sh', '-c', 'echo up; exec sleep 1000']);
      await process.says(/up/);
      return process;
    };
    const first = await run();
    engine.run('weft-test-job', first.pid);
    await a.weft('attach', 'weft-test-job', '10.32.0.63/24');
    await told([asking], 'weft-test-job', '10.32.0.63');
    await first.stop('SIGKILL');
    engine.stop('weft-test-job');
    await told([asking], 'weft-test-job');
    const second = await run();
    engine.run('weft-test-job', second.pid);
    await told([asking], 'weft-test-job', '10.32.0.63');
    engine.remove('weft-test-job');
    await told([asking], 'weft-test-job');
    await second.stop('SIGKILL');
    await engine.end();
  });
});

describe('a host whose server asks the router back', () => {
  const world = onLab(async (lab) => {
    const [a] = await lab.hosts(1);
    const file = resolvConf(a, '127.0.0.1', '127.0.0.2');
    await a.launch({ args: ['--resolv-conf', file, '--dns-listen-address', `${a.address}:5353`] });
    const c1 = await a.container('c1');
    await a.weft('attach', c1.namespace, '10.32.0.1/24', '--name', 'c1');
    const common = ['--bind-interfaces', '--cache-size=0'];
    const asking = await nameserver(
      a,
      ...common,
      '--listen-address=127.0.0.1',
      '--log-queries',
      '--log-facility=-',
      `--server=${a.address}#5353`,
    );
    await nameserver(a, ...common, '--listen-address=127.0.0.2', '--address=/example.test/192.0.2.2');
    return { a, c1, asking };
  });

  test('is answered at its own address, too', async () => {
    const { a } = world();
    const asked = await dig(a, `c1.${DOMAIN}`, '-p', '5353', { server: a.address });
    expect(asked.answers).toEqual(['10.32.0.1']);
  });

  test('is in no loop: the next server answers, and that one was asked once', async () => {
    const { c1, asking } = world();
    await digs(c1, ['once.example.test'], ['192.0.2.2'], 20_000);
    const asked = (asking.stdout + asking.stderr).match(/query\[A\] once\.example\.test/g) ?? [];
    expect(asked.length).toBeLessThanOrEqual(3);
  });
});
