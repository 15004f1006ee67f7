/**
 * `make bench-dns`: a router's DNS server beside dnsmasq, and 20,000 names of which 200 change a second. Results go to bench/results/dns.json and
 * dns.md. Exits with 1 when a figure that must be is missed.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Lab } from '../../test/lab/index.js';
import { describeMachine, machineLine } from '../machine.js';
import { type ChurnFigures, measureChurn } from './churn.js';
import { measureServers, type ServerFigures } from './servers.js';

const RESULTS = fileURLToPath(new URL('../results', import.meta.url));
/** What must be: answers a second of CPU time, milliseconds. */
const LEAST_ANSWERS = 30_000;
const MOST_IDLE = 1;
const MOST_LAG = 500;

const servers = await onLab(measureServers);
const churn = await onLab(measureChurn);
const machine = await describeMachine();
const date = new Date().toISOString();
const text = `${[
  '# Names',
  `${date.slice(0, 10)}, ${machineLine(machine)}; Node.js ${process.version}. \`make bench-dns\` makes this.`,
  serversTable(servers),
  churnText(churn),
  ...verdicts(servers, churn).map(({ what, held }) => `- ${held ? 'holds' : 'MISSED'}: ${what}`),
].join('\n\n')}\n`;
await mkdir(RESULTS, { recursive: true });
await writeFile(join(RESULTS, 'dns.json'), `${JSON.stringify({ date, machine, servers, churn }, null, 1)}\n`);
await writeFile(join(RESULTS, 'dns.md'), text);
console.log(text);
if (verdicts(servers, churn).some(({ held }) => !held)) process.exitCode = 1;

async function onLab<T>(measure: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await Lab.create();
  try {
    return await measure(lab);
  } finally {
    lab.remove();
  }
}

function serversTable(figures: readonly ServerFigures[]): string {
  const rows = figures.map(({ server, answersPerSecond, answersPerCpuSecond, idle, disturbance }) =>
    [
      server,
      count(answersPerSecond),
      count(answersPerCpuSecond),
      `${idle.p50.toFixed(3)} / ${idle.p99.toFixed(3)} ms`,
      share(disturbance),
    ].join(' | '),
  );
  return [
    '500 names, dnsperf in a container, medians of 3 rounds in turns:',
    '',
    '| | answers/s | a second of CPU time | at 500/s, p50 / p99 | others used |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n');
}

function churnText({
  names,
  changesPerSecond,
  lag,
  cpu,
  memory,
  answers,
  disturbance,
}: ChurnFigures): string {
  return [
    `${count(names)} names on two hosts, ${changesPerSecond.toFixed(0)} changes/s on one of them for 10 s (others used ${share(disturbance)}):`,
    '',
    `- known to the other host after ${lag.p50.toFixed(0)} ms (p50), ${lag.p99.toFixed(0)} ms (p99), ${lag.most.toFixed(0)} ms at most`,
    `- CPU: ${share(cpu.changing)} of a core where the changes are made, ${share(cpu.hearing)} on the other host; memory there ${memory.toFixed(0)} MB`,
    `- the other host answers meanwhile within ${answers.p50.toFixed(3)} ms (p50), ${answers.p99.toFixed(3)} ms (p99)`,
  ].join('\n');
}

function verdicts(figures: readonly ServerFigures[], { lag }: ChurnFigures) {
  const weft = figures.find(({ server }) => server === 'weft');
  return [
    {
      what: `at least ${count(LEAST_ANSWERS)} answers a second of CPU time`,
      held: (weft?.answersPerCpuSecond ?? 0) >= LEAST_ANSWERS,
    },
    { what: `p99 under ${MOST_IDLE} ms at 500/s`, held: (weft?.idle.p99 ?? Infinity) < MOST_IDLE },
    { what: `a change is known to the other host within ${MOST_LAG} ms (p99)`, held: lag.p99 <= MOST_LAG },
  ];
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function share(value: number): string {
  return `${Math.round(value * 100)} %`;
}
