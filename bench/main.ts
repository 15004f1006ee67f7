/**
 * `make bench`: weft, raw veth, kernel VXLAN, a tunnel that does nothing else, and others' tunnels side by side on this
 * machine.
 *
 * Rounds are interleaved: every contender once, then every contender again, each time on a fresh topology, so that what
 * else the machine does hits all alike; a visit during which others were busy is repeated. All of it once for each congestion
 * control that every contender can have. See report.ts for what is printed and visit.ts for what is measured.
 *
 * What an earlier run left is replaced only by one in which no contender failed. Present releases are compared by naming their programs.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import type { Contender } from './contender.js';
import { contenders } from './contenders/index.js';
import { describeMachine } from './machine.js';
import type { Sample } from './metrics.js';
import { choosePrograms, type Programs } from './programs.js';
import { judge, renderPlot, renderReport } from './report/index.js';
import { type ContenderResult, failuresOf, mediansOf, type Results } from './results.js';
import { type Visit, visit, type Workload } from './visit.js';
import { congestionControls } from './workloads/congestion-control.js';
import { waitForQuiet } from './workloads/usage.js';

interface Options extends Partial<Programs> {
  readonly rounds: number;
  readonly seconds: number;
  readonly only?: readonly string[];
  readonly out?: string;
}

/** What is known of a contender while the rounds run. */
interface Entry {
  readonly contender: Contender;
  readonly samples: Sample[];
  readonly disturbances: number[];
  readonly failures: string[];
  readonly carriers: string[];
}

/** Above this share of the machine used by others, a visit is repeated. */
const DISTURBED = 0.1;
const ATTEMPTS = 3;

const RESULTS = fileURLToPath(new URL('results', import.meta.url));

async function main(options: Options): Promise<void> {
  const date = new Date().toISOString();
  const machine = await describeMachine();
  const all: Results[] = [];
  for (const congestionControl of await congestionControls()) {
    const { rounds, seconds } = options;
    const compared = await compare(options, congestionControl);
    all.push({ date, machine, rounds, seconds, congestionControl, contenders: compared });
  }
  for (const results of all) console.log(renderReport(results));
  const failures = all.flatMap(failuresOf);
  if (failures.length > 0) {
    console.error(`nothing was written, because a contender failed:\n${failures.join('\n')}`);
    process.exitCode = 1;
  } else if (options.only !== undefined && options.out === undefined) {
    console.error('nothing was written, because --only leaves contenders out: --out tells where it may go');
  } else {
    for (const [index, results] of all.entries()) await publish(results, index, options.out ?? RESULTS);
  }
}

/** Visits everybody in turns. */
async function compare(options: Options, congestionControl: string): Promise<ContenderResult[]> {
  const { rounds, seconds, only } = options;
  const everybody = contenders(choosePrograms(options));
  const entries = everybody
    .filter(({ name }) => only === undefined || only.some((part) => name.includes(part)))
    .map((contender): Entry => ({ contender, samples: [], disturbances: [], failures: [], carriers: [] }));
  if (entries.length === 0) throw new Error(`no contender is called so; there are: ${namesOf(everybody)}`);
  const available = await withoutUnavailable(entries);
  for (let round = 1; round <= rounds; round += 1) {
    for (const entry of available) {
      const visited = await visitUndisturbed(entry, { seconds, congestionControl });
      const turn = `${congestionControl} ${round}/${rounds}`;
      console.error(`${turn}  ${entry.contender.name.padEnd(24)} ${progressOf(visited)}`);
    }
  }
  return await Promise.all(entries.map(toResult));
}

async function withoutUnavailable(entries: readonly Entry[]): Promise<Entry[]> {
  for (const { contender, failures } of entries) {
    const reason = await contender.unavailable();
    if (reason !== undefined) failures.push(reason);
  }
  return entries.filter(({ failures }) => failures.length === 0);
}

/**
 * Visits again when a visit fails or others used more than a tenth of the machine, and keeps the least disturbed sample.
 * Failures are told in the results, also when a later visit succeeds.
 */
async function visitUndisturbed(entry: Entry, workload: Workload): Promise<Visit | undefined> {
  const { contender, samples, disturbances, failures, carriers } = entry;
  let best: Visit | undefined;
  for (let attempt = 0; attempt < ATTEMPTS && !(best && best.disturbance <= DISTURBED); attempt += 1) {
    await waitForQuiet();
    try {
      const made = await visit(contender, workload, samples.at(-1) ?? {});
      if (best === undefined || made.disturbance < best.disturbance) best = made;
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
      console.error(failures.at(-1));
    }
  }
  if (best !== undefined) {
    samples.push(best.sample);
    disturbances.push(best.disturbance);
    if (best.carrier !== undefined) carriers.push(best.carrier);
  }
  return best;
}

function progressOf(visited: Visit | undefined): string {
  if (visited?.sample.tcp1 === undefined) return 'failed';
  return `${visited.sample.tcp1.toFixed(2)} Gb/s  others ${Math.round(visited.disturbance * 100)} %`;
}

async function toResult({ contender, ...seen }: Entry): Promise<ContenderResult> {
  const { name, kind, encrypted, setup } = contender;
  const version = await contender.version();
  return { name, kind, encrypted, setup, version, medians: mediansOf(seen.samples), ...seen };
}

/** The first congestion control's are the figures that others speak of; each other one has files of its own. */
async function publish(results: Results, index: number, directory: string): Promise<void> {
  const name = index === 0 ? 'bench' : `bench-${results.congestionControl}`;
  const json = `${JSON.stringify({ ...results, verdicts: judge(results) }, null, 1)}\n`;
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, `${name}.md`), renderReport(results, `${name}.svg`));
  await writeFile(join(directory, `${name}.json`), json);
  await writeFile(join(directory, `${name}.svg`), renderPlot(results));
  console.log(`written to ${directory}: ${name}.md, ${name}.json, ${name}.svg`);
}

const namesOf = (contenders: readonly Contender[]) => contenders.map(({ name }) => name).join(', ');

function positiveInteger(value: string): number {
  if (!/^[1-9]\d*$/.test(value)) throw new InvalidArgumentError('It must be a positive whole number.');
  return Number(value);
}

const options = new Command('bench')
  .description("weft, raw veth, kernel VXLAN and others' tunnels side by side on this machine (as root)")
  .option('--rounds <n>', 'visits to each contender, of which the medians are taken', positiveInteger, 5)
  .option('--seconds <n>', 'duration of each workload', positiveInteger, 2)
  .option('--only <name...>', 'only contenders whose name contains one of these')
  .option('--wireguard-go <path>', 'another wireguard-go than that of PATH')
  .option('--nebula <path>', 'another nebula, with its nebula-cert beside it')
  .option('--fastd <path>', 'another fastd')
  .option('--tinc <path>', 'another tincd')
  .option('--out <directory>', 'where the results go (default: bench/results; with --only: nowhere)')
  .parse()
  .opts<Options>();

await main(options);
