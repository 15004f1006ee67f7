/** A router's DNS server and dnsmasq, asked by dnsperf from one container, over one bridge, for the same names. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Container, Host, Lab } from '../../test/lab/index.js';
import { until } from '../../test/lab/index.js';
import { median, percentile } from '../stats.js';
import { Disturbance } from '../workloads/disturbance.js';
import { processTime, waitForQuiet } from '../workloads/usage.js';
import { request } from './router.js';

const NAMES = 500;
const ROUNDS = 3;
const SECONDS = 3;
/** Questions a second when there is little to do. */
const IDLE_RATE = 500;
export const WEFT = '169.254.53.53';
const RIVAL = '10.32.0.2';

export interface ServerFigures {
  readonly server: string;
  /** As many as dnsperf gets, 100 questions under way at a time. */
  readonly answersPerSecond: number;
  readonly answersPerCpuSecond: number;
  /** In milliseconds, with 500 questions a second. */
  readonly idle: { readonly p50: number; readonly p99: number };
  /** The share of the machine (0 to 1) that others used, the most of all rounds. */
  readonly disturbance: number;
}

/** Medians of three rounds, in turns. */
export async function measureServers(lab: Lab): Promise<ServerFigures[]> {
  const [host] = await lab.hosts(1);
  await host.launch();
  const client = await host.container('client', '10.32.0.1/16');
  const rival = await host.container('rival', `${RIVAL}/16`);
  const known = Array.from({ length: NAMES }, (_, i) => ({ name: `c${i}`, address: `10.32.1.${i % 250}` }));
  for (const { name, address } of known)
    await request(host, 'POST', '/names', { name, addresses: [address] });
  const questions = join(host.directory, 'questions');
  writeFileSync(questions, known.map(({ name }) => `${name}.weft.local A\n`).join(''));
  const records = join(host.directory, 'records');
  writeFileSync(
    records,
    known.map(({ name, address }) => `host-record=${name}.weft.local,${address}\n`).join(''),
  );
  const options = ['--no-daemon', '--no-resolv', '--no-hosts', '--user=root', `--conf-file=${records}`];
  const running = rival.start(['dnsmasq', ...options]);
  for (const server of [WEFT, RIVAL]) {
    await until(`${server} answers`, async () => (await idle(client, server, questions, 1)).length > 0);
  }
  const [pid = 0] = rival.processes();
  const visits = new Map([
    ['weft', { server: WEFT, pid: host.daemon, rounds: [] as ServerFigures[] }],
    ['dnsmasq', { server: RIVAL, pid, rounds: [] as ServerFigures[] }],
  ]);
  for (let round = 0; round < ROUNDS; round += 1) {
    await waitForQuiet();
    for (const [name, { server, pid, rounds }] of visits) {
      rounds.push({ server: name, ...(await visit(host, client, server, questions, pid)) });
      console.error(`round ${round + 1}/${ROUNDS}  ${JSON.stringify(rounds.at(-1))}`);
    }
  }
  await running.stop();
  return [...visits].map(([name, { rounds }]) => mediansOf(name, rounds));
}

async function visit(
  host: Host,
  client: Container,
  server: string,
  questions: string,
  pid: number,
): Promise<Omit<ServerFigures, 'server'>> {
  const others = await Disturbance.watch([host, ...host.containers]);
  const before = await processTime(pid);
  const said = await dnsperf(client, server, questions, ['-l', `${SECONDS}`, '-q', '100', '-c', '4']);
  const used = (await processTime(pid)) - before;
  const latencies = await idle(client, server, questions);
  return {
    answersPerSecond: Number(/Queries per second:\s+([\d.]+)/.exec(said)?.[1]),
    answersPerCpuSecond: Number(/Queries completed:\s+(\d+)/.exec(said)?.[1]) / used,
    idle: { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) },
    disturbance: await others.share(),
  };
}

/** How long answers took when there was little to do, in milliseconds. */
export async function idle(
  client: Container,
  server: string,
  questions: string,
  seconds = SECONDS,
): Promise<number[]> {
  const said = await dnsperf(client, server, questions, ['-v', '-l', `${seconds}`, '-Q', `${IDLE_RATE}`]);
  return [...said.matchAll(/^> NOERROR \S+ A ([\d.]+)$/gm)].map(([, text]) => Number(text) * 1000);
}

async function dnsperf(
  client: Container,
  server: string,
  questions: string,
  args: string[],
): Promise<string> {
  return await client.run(['dnsperf', '-s', server, '-d', questions, ...args]);
}

function mediansOf(server: string, rounds: readonly ServerFigures[]): ServerFigures {
  const middle = (figure: (round: ServerFigures) => number) => median(rounds.map(figure));
  return {
    server,
    answersPerSecond: middle((round) => round.answersPerSecond),
    answersPerCpuSecond: middle((round) => round.answersPerCpuSecond),
    idle: { p50: middle((round) => round.idle.p50), p99: middle((round) => round.idle.p99) },
    disturbance: Math.max(...rounds.map((round) => round.disturbance)),
  };
}
