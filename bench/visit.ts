/** One visit: a fresh topology, one contender on it, every workload once. */
import { lasting } from '../test/lab/index.js';
import type { Connection, Contender } from './contender.js';
import type { Sample } from './metrics.js';
import { createTopology } from './topology.js';
import { pinCongestionControl } from './workloads/congestion-control.js';
import { Disturbance } from './workloads/disturbance.js';
import { measureTcp, measureUdp, startIperfServer, type UdpResult } from './workloads/iperf.js';
import { measureRtt, type Rtt } from './workloads/rtt.js';
import { searchUdpRate, TRIAL_SECONDS } from './workloads/udp-rate.js';
import { machineTime, processTime, residentMemory } from './workloads/usage.js';

/** Packets a second, of a contender about which nothing is known yet. */
const FIRST_UDP_RATE = 20_000;

export interface Visit {
  readonly sample: Sample;
  /** The share of the machine (0 to 1) that others used meanwhile. */
  readonly disturbance: number;
  /** What carried the packets, if the contender says so. */
  readonly carrier: string | undefined;
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
    const carrier = await connection.carrier?.();
    await connection.stop();
    return { sample, disturbance, carrier };
  } finally {
    topology.remove();
  }
}

async function measure(connection: Connection, workload: Workload, earlier: Sample): Promise<Sample> {
  const { client, server, serverAddress: address, pids } = connection;
  const { seconds, congestionControl } = workload;
  await client.reaches(address);
  // On both ends, because distributions differ in their default.
  for (const end of [client, server]) await pinCongestionControl(end, congestionControl);
  const iperfServer = await startIperfServer(server);

  const idle = await measureRtt(client, address, seconds);
  const tcp = (shape: { flows?: number; bidirectional?: boolean }) =>
    withCpu(pids, () => measureTcp(client, address, { seconds, ...shape }));
  const [oneFlow, fourFlows, bothWays] = [
    await tcp({}),
    await tcp({ flows: 4 }),
    await tcp({ bidirectional: true }),
  ];
  const loaded = await measureLoadedRtt(connection, seconds);
  const udp64 = await measureUdpRate(connection, 64, earlier.udp64);
  const udp1300 = await measureUdpRate(connection, 1300, earlier.udp1300);

  await iperfServer.stop('SIGTERM');
  return {
    tcp1: oneFlow.gbps,
    cpuTcp1: oneFlow.cpuMachine,
    tcp4: fourFlows.gbps,
    cpuTcp4: fourFlows.cpuMachine,
    tcpBoth: bothWays.gbps,
    cpuTcpBoth: bothWays.cpuMachine,
    udp64: inThousands(udp64),
    ...(udp64 && { cpuUdp64: udp64.cpuMachine }),
    udp1300: inThousands(udp1300),
    ...(udp1300 && { cpuUdp1300: udp1300.cpuMachine }),
    rttIdleP50: idle.p50,
    rttIdleP99: idle.p99,
    rttIdleP999: idle.p999,
    rttLoadP50: loaded.p50,
    rttLoadP99: loaded.p99,
    rttLoadP999: loaded.p999,
    ...(pids.length > 0 && { cpuProcesses: oneFlow.cpuProcesses }),
    ...(await measureMemory(connection)),
  };
}

const inThousands = (result: UdpResult | undefined) => (result?.received ?? 0) / 1000;

/** CPU seconds for 10^9 bytes that arrived. */
interface Cpu {
  /** Of the whole machine: both hosts and iperf3. */
  readonly cpuMachine: number;
  /** Of the contender's processes. */
  readonly cpuProcesses: number;
}

async function withCpu<Result extends { readonly bytes: number }>(
  pids: readonly number[],
  work: () => Promise<Result>,
): Promise<Result & Cpu> {
  const read = async () => ({
    machine: (await machineTime()).busy,
    processes: (await Promise.all(pids.map(processTime))).reduce((total, time) => total + time, 0),
  });
  const before = await read();
  const result = await work();
  const after = await read();
  const gigabytes = result.bytes / 1e9;
  return {
    ...result,
    cpuMachine: (after.machine - before.machine) / gigabytes,
    cpuProcesses: (after.processes - before.processes) / gigabytes,
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

/** The highest rate without loss; undefined if there is none. `earlier`: that of an earlier visit, in thousands of packets a second. */
async function measureUdpRate(
  { client, serverAddress, pids }: Connection,
  payload: number,
  earlier: number | undefined,
): Promise<(UdpResult & Cpu) | undefined> {
  const startRate = earlier ? earlier * 1000 * 0.9 : FIRST_UDP_RATE;
  const trial = (rate: number) =>
    withCpu(pids, () => measureUdp(client, serverAddress, { payload, rate, seconds: TRIAL_SECONDS }));
  return await searchUdpRate(trial, startRate);
}

/** After all the work, with one peer connected. */
async function measureMemory({ roles: { daemon, forwarder } }: Connection): Promise<Sample> {
  return {
    ...(daemon !== undefined && { memoryDaemon: await residentMemory(daemon) }),
    ...(forwarder !== undefined && { memoryForwarder: await residentMemory(forwarder) }),
  };
}
