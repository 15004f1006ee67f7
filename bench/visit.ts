/** One visit: a fresh topology, one contender on it, every workload once. */
import { lasting } from '../test/lab/index.js';
import type { Connection, Contender } from './contender.js';
import type { Sample } from './metrics.js';
import { createTopology } from './topology.js';
import { pinCongestionControl } from './workloads/congestion-control.js';
import { Disturbance } from './workloads/disturbance.js';
import { measureTcp, measureUdp, startIperfServer, type TcpResult } from './workloads/iperf.js';
import { measureRtt, type Rtt } from './workloads/rtt.js';
import { searchUdpRate, TRIAL_SECONDS } from './workloads/udp-rate.js';
import { machineTime, processTime, residentMemory } from './workloads/usage.js';

const UDP_PAYLOADS = { udp64: 64, udp1300: 1300 } as const;
/** Packets a second, of a contender about which nothing is known yet. */
const FIRST_UDP_RATE = 20_000;

export interface Visit {
  readonly sample: Sample;
  /** The share of the machine (0 to 1) that others used meanwhile. */
  readonly disturbance: number;
}

/** How long, and with what. */
export interface Workload {
  /** Of each workload. */
  readonly seconds: number;
  readonly congestionControl: string;
}

/** Runs every workload. `earlier` is a sample of the same contender: its UDP search starts there. */
export async function visit(contender: Contender, workload: Workload, earlier: Sample): Promise<Visit> {
  const topology = await createTopology();
  const { a, b } = topology;
  try {
    const others = await Disturbance.watch([a, b].flatMap(({ host, container }) => [host, container]));
    const connection = await contender.start(topology);
    const sample = await measure(connection, workload, earlier).catch((error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : error}\n${connection.logs()}`.trim());
    });
    const disturbance = await others.share();
    await connection.stop();
    return { sample, disturbance };
  } finally {
    topology.remove();
  }
}

async function measure(connection: Connection, workload: Workload, earlier: Sample): Promise<Sample> {
  const { client, server, serverAddress: address } = connection;
  const { seconds, congestionControl } = workload;
  await client.reaches(address);
  // On both ends, because distributions differ in their default.
  for (const end of [client, server]) await pinCongestionControl(end, congestionControl);
  const iperfServer = await startIperfServer(server);

  const idle = await measureRtt(client, address, seconds);
  const { gbps, ...cpu } = await measureTcpWithCpu(connection, seconds);
  const fourFlows = await measureTcp(client, address, { seconds, flows: 4 });
  const bothWays = await measureTcp(client, address, { seconds, bidirectional: true });
  const loaded = await measureLoadedRtt(connection, seconds);
  const udp64 = await measureUdpRate(connection, 'udp64', earlier);
  const udp1300 = await measureUdpRate(connection, 'udp1300', earlier);

  await iperfServer.stop('SIGTERM');
  return {
    tcp1: gbps,
    tcp4: fourFlows.gbps,
    tcpBoth: bothWays.gbps,
    udp64,
    udp1300,
    rttIdleP50: idle.p50,
    rttIdleP99: idle.p99,
    rttLoadP50: loaded.p50,
    rttLoadP99: loaded.p99,
    ...cpu,
    ...(await measureMemory(connection)),
  };
}

type Cpu = Pick<Sample, 'cpuMachine' | 'cpuProcesses'>;

/** One TCP flow, and the CPU time that 10^9 bytes took: of the whole machine (both hosts and iperf3), and of the contender's processes. */
async function measureTcpWithCpu(connection: Connection, seconds: number): Promise<{ gbps: number } & Cpu> {
  const { client, serverAddress, pids } = connection;
  const read = async () => ({
    machine: (await machineTime()).busy,
    processes: (await Promise.all(pids.map(processTime))).reduce((total, time) => total + time, 0),
  });
  const before = await read();
  const { gbps, bytes }: TcpResult = await measureTcp(client, serverAddress, { seconds });
  const after = await read();
  const gigabytes = bytes / 1e9;
  return {
    gbps,
    cpuMachine: (after.machine - before.machine) / gigabytes,
    ...(pids.length > 0 && { cpuProcesses: (after.processes - before.processes) / gigabytes }),
  };
}

/** Round trips while one TCP flow fills the tunnel in the direction of the requests. */
async function measureLoadedRtt({ client, serverAddress }: Connection, seconds: number): Promise<Rtt> {
  const load = measureTcp(client, serverAddress, { seconds: seconds + 1 });
  const [rtt] = await Promise.all([
    lasting(0.5).then(() => measureRtt(client, serverAddress, seconds)),
    load,
  ]);
  return rtt;
}

/** In thousands of packets a second. */
async function measureUdpRate(
  { client, serverAddress }: Connection,
  id: keyof typeof UDP_PAYLOADS,
  earlier: Sample,
): Promise<number> {
  const payload = UDP_PAYLOADS[id];
  const startRate = earlier[id] ? earlier[id] * 1000 * 0.9 : FIRST_UDP_RATE;
  const trial = (rate: number) =>
    measureUdp(client, serverAddress, { payload, rate, seconds: TRIAL_SECONDS });
  return (await searchUdpRate(trial, startRate)) / 1000;
}

/** After all the work, with one peer connected. */
async function measureMemory({ roles: { daemon, forwarder } }: Connection): Promise<Sample> {
  return {
    ...(daemon !== undefined && { memoryDaemon: await residentMemory(daemon) }),
    ...(forwarder !== undefined && { memoryForwarder: await residentMemory(forwarder) }),
  };
}
