/** `make sim`: the real mesh core of many routers in one process, in virtual time. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import Table from 'cli-table3';
import { measure, type SimOptions, type SimResult } from './measure.js';

const SEED = 1;
const RUNS: readonly SimOptions[] = [
  { size: 100, seed: SEED, joins: 100, routedMessages: 100, window: 60_000, churn: 0.01 },
  { size: 1_000, seed: SEED, joins: 50, routedMessages: 50, window: 60_000, churn: 0.01 },
  { size: 10_000, seed: SEED, joins: 5, routedMessages: 5, window: 6_000, churn: 0.01 },
];
interface Stored {
  readonly machine: { readonly cpu: string; readonly node: string };
  readonly results: readonly SimResult[];
}

const RESULTS = new URL('../results/sim.json', import.meta.url);

const wanted = process.argv.slice(2).map(Number);
const results: SimResult[] = [];
for (const run of RUNS) {
  if (wanted.length > 0 && !wanted.includes(run.size)) continue;
  console.error(`${run.size} routers, seed ${run.seed} …`);
  results.push(measure(run));
}
console.log(tableOf(results));
save(results);

/** Keeps the results of the sizes that were not run now. */
function save(fresh: readonly SimResult[]): void {
  const stored = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as Stored) : undefined;
  const others = (stored?.results ?? []).filter((old) => fresh.every(({ size }) => size !== old.size));
  const all = [...others, ...fresh].sort((a, b) => a.size - b.size);
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', node: process.version };
  mkdirSync(new URL('.', RESULTS), { recursive: true });
  writeFileSync(RESULTS, `${JSON.stringify({ machine, results: all }, null, 2)}\n`);
}

function tableOf(all: readonly SimResult[]): string {
  const table = new Table({ head: ['', ...all.map(({ size }) => `${size} routers`)] });
  const row = (name: string, cell: (result: SimResult) => string) => table.push([name, ...all.map(cell)]);
  row('all started within 10 s know all after', ({ start }) => (start === null ? '-' : seconds(start)));
  row('a join is known to all, p50 / p99', ({ join }) => `${seconds(join.p50)} / ${seconds(join.p99)}`);
  row('a join is known to one, p50 / p99', ({ knows }) => `${seconds(knows.p50)} / ${seconds(knows.p99)}`);
  row('links, mean / most', ({ links }) => `${links.mean.toFixed(1)} / ${links.most}`);
  row('idle: sent by one, mean / most', ({ idle }) => rates(idle.bytesPerSecond, idle.worstBytesPerSecond));
  row('idle: messages/s', ({ idle }) => idle.messagesPerSecond.toFixed(1));
  row('idle: CPU of one', ({ idle }) => `${idle.cpuPercent.toFixed(3)} %`);
  row('churn: sent by one, mean / most', ({ churn }) =>
    rates(churn.bytesPerSecond, churn.worstBytesPerSecond),
  );
  row('churn: messages/s', ({ churn }) => churn.messagesPerSecond.toFixed(1));
  row('churn: CPU of one', ({ churn }) => `${churn.cpuPercent.toFixed(3)} %`);
  row(
    'routed messages: at once / after 2 retries',
    ({ routed }) => `${routed.atOnce} / ${routed.afterRetry} of ${routed.tried}`,
  );
  row('heap of one', ({ heapBytes }) => `${(heapBytes / 1024).toFixed(0)} KiB`);
  row('wall time', ({ wallSeconds }) => `${wallSeconds.toFixed(0)} s`);
  return table.toString();
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}

function rates(mean: number, most: number): string {
  return `${(mean / 1000).toFixed(2)} / ${(most / 1000).toFixed(2)} kB/s`;
}
