import { readiness } from '../health.js';
import { counter, type Family, gauge } from './family.js';

/** The daemon: its process, and how the router is in all. */
export const DAEMON: readonly Family[] = [
  {
    name: 'weft_build_info',
    type: 'gauge',
    help: 'Always 1: the versions of the parts.',
    labels: ['version', 'forwarder', 'node'],
    samples: ({ status: { version, forwarder }, daemon: { node } }) => [
      { value: 1, labels: { version, forwarder: forwarder.version ?? '', node } },
    ],
  },
  gauge('weft_ready', 'Whether /readyz says so: 1 or 0.', (seen) => (readiness(seen).ready ? 1 : 0)),
  gauge(
    'weft_faults',
    'What of this router on the host somebody else changed, and is not put right yet.',
    ({ faults }) => faults.length,
  ),
  gauge('weft_clock_seconds', 'Unix time by the clock of this host.', ({ daemon }) => daemon.now),
  gauge(
    'weft_event_loop_lag_seconds',
    "How much later than it could have run a task of the daemon's event loop ran, when this was asked.",
    ({ daemon }) => daemon.eventLoopLag,
  ),
  counter(
    'weft_event_loop_busy_seconds_total',
    "Time for which the daemon's event loop was at work.",
    ({ daemon }) => daemon.eventLoopBusy,
  ),
  gauge('weft_heap_bytes', 'Memory that JavaScript of the daemon uses.', ({ daemon }) => daemon.heapBytes),
  counter(
    'process_cpu_seconds_total',
    'CPU time of the daemon, in user and system.',
    ({ daemon }) => daemon.cpu,
  ),
  gauge('process_resident_memory_bytes', 'Memory of the daemon.', ({ daemon }) => daemon.residentBytes),
  gauge(
    'process_start_time_seconds',
    'Unix time at which the daemon started.',
    ({ daemon }) => daemon.startedAt,
  ),
];
