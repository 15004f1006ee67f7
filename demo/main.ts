/**
 * Three hosts on this machine, with real routers and a container on each: network namespaces instead of computers,
 * everything else as it would be. Stays up until Ctrl-C; with --once it ends by itself, with exit code 0 if every step
 * held. Leaves nothing behind either way.
 */
import { randomBytes } from 'node:crypto';
import type { Datagram } from '../test/lab/capture.js';
import type { Container } from '../test/lab/container.js';
import { type Host, WEFT } from '../test/lab/host.js';
import { Lab } from '../test/lab/lab.js';
import { until } from '../test/lab/until.js';
import { answer, bold, command, dim, fact, step, tip } from './narrator.js';

const MEGABIT = 1e6;
/** What is around the payload of a UDP datagram of a container when it is on the wire: UDP, IP, Ethernet, the sealed packet. */
const SEALED = 8 + 20 + 14 + 8 + 16 + 16;

interface World {
  hosts: [Host, Host, Host];
  containers: [Container, Container, Container];
}

async function main(): Promise<void> {
  const once = process.argv.includes('--once');
  process.once('SIGINT', () => {
    console.log(`\n${dim('Everything is removed.')}`);
    process.exit(once ? 130 : 0);
  });
  const lab = await Lab.create();
  try {
    const world = await build(lab);
    await showPings(world);
    await showThroughput(world);
    await showStatus(world);
    await showSecrecy(world);
    if (once) {
      console.log(`\n${bold('All of it held.')} ${dim('Everything is removed.')}`);
    } else {
      stay(world);
      await new Promise(() => setInterval(() => {}, 2 ** 30));
    }
  } catch (error) {
    console.error(lab.logs());
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  } finally {
    lab.remove();
  }
}

async function build(lab: Lab): Promise<World> {
  step('Three hosts on one wire, nothing but IP between them');
  const hosts = await lab.hosts(3);
  for (const host of hosts) fact(`${host.name} has ${host.address}`);
  const [one, two, three] = hosts;

  step('A router on the first makes a network and prints the line that joins it');
  const first = await one.launch();
  const token = await one.token();
  command('host1', 'weft launch');
  answer(`weft launch --token ${token}`);
  fact(`peer ${first.peer} is ready after ${first.seconds.toFixed(2)} s`);

  step('The others join with that line, and everybody finds everybody');
  for (const host of [two, three]) {
    const { peer, seconds } = await host.launch({ token });
    command(host.name, `weft launch --token ${token.slice(0, 16)}…`);
    fact(`peer ${peer} is ready after ${seconds.toFixed(2)} s`);
  }
  await Promise.all([one.isConnectedTo(two), one.isConnectedTo(three), two.isConnectedTo(three)]);
  fact('host2 and host3 were told of host1 only; they have found each other');

  step('A container on each joins the segment');
  const containers: Container[] = [];
  for (const [i, host] of hosts.entries()) {
    const cidr = `10.32.0.${i + 1}/24`;
    const container = await host.container(`c${i + 1}`, cidr);
    command(host.name, `weft attach ${container.namespace} ${cidr}`);
    containers.push(container);
  }
  const [c1, c2, c3] = containers;
  if (c1 === undefined || c2 === undefined || c3 === undefined) throw new Error('three containers were made');
  return { hosts, containers: [c1, c2, c3] };
}

async function showPings({ containers: [c1, c2, c3] }: World): Promise<void> {
  step('They are neighbours on one Ethernet');
  for (const [from, to] of [
    [c1, c2],
    [c2, c3],
    [c3, c1],
  ] as const) {
    await from.reaches(to.address);
    const said = await from.run(['ping', '-n', '-q', '-c', '5', '-i', '0.2', to.address]);
    const average = /= [\d.]+\/([\d.]+)\//.exec(said)?.[1];
    fact(`${from.name} pings ${to.name} in ${average} ms`);
  }
}

async function showThroughput({ containers: [c1, c2] }: World): Promise<void> {
  const { code } = await c1.attempt(['sh', '-c', 'command -v iperf3']);
  if (code !== 0) return fact('how fast it is would be shown if iperf3 were installed');
  step('How fast: one TCP connection from c1 to c2, encrypted, on the cores of this machine');
  const server = c2.start(['iperf3', '--server', '--one-off']);
  await until('iperf3 listens', () => c2.run(['sh', '-c', 'ss -Hltn sport = 5201 | grep .']));
  const said = await c1.run(['iperf3', '--client', c2.address, '--time', '3', '--json']);
  await server.ends();
  const result = JSON.parse(said) as { end: { sum_received: { bits_per_second: number } } };
  const megabits = result.end.sum_received.bits_per_second / MEGABIT;
  if (megabits < 1) throw new Error('nothing went through');
  fact(bold(`${Math.round(megabits).toLocaleString('en')} Mbit/s`));
}

async function showStatus({ hosts: [one] }: World): Promise<void> {
  step('What the first router tells');
  for (const part of [[], ['connections']]) {
    const line = ['status', ...part];
    command('host1', `weft ${line.join(' ')}`);
    answer(await one.weft(...line));
  }
}

async function showSecrecy({ hosts: [one, two], containers: [c1, c2] }: World): Promise<void> {
  step('What the wire shows of it');
  const marker = `the launch code is ${randomBytes(4).toString('hex')}`;
  const wire = await one.capture();
  const inside = await one.capture('weft-tap');
  const place = `/dev/udp/${c2.address}/7000`;
  await c1.run(['bash', '-c', `printf %s "$1" >${place}`, 'bash', marker]);
  await until('the TAP has seen it', () => inside.bytes().includes(marker));
  const length = marker.length + SEALED;
  const isIt = ({ to, payload }: Datagram) => to === two.address && payload.length === length;
  const [packet] = await wire.until(1, isIt);
  const [seen, captured] = [await inside.stop(), await wire.stop()];
  if (!seen.includes(marker)) throw new Error('the marker was not sent');
  if (captured.includes(marker)) throw new Error('the wire shows the plaintext');
  command('c1', `printf %s "${marker}" >${place}`);
  fact(`host1's side of the tunnel saw it in clear: "${marker}"`);
  fact(`its wire did not: ${captured.length} bytes captured, the text is not among them`);
  answer(dim(`on the wire: ${packet?.payload.subarray(0, 40).toString('hex')}…`));
}

function stay({ hosts: [one], containers: [c1, c2, c3] }: World): void {
  const asRouter = `ip netns exec ${one.namespace} env WEFT_RUN_DIR=${one.runDirectory} WEFT_STATE_DIR=${one.stateDirectory}`;
  step('It is yours until Ctrl-C');
  console.log();
  tip('from a container to another', `ip netns exec ${c1.namespace} ping ${c2.address}`);
  tip('a shell in a container', `ip netns exec ${c3.namespace} bash`);
  tip('the router of host1', `${asRouter} ${WEFT} status peers`);
  tip('what its wire shows', `ip netns exec ${one.namespace} tcpdump -n -X -i ${one.port.device}`);
}

await main();
