/** Which congestion control TCP is measured with. */
import { readFile } from 'node:fs/promises';
import type { Node } from '../../test/lab/index.js';

/** Linux's own default, and what busy servers choose. */
const WANTED = ['cubic', 'bbr'];

/**
 * Those of cubic and bbr that every namespace may have on this machine, else the first that it may: a namespace cannot make its own
 * default what the kernel does not allow to everybody (`net.ipv4.tcp_allowed_congestion_control`).
 */
export async function congestionControls(): Promise<string[]> {
  return chooseCongestionControls(
    await readFile('/proc/sys/net/ipv4/tcp_allowed_congestion_control', 'utf8'),
  );
}

/** The same of the names that the kernel lists. */
export function chooseCongestionControls(list: string): string[] {
  const allowed = list.split(/\s+/).filter((name) => name !== '');
  const wanted = WANTED.filter((name) => allowed.includes(name));
  return wanted.length > 0 ? wanted : allowed.slice(0, 1);
}

/**
 * For the sockets that are made from now on. iperf3's own option sets it on a connected socket, where the pacing of a former BBR stays on
 * (the kernel's `sk_pacing_status`), with a timer for each superframe.
 */
export async function pinCongestionControl(node: Node, name: string): Promise<void> {
  await node.sysctl({ 'net.ipv4.tcp_congestion_control': name });
}
