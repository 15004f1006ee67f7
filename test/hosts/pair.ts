import type { Container, Host, Lab, LaunchOptions } from '../lab/index.js';
import { until } from '../lab/index.js';

/** Two hosts with routers, and a container on each. */
export interface Pair {
  a: Host;
  b: Host;
  c1: Container;
  c2: Container;
}

/** Launches routers on two hosts (the second joins by token) and attaches `c1` on the first, `c2` on the second. */
export async function pair(a: Host, b: Host, options: LaunchOptions = {}): Promise<Pair> {
  await a.launch(options);
  await b.launch({ ...options, token: await a.token() });
  const c1 = await a.container('c1', '10.32.0.1/24', 'fd32::1/64');
  const c2 = await b.container('c2', '10.32.0.2/24', 'fd32::2/64');
  await c1.reaches(c2.address);
  await c1.reaches(c2.address6);
  return { a, b, c1, c2 };
}

/** A pair on a wire of its own. */
export async function pairOn(lab: Lab, { mtu = 1500, ...options }: LaunchOptions & { mtu?: number } = {}) {
  const [a, b] = await lab.hosts(2, { mtu });
  return await pair(a, b, options);
}

/** Payload sizes at which something may change: nothing, one frame's limits, and what needs many fragments. */
export function pingSizes(mtu: number): number[] {
  const edges = [0, 1, 18, 46, mtu - 28, 1472, 2 * mtu, 8972, 16_384, 32_768, 65_507];
  const around = edges.flatMap((size) => [size - 1, size, size + 1]);
  const sweep = Array.from({ length: 32 }, (_, i) => i * 2039);
  const legal = [...around, ...sweep].filter((size) => size >= 0 && size <= 65_507);
  return [...new Set(legal)].sort((x, y) => x - y);
}

/**
 * Pings with each size and returns the sizes that were not answered, at the first try or within `tries`: where the path
 * turns out smaller than the containers' MTU, what may not be fragmented is answered with its size instead, once at
 * either end.
 */
export async function unansweredPings(
  from: Container,
  address: string,
  sizes: readonly number[],
  { tries = 1 } = {},
): Promise<string[]> {
  const ping = `ping -n -q -c 1 -W 1 -s $size ${address} >/dev/null`;
  const script = `for size in ${sizes.join(' ')}; do
    ${Array.from({ length: tries }, () => ping).join(' || ')} || echo $size
  done`;
  return (await from.run(['sh', '-c', script], { within: 120_000 })).split('\n').filter(Boolean);
}

/** All counters of a router, of its daemon and of its forwarder, by name. */
export async function counters(host: Host): Promise<Record<string, number>> {
  const { counters: daemon, datapath } = await host.report();
  return { ...daemon.mesh, ...daemon.overlay, ...datapath?.counters };
}

/**
 * The packets that a forwarder dropped though they were good: by reason, without those for which nobody is there (a
 * container's own chatter) and without those that a full queue could not take, which is how TCP learns its rate.
 */
export async function drops(host: Host): Promise<Record<string, number>> {
  const harmless = [
    'dropped_no_peer',
    'dropped_local',
    'dropped_stp',
    'dropped_tap_full',
    'dropped_socket_full',
  ];
  const all = Object.entries(await counters(host));
  return Object.fromEntries(all.filter(([name]) => name.startsWith('dropped_') && !harmless.includes(name)));
}

/** What the daemon refused or saw fail, in sum. */
export async function refusals(host: Host): Promise<number> {
  const { mesh } = (await host.report()).counters;
  return Object.values(mesh).reduce((sum, count) => sum + count, 0);
}

/** Waits until a counter has grown by at least `amount` since `before`. */
export async function grown(
  host: Host,
  before: Record<string, number>,
  name: string,
  amount = 1,
): Promise<void> {
  await until(
    `${name} of ${host.name} grows by ${amount}`,
    async () => {
      const now = (await counters(host))[name] ?? 0;
      return now - (before[name] ?? 0) >= amount;
    },
    { every: 100 },
  );
}

/** What of weft is on a host: interfaces, rules, processes and files. */
export async function traces(host: Host): Promise<unknown> {
  return {
    links: (await host.ipJson<{ ifname: string }[]>('link')).map(({ ifname }) => ifname),
    addresses: await host.run(['ip', '-brief', 'address']),
    routes: await host.run(['ip', 'route', 'show', 'table', 'all']),
    rules: await host.run(['nft', 'list', 'ruleset']),
    processes: host.processes(),
    files: host.files(),
  };
}
