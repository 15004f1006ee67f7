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

const figures = [
  { id: 'tcp1', group: 'throughput', title: 'TCP 1 flow', unit: 'Gb/s', better: 'higher', digits: 2 },
  { id: 'tcp4', group: 'throughput', title: 'TCP 4 flows', unit: 'Gb/s', better: 'higher', digits: 2 },
  { id: 'tcpBoth', group: 'throughput', title: 'TCP both ways', unit: 'Gb/s', better: 'higher', digits: 2 },
  { id: 'udp64', group: 'throughput', title: 'UDP 64 B', unit: 'kpps', better: 'higher', digits: 1 },
  { id: 'udp1300', group: 'throughput', title: 'UDP 1300 B', unit: 'kpps', better: 'higher', digits: 1 },
  { id: 'rttIdleP50', group: 'latency', title: 'RTT idle p50', unit: 'µs', better: 'lower', digits: 0 },
  { id: 'rttIdleP99', group: 'latency', title: 'RTT idle p99', unit: 'µs', better: 'lower', digits: 0 },
  { id: 'rttLoadP50', group: 'latency', title: 'RTT loaded p50', unit: 'µs', better: 'lower', digits: 0 },
  { id: 'rttLoadP99', group: 'latency', title: 'RTT loaded p99', unit: 'µs', better: 'lower', digits: 0 },
  { id: 'cpuMachine', group: 'cost', title: 'CPU, machine', unit: 's/GB', better: 'lower', digits: 2 },
  { id: 'cpuProcesses', group: 'cost', title: 'CPU, processes', unit: 's/GB', better: 'lower', digits: 2 },
  { id: 'memoryDaemon', group: 'cost', title: 'RSS daemon', unit: 'MB', better: 'lower', digits: 1 },
  { id: 'memoryForwarder', group: 'cost', title: 'RSS forwarder', unit: 'MB', better: 'lower', digits: 1 },
] as const satisfies readonly Metric[];

export type MetricId = (typeof figures)[number]['id'];

export const METRICS: readonly (Metric & { readonly id: MetricId })[] = figures;

/** The figures of one visit. Those that do not apply (memory of a kernel tunnel) are missing. */
export type Sample = Partial<Record<MetricId, number>>;
