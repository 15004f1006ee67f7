import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../../src/api/index.js';
import { attempt, type Host, Lab, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { newToken } from '../members/members.js';
import { pair, pairOn, traces } from '../pair.js';

describe('launching', () => {
  const lab = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    return { a, b };
  });

  test('prints the peer id and the line that joins', async () => {
    const { a, b } = lab();
    const said = await a.weft('launch');
    const join = /weft launch --token (weft1\S+)/.exec(said)?.[1];
    expect(said).toMatch(/\b[0-9a-f]{16}\b/);
    expect(join).toBe(await a.token());
    await b.weft('launch', '--token', join ?? '');
    await until('they are connected', async () =>
      (await b.weftJson<Report>('report')).connections.some(({ udp }) => udp === 'up'),
    );
    for (const host of [a, b]) await host.weft('reset');
  });

  test('a second copy is refused with a reason, and the first goes on', async () => {
    const { a } = lab();
    await a.launch();
    const daemon = a.daemon;
    const again = await a.tryWeft('launch', '--foreground');
    expect(again.code).toBe(4);
    expect(again.stderr).toMatch(/already|running|in use/);
    const elsewhere = await attempt([
      'ip',
      'netns',
      'exec',
      a.namespace,
      ...weftOf(a.directory, 'other'),
      'launch',
      '--bridge',
      'other',
    ]);
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.stderr).toMatch(/6783/);
    expect(a.daemon).toBe(daemon);
    await a.weft('reset');
  });

  test('interrupted half-way leaves nothing', async () => {
    const { a } = lab();
    const before = await traces(a);
    for (const moment of [/./, /launching|starting|ready/i]) {
      const foreground = a.startWeft('launch', '--foreground');
      await until(
        'it has begun',
        () => a.files().length > 0 || moment.test(foreground.stdout + foreground.stderr),
      );
      await foreground.stop('SIGINT');
      await a.isQuiet();
      expect((await traces(a)) as object).toMatchObject({ ...(before as object), files: expect.anything() });
    }
    await a.weft('reset');
    expect(await traces(a)).toEqual(before);
  });

  test.runIf(process.env.WEFT_LONG === '1')(
    'that takes too long is given up, and says by whom, after how long, and where to look',
    async () => {
      const { a } = lab();
      const launching = a.startWeft('launch');
      const daemon = await until('its daemon runs', () =>
        a.processes().find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('daemon/main.js')),
      );
      process.kill(daemon, 'SIGSTOP');
      const { code, stderr } = await launching.ends(60_000);
      expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, lines: 1 });
      expect(stderr).toMatch(/not ready within 30 s, so this command ended it.*daemon\.log/);
      await a.weft('reset');
      await a.isQuiet();
    },
  );
});

describe('stopping', () => {
  const world = onLab((lab) => pairOn(lab));

  test('leaves no interface, rule or process; launching again finds its targets and containers', async () => {
    const { a, b, c1, c2 } = world();
    await b.weft('connect', a.address);
    await b.weft('stop');
    await b.isQuiet();
    const left = (await traces(b)) as { links: string[]; rules: string };
    expect(left.links).toEqual(['lo', expect.stringMatching(/^eth1/)]);
    expect(left.rules).toBe('');
    await b.launch();
    expect((await b.report()).targets.map(({ target }) => target)).toContain(`${a.address}:6783`);
    await c1.reaches(c2.address);
  });

  test('reset leaves nothing at all', async () => {
    const { a, b, lab } = world();
    for (const host of [a, b]) {
      await host.weft('reset');
      await host.isQuiet();
      const left = (await traces(host)) as { links: string[]; rules: string; files: string[] };
      expect(left.links).toEqual(['lo', expect.stringMatching(/^eth1/)]);
      expect(left.rules).toBe('');
      expect(left.files).toEqual([]);
    }
    expect(lab.machines.flatMap((host) => host.processes())).toEqual([]);
  });

  test('what needs a running daemon says so with exit code 3, and wrong usage with 2', async () => {
    const { a } = world();
    for (const command of [['status'], ['report'], ['token']]) {
      const { code, stderr } = await a.tryWeft(...command);
      expect({ command, code }).toEqual({ command, code: 3 });
      expect(stderr).toMatch(/not running/);
    }
    expect((await a.tryWeft('stop')).code).toBe(0);
    expect((await a.tryWeft('nonsense')).code).toBe(2);
    expect((await a.tryWeft('launch', '--cipher', 'rot13')).code).toBe(2);
  });
});

