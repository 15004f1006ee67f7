import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { dashboardExpressions } from '../../dashboard.js';
import { type Host, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { prometheusIsMissing, promtool } from '../../prometheus.js';
import { pairOn } from '../pair.js';

const ALERTS = fileURLToPath(new URL('../../../deploy/prometheus/weft-alerts.yml', import.meta.url));
const isMissing = prometheusIsMissing();

/** What is answered to GET of each URL, asked from this host. */
async function get(host: Host, ...urls: string[]): Promise<{ status: number; text: string }[]> {
  const script = `Promise.all(JSON.parse(process.argv[1]).map((url) =>
    fetch(url).then(async (answer) => ({ status: answer.status, text: await answer.text() })))
  ).then((answers) => process.stdout.write(JSON.stringify(answers)))`;
  return JSON.parse(await host.run([process.execPath, '-e', script, JSON.stringify(urls)]));
}

const at = (path: string, address = '127.0.0.1:6782') => `http://${address}${path}`;

async function metricsOf(host: Host): Promise<string> {
  const [answer] = await get(host, at('/metrics'));
  return answer?.text ?? '';
}

describe('a router that is watched', () => {
  const world = onLab(async (lab) => await pairOn(lab));

  test.skipIf(isMissing)(
    'fills each panel of the dashboard of a real Prometheus, and nothing of it alarms',
    async () => {
      const { a } = world();
      expect(await promtool(['check', 'metrics'], await metricsOf(a))).toEqual({ isGood: true, said: '' });
      await startPrometheus(a);
      const expressions = dashboardExpressions('10s');
      const query = (expr: string) => at(`/api/v1/query?query=${encodeURIComponent(expr)}`, '127.0.0.1:9090');
      await until('each panel shows something', async () => {
        const answers = await get(a, ...expressions.map(query));
        const empty = expressions.filter(
          (_, i) => JSON.parse(answers[i]?.text ?? '').data.result.length === 0,
        );
        if (empty.length > 0) throw new Error(`empty: ${empty.join('\n')}`);
        return true;
      });
      const [alerts] = await get(a, query('ALERTS'));
      expect(JSON.parse(alerts?.text ?? '').data.result).toEqual([]);
    },
  );

  test('tells no secret, key or token, nor the id of its network', async () => {
    const { a, b } = world();
    const token = await a.token();
    const { peer } = (await b.report()).status;
    const more = [`/hosts/${peer}`, `/paths/${peer}`, '/find?text=c', '/', '/page.js'];
    const paths = ['/metrics', '/status', '/readyz', '/livez', ...more, '/nothing'];
    const answers = await get(a, ...paths.map((path) => at(path)));
    expect(answers.map(({ status }) => status)).toEqual([...paths.slice(1).map(() => 200), 404]);
    const live = await a.attempt(['curl', '-s', '--max-time', '2', at('/live')]);
    expect(live.stdout).toContain('event: snapshot');
    expect(live.stdout).toContain('event: happened');
    const secrets = [token, ...secretsOf(a)];
    expect(secrets.length).toBeGreaterThan(4);
    const told = [live.stdout, ...answers.map(({ text }) => text)].join();
    expect(secrets.filter((secret) => told.includes(secret))).toEqual([]);
  });

  test('knows an expelled peer no more at the next scrape', async () => {
    const { a, b } = world();
    expect(await metricsOf(a)).toMatch(/weft_peers\{path="direct"\} 1\n/);
    expect(await metricsOf(a)).toContain(`nickname="${b.name}"`);
    await a.weft('peer', 'revoke', b.name);
    const metrics = await metricsOf(a);
    expect(metrics).not.toContain(`nickname="${b.name}"`);
    expect(metrics).toMatch(/weft_peers\{path="direct"\} 0\n/);
    expect(metrics).toMatch(/weft_members\{state="revoked"\} 1\n/);
  });

  test.runIf(process.env.WEFT_LONG === '1')(
    'waits for an address that another program has, unless it was asked for just now',
    async () => {
      const { a, b } = world();
      await b.weft('reset');
      const other = b.start(['socat', 'TCP-LISTEN:6782,bind=127.0.0.1,fork', '/dev/null']);
      await until('it has the port', async () => (await b.run(['ss', '-Hlnt', 'sport = :6782'])) !== '');
      expect(await b.tryWeft('launch', '--status-addr', '127.0.0.1')).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^weft: .*another program listens there.*--status-addr.*\n$/),
      });
      await b.launch();
      expect(await b.weft('status')).toMatch(
        /fault +metrics are not served at 127.0.0.1:6782: another program/,
      );
      await other.stop('SIGTERM');
      await until('it is served', async () => (await get(b, at('/livez')))[0]?.status === 200);
      expect(await b.weft('status')).not.toMatch(/^fault/m);
      await b.weft('stop');
      await b.weft('launch', '--status-addr', b.address, '--status-public');
      const [answer] = await get(a, at('/readyz', `${b.address}:6782`));
      expect(answer).toMatchObject({ status: 200 });
      await b.weft('stop');
      await b.weft('launch', '--status-addr', 'none');
      expect(await b.run(['ss', '-Hlnt', 'sport = :6782'])).toBe('');
    },
  );
});

