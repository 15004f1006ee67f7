/**
 * `make bench-docker`: how long `docker run --rm IMAGE true` takes on no network, on Docker's own bridge, on one that a user makes with Docker
 * (`made`: with Docker's DNS server in the container, as every network has that a user makes), on that of a plugin that does nothing at once
 * (`still`: what no plugin can go below), and on weft, whose router has a peer. Results go to bench/results/docker.json and docker.md. Exits with 1 when a bar is missed. ARGS="none bridge" measures these alone,
 * and writes nothing.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DockerEngine, Lab } from '../../test/lab/index.js';
import { describeMachine, machineLine } from '../machine.js';
import { median, percentile } from '../stats.js';
import { Disturbance } from '../workloads/disturbance.js';
import { serveStillDriver } from './still-driver.js';

const RESULTS = fileURLToPath(new URL('../results', import.meta.url));
const RUNS = 20;
/** What must be: milliseconds over no network at all, times Docker's bridge. */
const MOST_OVER_NONE = 150;
const MOST_OVER_BRIDGE = 1.3;

/** As `docker run --network` knows them. */
const ALL = ['none', 'bridge', 'made', 'still', 'weft'] as const;
type Network = (typeof ALL)[number];
/** In the order of each round. */
const chosen = ALL.filter((network) => process.argv.length < 3 || process.argv.includes(network, 2));

/** Milliseconds. */
interface Figures {
  readonly network: Network;
  readonly median: number;
  readonly p90: number;
  readonly samples: readonly number[];
}

const { figures, disturbance, versions } = await onLab(measure);
const machine = await describeMachine();
const date = new Date().toISOString();
const results = { date, machine, versions, runs: RUNS, figures, disturbance };
const text = report();
console.log(text);
if (chosen.length === ALL.length) {
  await mkdir(RESULTS, { recursive: true });
  await writeFile(join(RESULTS, 'docker.json'), `${JSON.stringify(results, null, 1)}\n`);
  await writeFile(join(RESULTS, 'docker.md'), text);
}
if (verdicts().some(({ held }) => !held)) process.exitCode = 1;

async function onLab<T>(act: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await Lab.create();
  try {
    return await act(lab);
  } finally {
    lab.remove();
  }
}

async function measure(lab: Lab) {
  const [a, b] = await lab.hosts(2);
  const engine = await DockerEngine.start(a);
  await a.launch({ args: ['--docker'] });
  await b.launch({ token: await a.token() });
  await a.isConnectedTo(b);
  if (chosen.includes('made')) await engine.docker('network', 'create', 'made');
  const stillDriver = await serveStillDriver(join(a.runDocker, 'plugins', 'still.sock'));
  if (chosen.includes('still')) await engine.docker('network', 'create', '--driver', 'still', 'still');
  if (chosen.includes('weft')) await engine.hasNetwork('weft');
  for (const network of chosen) await runOn(engine, network); // what is made at the first use is made now
  const samples = new Map<Network, number[]>(chosen.map((network) => [network, []]));
  const disturbance = await Disturbance.watch([a, b]);
  for (let i = 0; i < RUNS; i += 1)
    for (const network of chosen) samples.get(network)?.push(await runOn(engine, network));
  stillDriver.close();
  return {
    figures: [...samples].map(([network, all]) => figuresOf(network, all)),
    disturbance: await disturbance.share(),
    versions: { docker: await engine.docker('version', '--format', '{{.Server.Version}}') },
  };
}

/** Wall time of one container, ms. */
async function runOn(engine: DockerEngine, network: Network): Promise<number> {
  const began = performance.now();
  await engine.docker('run', '--rm', '--network', network, DockerEngine.busybox, 'true');
  return performance.now() - began;
}

function figuresOf(network: Network, samples: readonly number[]): Figures {
  return { network, median: median(samples), p90: percentile(samples, 0.9), samples };
}

function medianOn(network: Network): number {
  return figures.find((one) => one.network === network)?.median ?? Number.NaN;
}

function verdicts() {
  if (chosen.length < ALL.length) return [];
  const [none, bridge, weft] = [medianOn('none'), medianOn('bridge'), medianOn('weft')];
  return [
    {
      what: `at most ${MOST_OVER_NONE} ms over no network: ${(weft - none).toFixed(0)} ms`,
      held: weft - none < MOST_OVER_NONE,
    },
    {
      what: `at most ${MOST_OVER_BRIDGE} times Docker's bridge: ${(weft / bridge).toFixed(2)}`,
      held: weft <= MOST_OVER_BRIDGE * bridge,
    },
  ];
}

function report(): string {
  const rows = figures.map(({ network, median, p90 }) => {
    const over = median - medianOn('none');
    const ratio = median / medianOn('bridge');
    return `| ${network} | ${median.toFixed(0)} ms | ${p90.toFixed(0)} ms | ${over.toFixed(0)} ms | ${ratio.toFixed(2)} |`;
  });
  return `${[
    '# Docker',
    `${date.slice(0, 10)}, ${machineLine(machine)}; dockerd ${versions.docker}, Node.js ${process.version}. \`make bench-docker\` makes this.`,
    `\`docker run --rm IMAGE true\`, ${RUNS} times on each network in turn; the router has one peer. Others used ${Math.round(disturbance * 100)} %.`,
    [
      '| network | median | p90 | over none | times bridge |',
      '| --- | --- | --- | --- | --- |',
      ...rows,
    ].join('\n'),
    ...verdicts().map(({ what, held }) => `- ${held ? 'holds' : 'MISSED'}: ${what}`),
  ].join('\n\n')}\n`;
}
