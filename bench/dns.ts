/**
 * `make bench-dns`: a router's DNS server and dnsmasq, asked by dnsperf from the same container, over the same bridge, for the same names. Prints for
 * each the answers a second, how many that is for a second of its CPU time, and the latency when there is little to do.
 */
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { type Container, type Host, Lab, until } from '../test/lab/index.js';

const NAMES = 500;
const SECONDS = 5;
/** Questions a second when there is little to do. */
const IDLE_RATE = 500;
const WEFT = '169.254.53.53';
const RIVAL = '10.32.0.2';
const TICKS = 100;

const lab = await Lab.create();
try {
  const [host] = await lab.hosts(1);
  await host.launch();
  const client = await host.container('client', '10.32.0.1/16');
  const other = await host.container('other', `${RIVAL}/16`);
  const hosts = Array.from({ length: NAMES }, (_, i) => ({ name: `c${i}`, address: `10.32.1.${i % 250}` }));
  for (const { name, address } of hosts) await add(host, name, address);
  const questions = join(host.directory, 'questions');
  writeFileSync(questions, hosts.map(({ name }) => `${name}.weft.local A\n`).join(''));
  const records = join(host.directory, 'records');
  writeFileSync(
    records,
    hosts.map(({ name, address }) => `host-record=${name}.weft.local,${address}\n`).join(''),
  );
  const rival = other.start([
    'dnsmasq',
    '--no-daemon',
    '--no-resolv',
    '--no-hosts',
    '--user=root',
    `--conf-file=${records}`,
  ]);
  for (const server of [WEFT, RIVAL]) {
    await until(`${server} answers`, async () =>
      (await ask(client, server, questions, ['-n', '1'])).includes('NOERROR'),
    );
  }
  for (const [name, server, pid] of [
    ['weft', WEFT, host.daemon],
    ['dnsmasq', RIVAL, await dnsmasqPid(other)],
  ] as const) {
    console.log(`${name.padEnd(8)} ${await measure(client, server, questions, pid)}`);
  }
  await rival.stop();
} finally {
  lab.remove();
}

async function measure(client: Container, server: string, questions: string, pid: number): Promise<string> {
  const before = await cpuSeconds(pid);
  const busy = await ask(client, server, questions, ['-l', `${SECONDS}`, '-q', '100', '-c', '4'], false);
  const used = (await cpuSeconds(pid)) - before;
  const answered = Number(/Queries completed:\s+(\d+)/.exec(busy)?.[1]);
  const rate = Number(/Queries per second:\s+([\d.]+)/.exec(busy)?.[1]);
  const idle = await ask(client, server, questions, ['-l', `${SECONDS}`, '-Q', `${IDLE_RATE}`]);
  const latencies = [...idle.matchAll(/^> NOERROR \S+ A ([\d.]+)$/gm)].map(([, text]) => Number(text) * 1000);
  latencies.sort((a, b) => a - b);
  const at = (share: number) => (latencies[Math.floor(latencies.length * share)] ?? Number.NaN).toFixed(3);
  return [
    `${Math.round(rate)} answers/s`,
    `${Math.round(answered / used)} a second of CPU`,
    `at ${IDLE_RATE}/s median ${at(0.5)} ms, p99 ${at(0.99)} ms of ${latencies.length}`,
  ].join(', ');
}

/** What dnsperf prints; with every answer when it is verbose. */
async function ask(
  client: Container,
  server: string,
  questions: string,
  args: string[],
  verbose = true,
): Promise<string> {
  const command = ['dnsperf', '-s', server, '-d', questions, ...(verbose ? ['-v'] : []), ...args];
  return await client.run(command);
}

function add(host: Host, name: string, address: string): Promise<void> {
  const body = JSON.stringify({ name, addresses: [address] });
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  const socketPath = join(host.runDirectory, 'weft.sock');
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: 'POST', path: '/names', headers }, (response) => {
      response.resume().once('end', resolve);
    });
    sent.once('error', reject).end(body);
  });
}

/** User and system time of a process. */
async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

async function dnsmasqPid(node: Container): Promise<number> {
  const pid = node.processes()[0];
  if (pid === undefined) throw new Error('dnsmasq does not run');
  return pid;
}
