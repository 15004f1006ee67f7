/** Round trips by ICMP echo: they cross the data path and nothing else, no process answers them. */
import type { Node } from '../../test/lab/index.js';
import { percentile } from '../stats.js';

const INTERVAL_SECONDS = 0.001;

/** In microseconds, which is also ping's resolution. */
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
  const times = [...output.matchAll(/time=([\d.]+) ms/g)].map((match) => Number(match[1]) * 1000);
  if (times.length < count / 2) throw new Error(`only ${times.length} of ${count} pings were answered`);
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99), p999: percentile(times, 0.999) };
}