describe('three hosts', () => {
  test('find each other through one token, and containers of all three share a segment', async () => {
    const lab = await Lab.create();
    try {
      const [a, b, c] = await lab.hosts(3);
      const { c1, c2 } = await pair(a, b);
      await c.launch({ token: await a.token() });
      const c3 = await c.container('c3', '10.32.0.3/24');
      await c3.reaches(c1.address);
      await c3.reaches(c2.address);
      await c.isConnectedTo(a);
      await c.isConnectedTo(b);
    } finally {
      lab.remove();
    }
  });
});

describe('the targets of a router', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    const token = newToken();
    const args = ['--ipalloc-range', '10.99.0.0/16'];
    for (const host of [a, b]) await host.launch({ token, args });
    const c1 = await a.container('c1', '10.32.0.1/24');
    const c2 = await b.container('c2', '10.32.0.2/24');
    return { a, b, c1, c2 };
  });
  const [one, two, three] = ['192.168.1.71', '192.168.1.72', '192.168.1.73']; // nobody

  test('are those that were connected and not forgotten or replaced, and lead to containers once one answers', async () => {
    const { a, b, c1, c2 } = world();
    await a.weft('connect', one, two);
    expect(await targetsOf(a)).toEqual([one, two]);
    expect(await c1.ping(c2.address)).toBe(false);
    await a.weft('connect', '--replace', a.address, b.address);
    expect(await targetsOf(a)).toEqual([a.address, b.address]);
    await c1.reaches(c2.address);
    await a.weft('forget', a.address, b.address);
    expect(await targetsOf(a)).toEqual([]);
  });

  test('outlast a crash and a stop, until a launch names others', async () => {
    const { a } = world();
    await a.weft('stop');
    await a.launch({ peers: [one, two] });
    expect(await targetsOf(a)).toEqual([one, two]);
    await a.weft('forget', one);
    await a.weft('connect', three);
    process.kill(a.daemon, 'SIGKILL');
    await a.launch();
    expect(await targetsOf(a)).toEqual([two, three]);
    await a.weft('stop');
    await a.launch();
    expect(await targetsOf(a)).toEqual([two, three]);
    await a.weft('stop');
    await a.launch({ peers: [one, two] });
    expect(await targetsOf(a)).toEqual([one, two]);
  });
});

describe('when something is missing', () => {
  const world = onLab(async (lab) => {
    const [a] = await lab.hosts(1);
    return { a };
  });

  test('a full disk is told, and leaves nothing running', async () => {
    const { a } = world();
    const before = await traces(a);
    const full = `mkdir -p "$WEFT_STATE_DIR" && mount -t tmpfs -o size=4k tmpfs "$WEFT_STATE_DIR" &&
      head -c 4096 /dev/zero > "$WEFT_STATE_DIR/filler"; "$@"; code=$?; exit $code`;
    const { code, stderr } = await attempt(
      ['ip', 'netns', 'exec', a.namespace, 'sh', '-c', full, 'sh', ...weftOf(a.directory, 'full'), 'launch'],
      { env: { WEFT_STATE_DIR: `${a.directory}/full-disk` } },
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/disk is full/);
    await a.isQuiet();
    expect(await traces(a)).toEqual(before);
  });

  test('missing privilege is told, with the remedy', async () => {
    const { a } = world();
    const drop = ['setpriv', '--bounding-set=-all', '--inh-caps=-all'];
    const { code, stderr } = await attempt([
      'ip',
      'netns',
      'exec',
      a.namespace,
      ...drop,
      ...weftOf(a.directory, 'powerless'),
      'launch',
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/root|CAP_NET_ADMIN|privilege|permission/i);
    await a.isQuiet();
  });

  test('doctor says what is wrong and what to do', async () => {
    const { a } = world();
    const findings = await a.tryWeft('doctor');
    expect(findings.stdout).toMatch(/MTU/i);
    expect(findings.stdout).toMatch(/6783/);
  });
});

/** `weft` with directories of its own. */
function weftOf(directory: string, name: string): string[] {
  const bin = new URL('../../../bin/weft', import.meta.url).pathname;
  return [
    ...['env', `WEFT_RUN_DIR=${directory}/${name}-run`],
    ...(name === 'full' ? [] : [`WEFT_STATE_DIR=${directory}/${name}-state`]),
    bin,
  ];
}

/** Whom a router dials, without the port that is everybody's. */
async function targetsOf(host: Host): Promise<string[]> {
  const { targets } = await host.report();
  return targets.map(({ target }) => target.replace(/:6783$/, '')).sort();
}
