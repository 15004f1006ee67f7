/** Everything that Prometheus is told: what there is, and the text of it. Only this room knows prom-client. */
import {
  Counter,
  Gauge,
  type OpenMetricsContentType,
  openMetricsContentType,
  prometheusContentType,
  Registry,
} from 'prom-client';
import type { Observation } from '../observation.js';
import { DAEMON } from './daemon.js';
import type { Family } from './family.js';
import { FORWARDER } from './forwarder.js';
import { HOST } from './host.js';
import { KERNEL_PATHS } from './kernel-paths.js';
import { MESH } from './mesh.js';
import { PEERS } from './peers.js';
import { POLICIES } from './policies.js';

export { DROP_REASONS } from './forwarder.js';
export { PEER_SERIES_LIMIT } from './peers.js';

export const FAMILIES: readonly Family[] = [
  ...DAEMON,
  ...MESH,
  ...PEERS,
  ...KERNEL_PATHS,
  ...HOST,
  ...POLICIES,
  ...FORWARDER,
];

export const contentTypes = { text: prometheusContentType, openmetrics: openMetricsContentType };

/** All metrics of one look at the router: nothing is left of an earlier one. */
export async function metricsText(seen: Observation, format: keyof typeof contentTypes): Promise<string> {
  const registry = format === 'text' ? new Registry() : openMetricsRegistry();
  for (const family of FAMILIES) enter(family, seen, registry);
  return await registry.metrics();
}

function openMetricsRegistry(): Registry<OpenMetricsContentType> {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(openMetricsContentType);
  return registry;
}

/** What is not known is left out: prom-client would make a 0 of it. */
function enter(
  { name, type, help, labels = [], samples }: Family,
  seen: Observation,
  registry: Registry | Registry<OpenMetricsContentType>,
): void {
  const found = samples(seen);
  if (found.length === 0) return;
  const configuration = { name, help, labelNames: labels, registers: [registry] };
  if (type === 'counter') {
    const metric = new Counter(configuration);
    for (const { value, labels: of = {} } of found) metric.inc({ ...of }, value);
  } else {
    const metric = new Gauge(configuration);
    for (const { value, labels: of = {} } of found) metric.set({ ...of }, value);
  }
}