/** The table of `weft check`: the cells of each peer, by its nickname. */
function cellsOf(text: string): Record<string, string[]> {
  const [table = ''] = text.split('\n\n');
  const rows = table.trimEnd().split('\n').slice(1);
  return Object.fromEntries(
    rows.map((row) => {
      const [peer = '', ...cells] = row.split(/ {2,}/);
      return [peer.replace(/ .*/, ''), cells];
    }),
  );
}

describe('a pair that is checked', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    await a.launch();
    await b.launch({ token: await a.token(), peers: [a.address] });
    await a.container('web', '10.32.0.1/24');
    await a.isConnectedTo(b);
    return { a, b };
  });

  test('is said to pass over TCP where UDP is blocked, with what was tried, and nothing fails', async () => {
    const { a, b } = world();
    const { wire } = b.port;
    for (const direction of [{ from: b }, { to: b }]) await wire.lose('udp', direction);
    await until('it passes over TCP, both ways', async () => {
      const [there, back] = await Promise.all([a.report(), b.report()]);
      return [there, back].every(({ connections: [{ path } = {}] }) => path === 'tcp');
    });
    const { code, stdout } = await a.tryWeft('check', '--timeout', '10');
    expect(cellsOf(stdout)).toEqual({ [b.name]: ['ok', 'over TCP', 'ok', 'ok', 'ok'] });
    expect(stdout).toMatch(new RegExp(`${b.name}.*, data: over TCP\n {2}→ .*UDP.*${b.address}:6783`));
    expect(code).toBe(0);
  });
});

describe('a mesh of three that is checked', () => {
  const world = onLab(async (lab) => {
    const hosts = await lab.hosts(3);
    const [a, b, c] = hosts;
    await a.launch();
    const token = await a.token();
    await Promise.all([b, c].map((host) => host.launch({ token, peers: [a.address] })));
    await a.container('web', '10.32.0.1/24');
    await b.isConnectedTo(c);
    return { a, b, c };
  });

  const all = ['ok', 'ok', 'ok', 'ok', 'ok'];

  test('is found to work', async () => {
    const { a, b, c } = world();
    expect(cellsOf(await a.weft('check'))).toEqual({ [b.name]: all, [c.name]: all });
  });

  test('has a narrow path and a cut wire told apart, each with its remedy', async () => {
    const { a, b, c } = world();
    const large = `udp sport 6783 ip saddr ${a.address} meta length > 1400 drop`;
    await c.run(['nft', `add table inet cut; add chain inet cut in { type filter hook input priority 0; }`]);
    await c.run(['nft', `add rule inet cut in ${large}`]);
    await b.port.unplug();
    const { code, stdout, stderr } = await a.tryWeft('check', '--timeout', '10');
    expect(cellsOf(stdout)).toEqual({
      [b.name]: [expect.stringMatching(/^(no answer|down)$/), 'no way', '-', '-', '-'],
      [c.name]: ['ok', 'ok', 'cut to it', 'ok', 'ok'],
    });
    expect(stdout).toMatch(/, control: (no answer|down)\n {2}→ .*TCP passes between the hosts/);
    expect(stdout).toMatch(/, data: no way\n {2}→ \S/);
    expect(stdout).toMatch(/, mtu: cut to it\n {2}→ .*smaller --mtu/);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^weft: not everything works with 2 of 2 peers: .*\n$/),
    });
  });
});

/** Scrapes this host's router each second, and judges it by the alerts of deploy/. */
async function startPrometheus(host: Host): Promise<void> {
  const directory = join(host.directory, 'prometheus');
  mkdirSync(directory);
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [ALERTS],
    scrape_configs: [{ job_name: 'weft', static_configs: [{ targets: ['127.0.0.1:6782'] }] }],
  };
  writeFileSync(join(directory, 'config.yml'), JSON.stringify(config)); // JSON is YAML
  host.start([
    'prometheus',
    `--config.file=${directory}/config.yml`,
    `--storage.tsdb.path=${directory}/data`,
    '--web.listen-address=127.0.0.1:9090',
  ]);
  await until(
    'Prometheus is ready',
    async () => (await get(host, at('/-/ready', '127.0.0.1:9090')))[0]?.status === 200,
  );
}

/** Everything in files of a router's state that only it is to know, or that secrets could be guessed from. */
function secretsOf({ stateDirectory }: Host): string[] {
  const files = readdirSync(stateDirectory).filter((name) => /^(identity|network)\.json$/.test(name));
  const texts = files.map((name) => readFileSync(join(stateDirectory, name), 'utf8'));
  return texts.flatMap((text) => text.match(/[A-Za-z0-9+/=_-]{16,}/g) ?? []);
}
