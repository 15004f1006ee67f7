/** The figures, in the order in which they are shown. */

export const GROUPS = ['throughput', 'latency', 'cost'] as const;

export interface Metric {
  readonly id: string;
  readonly group: (typeof GROUPS)[number];
  readonly title: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** Digits after the point. */
  readonly digits: number;
}

const rate = { group: 'throughput', better: 'higher' } as const;
/** CPU seconds of the whole machine, both hosts and iperf3, for 10^9 bytes that arrived. */
const cpu = { group: 'throughput', unit: 's/GB', better: 'lower', digits: 2 } as const;
const latency = { group: 'latency', unit: 'µs', better: 'lower', digits: 0 } as const;
const cost = { group: 'cost', better: 'lower' } as const;

const figures = [
  { ...rate, id: 'tcp1', title: 'TCP 1 flow', unit: 'Gb/s', digits: 2 },
  { ...cpu, id: 'cpuTcp1', title: 'CPU 1 flow' },
  { ...rate, id: 'tcp4', title: 'TCP 4 flows', unit: 'Gb/s', digits: 2 },
  { ...cpu, id: 'cpuTcp4', title: 'CPU 4 flows' },
  { ...rate, id: 'tcpBoth', title: 'TCP both ways', unit: 'Gb/s', digits: 2 },
  { ...cpu, id: 'cpuTcpBoth', title: 'CPU both ways' },
  { ...rate, id: 'udp64', title: 'UDP 64 B', unit: 'kpps', digits: 1 },
  { ...cpu, id: 'cpuUdp64', title: 'CPU 64 B' },
  { ...rate, id: 'udp1300', title: 'UDP 1300 B', unit: 'kpps', digits: 1 },
  { ...cpu, id: 'cpuUdp1300', title: 'CPU 1300 B' },
  { ...latency, id: 'rttIdleP50', title: 'RTT idle p50' },
  { ...latency, id: 'rttIdleP99', title: 'RTT idle p99' },
  { ...latency, id: 'rttIdleP999', title: 'RTT idle p99.9' },
  { ...latency, id: 'rttLoadP50', title: 'RTT loaded p50' },
  { ...latency, id: 'rttLoadP99', title: 'RTT loaded p99' },
  { ...latency, id: 'rttLoadP999', title: 'RTT loaded p99.9' },
  { ...cost, id: 'cpuProcesses', title: 'CPU 1 flow, processes', unit: 's/GB', digits: 2 },
  { ...cost, id: 'memoryDaemon', title: 'RSS daemon', unit: 'MB', digits: 1 },
  { ...cost, id: 'memoryForwarder', title: 'RSS forwarder', unit: 'MB', digits: 1 },
] as const satisfies readonly Metric[];

export type MetricId = (typeof figures)[number]['id'];

export const METRICS: readonly (Metric & { readonly id: MetricId })[] = figures;

/** The figures of one visit. Those that do not apply (memory of a kernel tunnel) are missing. */
export type Sample = Partial<Record<MetricId, number>>;
