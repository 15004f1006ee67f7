/** Round trips by ICMP echo: they cross the data path and nothing else, no process answers them. */
import type { Node } from '../../test/lab/index.js';
import { groupedPercentile } from '../stats.js';

const INTERVAL_SECONDS = 0.001;

/** In microseconds. Those that ping counts are whole ones. */
export interface Rtt {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** Pings every millisecond for so many seconds. */
export async function measureRtt(client: Node, address: string, seconds: number): Promise<Rtt> {
  const count = Math.ceil(seconds / INTERVAL_SECONDS);
  const output = await client.run([
    'ping',
    '-n',
    '-i',
    `${INTERVAL_SECONDS}`,
    '-c',
    `${count}`,
    '-W',
    '1',
    address,
  ]);
  const times = [...output.matchAll(/time=([\d.]+) ms/g)].map((match) => Math.round(Number(match[1]) * 1000));
  if (times.length < count / 2) throw new Error(`only ${times.length} of ${count} pings were answered`);
  return {
    p50: groupedPercentile(times, 0.5),
    p99: groupedPercentile(times, 0.99),
    p999: groupedPercentile(times, 0.999),
  };
}
