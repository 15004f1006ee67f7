/** Many names on two hosts, of which some change all the time: how soon the other host knows, and what it costs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NameFound } from '../../src/api/index.js';
import { type Host, type Lab, lasting, until } from '../../test/lab/index.js';
import { percentile } from '../stats.js';
import { Disturbance } from '../workloads/disturbance.js';
import { processTime, residentMemory } from '../workloads/usage.js';
import { request } from './router.js';
import { idle, WEFT } from './servers.js';

const NAMES = 20_000;
const CHANGES_A_SECOND = 200;
const SECONDS = 10;
/** Every so many-th change is followed to the other host. */
const FOLLOWED = 50;
/** 20,000 signatures are made and checked when the routers meet. */
const PATIENCE = 60_000;
/** How often to look whether it is known, in milliseconds. */
const RESOLUTION = 10;

export interface ChurnFigures {
  readonly names: number;
  readonly changesPerSecond: number;
  /** From the request on one host until the other one knows, in milliseconds. */
  readonly lag: { readonly p50: number; readonly p99: number; readonly most: number };
  /** Of a core, 0 to 1: of the daemon where the changes are made, and of the other one. */
  readonly cpu: { readonly changing: number; readonly hearing: number };
  /** Of the other daemon, in MB. */
  readonly memory: number;
  /** Answers of the other host meanwhile, with 500 questions a second, in milliseconds. */
  readonly answers: { readonly p50: number; readonly p99: number };
  readonly disturbance: number;
}

export async function measureChurn(lab: Lab): Promise<ChurnFigures> {
  const [a, b] = await lab.hosts(2);
  const half = NAMES / 2;
  remember(a, 0, half);
  remember(b, half, NAMES);
  await a.launch();
  await b.launch({ token: await a.token() });
  await a.isConnectedTo(b, PATIENCE);
  const client = await b.container('client', '10.32.0.1/16');
  for (const host of [a, b]) {
    await until(`${host.name} knows all`, async () => (await host.report()).dns.status.names >= NAMES, {
      within: PATIENCE,
      every: 500,
    });
  }
  const questions = join(b.directory, 'questions');
  const asked = Array.from({ length: 1000 }, (_, i) => `c${half + i}.weft.local A\n`);
  writeFileSync(questions, asked.join(''));
  const others = await Disturbance.watch([a, b, client]);
  const before = await Promise.all([a, b].map((host) => processTime(host.daemon)));
  const started = performance.now();
  const [lags, latencies] = await Promise.all([change(a, b), idle(client, WEFT, questions, SECONDS)]);
  const seconds = (performance.now() - started) / 1000;
  const after = await Promise.all([a, b].map((host) => processTime(host.daemon)));
  const [changing = 0, hearing = 0] = after.map((time, i) => (time - (before[i] ?? 0)) / seconds);
  return {
    names: NAMES,
    changesPerSecond: (CHANGES_A_SECOND * SECONDS) / seconds,
    lag: { p50: percentile(lags, 0.5), p99: percentile(lags, 0.99), most: Math.max(...lags) },
    cpu: { changing, hearing },
    memory: await residentMemory(b.daemon),
    answers: { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) },
    disturbance: await others.share(),
  };
}

/** Changes names of one host at the rate, and gives how long some of the changes took to be known to the other. */
async function change(host: Host, other: Host): Promise<number[]> {
  const followed: Followed[] = [];
  const changes: Promise<unknown>[] = [];
  const started = performance.now();
  const lags = follow(other, followed);
  for (let i = 0; i < CHANGES_A_SECOND * SECONDS; i += 1) {
    const due = started + (i * 1000) / CHANGES_A_SECOND;
    if (due > performance.now()) await lasting((due - performance.now()) / 1000);
    if (i % FOLLOWED === 0) followed.push({ number: i, since: performance.now() });
    // Every fourth change takes a name away.
    if (i % 4 === 1) changes.push(request(host, 'DELETE', '/names', { container: `c${i}` }));
    else changes.push(add(host, i, 1));
  }
  await Promise.all(changes);
  return await lags;
}

/** A change that is looked for on the other host. */
interface Followed {
  readonly number: number;
  readonly since: number;
}

/** Looks for one change after the other: what looks for all at once would itself be the load. */
async function follow(host: Host, changes: readonly Followed[]): Promise<number[]> {
  const lags: number[] = [];
  for (let i = 0; i < (CHANGES_A_SECOND * SECONDS) / FOLLOWED; i += 1) {
    const { number, since } = await until('something is changed', () => changes[i], { every: RESOLUTION });
    await until(
      `c${number} is known`,
      async () => {
        const { answers } = await request<NameFound>(host, 'GET', `/names/lookup?name=c${number}`);
        return answers.includes(addressOf(number, 1));
      },
      { every: RESOLUTION },
    );
    lags.push(performance.now() - since);
  }
  return lags;
}

function add(host: Host, i: number, round: number): Promise<unknown> {
  const body = { container: `c${i}`, name: `c${i}`, addresses: [addressOf(i, round)] };
  return request(host, 'POST', '/names', body);
}

function addressOf(i: number, round: number): string {
  return `10.${40 + round}.${i >> 8}.${i & 255}`;
}

/** The host has names before its router is launched, as one that is launched again. */
function remember(host: Host, first: number, end: number): void {
  const numbers = Array.from({ length: end - first }, (_, i) => first + i);
  const names = numbers.map((i) => ({
    network: 0,
    name: `c${i}`,
    container: `c${i}`,
    addresses: [addressOf(i, 0)],
  }));
  mkdirSync(host.stateDirectory, { mode: 0o700 });
  writeFileSync(join(host.stateDirectory, 'names.json'), JSON.stringify({ names }), { mode: 0o600 });
}
