/** The host's end of an interface on a segment: how it is called, and what makes it a port of the bridge. */
import { createHash } from 'node:crypto';
import { attachmentAlias, ipBatch } from '../kernel/index.js';
import { superframe } from '../underlay/index.js';

/** How the names of all hosts' ends begin. */
export const HOST_ENDS = 'wv';

export interface HostEndOptions {
  /** Name of the host's end. */
  readonly port: string;
  readonly bridge: string;
  /** Peer id of the router. */
  readonly owner: string;
  readonly mtu: number;
}

/** Name of the host's end: follows from what it connects, so that attaching twice meets the same interface. */
export function hostEnd(bridge: string, inode: number, inside: string): string {
  return `${HOST_ENDS}${digestOf(`${bridge}\0${inode}\0${inside}`)}`;
}

/** Twelve hexadecimal digits. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** The `ip` commands that make it a port of the bridge. They may be repeated. */
export function plugLines({ port, bridge, mtu }: Omit<HostEndOptions, 'owner'>): string[] {
  return [
    `link set dev ${port} mtu ${mtu} master ${bridge} up`,
    `link set dev ${port} type bridge_slave isolated off`,
  ];
}

/** The `ip` commands that say whose it is. */
export function ownLines({ port, bridge, owner }: HostEndOptions, inside: string): string[] {
  return [
    `link set dev ${port} alias ${attachmentAlias(owner, bridge, inside)}`,
    `link set dev ${port} addrgenmode none`,
  ];
}

/**
 * What the other end may send as one superframe. The host's end keeps the kernel's limits: they would apply to what comes
 * in, where the forwarder may have coalesced more than that.
 */
export function gsoLimits(mtu: number): string {
  const { segments, bytes } = superframe(mtu);
  return `gso_max_size ${bytes} gso_max_segs ${segments}`;
}

/** Puts it back onto its bridge, whatever somebody did to it. */
export async function plugPort(options: Omit<HostEndOptions, 'owner'>): Promise<void> {
  await ipBatch(plugLines(options));
}
