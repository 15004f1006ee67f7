/**
 * `make bench-many`: real routers, many on this machine, each on a host of its own in the lab; ARGS is how many (50).
 * Prints how long it takes until all know, are linked to and carry traffic to all, and what one costs then.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Host, Lab, lasting, until } from '../test/lab/index.js';
import { describeMachine } from './machine.js';
import { processTime, residentMemory, waitForQuiet } from './workloads/usage.js';

const COUNT = Number(process.argv[2] ?? 50);
if (!Number.isInteger(COUNT) || COUNT < 2) throw new Error('how many routers: a whole number from 2');
/** Seconds for which idle routers are watched. */
const WATCH = 20;
/** Each newcomer is met by all others on the same few cores: the next one comes once less than this share of them is busy. */
const BUSY = 0.8;
const RESULTS = fileURLToPath(new URL('results/many.json', import.meta.url));

enlargeNeighbourTables();
const lab = await Lab.create();
try {
  const wire = await lab.wire();
  const hosts: Host[] = [];
  for (let i = 0; i < COUNT; i += 1) hosts.push(await lab.host(wire));
  const [first, ...others] = hosts;
  if (first === undefined) throw new Error('no host');
  await first.launch();
  const token = await first.token();
  const began = performance.now();
  for (const host of others) {
    await host.launch({ token });
    await waitForQuiet(BUSY);
  }
  const launched = seconds(began);
  console.error(`${COUNT} routers launched in ${launched.toFixed(1)} s`);
  for (const host of hosts) await isConnectedToAll(host);
  const connected = seconds(began) - launched;
  console.error(`all connected to all ${connected.toFixed(1)} s later`);
  await lasting(10);
  const before = await cpuTimes(hosts);
  await lasting(WATCH);
  const after = await cpuTimes(hosts);
  const result = {
    date: new Date().toISOString(),
    machine: await describeMachine(),
    routers: COUNT,
    launchedSeconds: launched,
    connectedSeconds: connected,
    daemon: await costs(hosts, before, after, 'daemon'),
    forwarder: await costs(hosts, before, after, 'forwarder'),
  };
  const text = JSON.stringify(result, null, 1);
  writeFileSync(RESULTS, `${text}\n`);
  console.log(`${text}\nwritten to ${RESULTS}`);
} finally {
  lab.remove();
}

/** All namespaces of a kernel share tables of 1,024 neighbours, and every host has all others in them. The limits are put back when we end. */
function enlargeNeighbourTables(): void {
  const limits = ['ipv4', 'ipv6'].flatMap((family) =>
    [3, 2, 1].map((level) => {
      const path = `/proc/sys/net/${family}/neigh/default/gc_thresh${level}`;
      return { path, before: Number(readFileSync(path, 'utf8')) };
    }),
  );
  const restore = () => {
    for (const { path, before } of limits) writeFileSync(path, `${before}`);
  };
  process.once('exit', restore);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.prependOnceListener(signal, restore);
  for (const { path, before } of limits) writeFileSync(path, `${Math.max(before, 4 * COUNT ** 2)}`);
}

type Part = 'daemon' | 'forwarder';
type Times = ReadonlyMap<number, number>;

async function isConnectedToAll(host: Host): Promise<void> {
  await until(
    `${host.name} is connected to all`,
    async () => {
      const { connections } = await host.report();
      return connections.filter(({ udp }) => udp === 'up').length === COUNT - 1;
    },
    { within: 60_000, every: 500 },
  );
}

/** CPU seconds of each process so far. */
async function cpuTimes(hosts: readonly Host[]): Promise<Times> {
  const pids = hosts.flatMap(({ daemon, forwarder }) => [daemon, forwarder]);
  return new Map(await Promise.all(pids.map(async (pid) => [pid, await processTime(pid)] as const)));
}

/** Resident megabytes, and percent of a core when idle: mean and most. */
async function costs(hosts: readonly Host[], before: Times, after: Times, part: Part) {
  const pids = hosts.map((host) => host[part]);
  const cpu = pids.map((pid) => (100 * ((after.get(pid) ?? 0) - (before.get(pid) ?? 0))) / WATCH);
  const memory = await Promise.all(pids.map(residentMemory));
  return { megabytes: summary(memory), cpuPercent: summary(cpu) };
}

function summary(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean: Number(mean.toFixed(2)), most: Number(Math.max(...values).toFixed(2)) };
}

function seconds(since: number): number {
  return (performance.now() - since) / 1000;
}
