/**
 * `make bench`: weft, raw veth, kernel VXLAN and packaged peers side by side on this machine.
 *
 * Rounds are interleaved: every contender once, then every contender again, each time on a fresh topology, so that what
 * else the machine does hits all alike. See report.ts for what is printed and visit.ts for what is measured.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import type { Contender } from './contender.js';
import { CONTENDERS } from './contenders/index.js';
import { describeMachine } from './machine.js';
import type { Sample } from './metrics.js';
import { renderPlot } from './plot.js';
import { renderReport } from './report.js';
import { type ContenderResult, mediansOf, type Results } from './results.js';
import { judge } from './verdicts.js';
import { visit } from './visit.js';
import { CONGESTION_CONTROL } from './workloads/iperf.js';
import { waitForQuiet } from './workloads/usage.js';

interface Options {
  readonly rounds: number;
  readonly seconds: number;
  readonly only?: readonly string[];
  readonly out: string;
}

/** What is known of a contender while the rounds run. */
interface Entry {
  readonly contender: Contender;
  readonly samples: Sample[];
  readonly busyBefore: number[];
  readonly failures: string[];
}

const RESULTS = fileURLToPath(new URL('results', import.meta.url));

async function main({ rounds, seconds, only, out }: Options): Promise<void> {
  const date = new Date().toISOString();
  const entries = CONTENDERS.filter(
    ({ name }) => only === undefined || only.some((part) => name.includes(part)),
  ).map((contender): Entry => ({ contender, samples: [], busyBefore: [], failures: [] }));
  if (entries.length === 0) throw new Error(`no contender is called so; there are: ${namesOf(CONTENDERS)}`);
  const available = await withoutUnavailable(entries);
  for (let round = 1; round <= rounds; round += 1) {
    for (const entry of available) {
      entry.busyBefore.push(await waitForQuiet());
      await visitOnce(entry, seconds);
      console.error(`round ${round}/${rounds}  ${entry.contender.name.padEnd(24)} ${progressOf(entry)}`);
    }
  }
  const machine = await describeMachine();
  const contenders = entries.map(toResult);
  await publish({ date, machine, rounds, seconds, congestionControl: CONGESTION_CONTROL, contenders }, out);
}

async function withoutUnavailable(entries: readonly Entry[]): Promise<Entry[]> {
  for (const { contender, failures } of entries) {
    const reason = await contender.unavailable();
    if (reason !== undefined) failures.push(reason);
  }
  return entries.filter(({ failures }) => failures.length === 0);
}

/** A round that fails is told and left out; the others count. */
async function visitOnce({ contender, samples, failures }: Entry, seconds: number): Promise<void> {
  try {
    samples.push(await visit(contender, seconds, samples.at(-1) ?? {}));
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
    console.error(failures.at(-1));
  }
}

function progressOf({ samples, busyBefore }: Entry): string {
  const last = samples.at(-1);
  const busy = `(others ${Math.round((busyBefore.at(-1) ?? 0) * 100)} %)`;
  return last?.tcp1 === undefined ? `failed ${busy}` : `${last.tcp1.toFixed(2)} Gb/s ${busy}`;
}

function toResult({ contender, samples, busyBefore, failures }: Entry): ContenderResult {
  const { name, encrypted, packaged, setup } = contender;
  return { name, encrypted, packaged, setup, medians: mediansOf(samples), samples, busyBefore, failures };
}

async function publish(results: Results, directory: string): Promise<void> {
  const report = renderReport(results);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'bench.md'), report);
  await writeFile(
    join(directory, 'bench.json'),
    `${JSON.stringify({ ...results, verdicts: judge(results) }, null, 1)}\n`,
  );
  await writeFile(join(directory, 'bench.svg'), renderPlot(results));
  console.log(report);
  console.log(`written to ${directory}: bench.md, bench.json, bench.svg`);
}

const namesOf = (contenders: readonly Contender[]) => contenders.map(({ name }) => name).join(', ');

function positiveInteger(value: string): number {
  if (!/^[1-9]\d*$/.test(value)) throw new InvalidArgumentError('It must be a positive whole number.');
  return Number(value);
}

const options = new Command('bench')
  .description('weft, raw veth, kernel VXLAN and packaged peers side by side on this machine (as root)')
  .option('--rounds <n>', 'visits to each contender, of which the medians are taken', positiveInteger, 5)
  .option('--seconds <n>', 'duration of each workload', positiveInteger, 2)
  .option('--only <name...>', 'only contenders whose name contains one of these')
  .option('--out <directory>', 'where the results go', RESULTS)
  .parse()
  .opts<Options>();

await main(options);
