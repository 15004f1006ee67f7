import { setImmediate as turn } from 'node:timers/promises';
import type { DaemonFacts } from '../../api/status/index.js';

/** What this process is like now. It is measured at the moment of asking: nothing runs for it at other times. */
export async function daemonFacts(): Promise<DaemonFacts> {
  const asked = performance.now();
  await turn();
  const lag = performance.now() - asked;
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    node: process.version,
    now: Date.now() / 1e3,
    startedAt: performance.timeOrigin / 1e3,
    cpu: (user + system) / 1e6,
    residentBytes: rss,
    heapBytes: heapUsed,
    eventLoopLag: lag / 1e3,
    eventLoopBusy: performance.eventLoopUtilization().active / 1e3,
  };
}
