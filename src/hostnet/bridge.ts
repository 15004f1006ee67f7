import { readFile, writeFile } from 'node:fs/promises';
import { systemCode, WeftError } from '../errors.js';
import { ipBatch, isAbsent, type Link, link, links } from './ip.js';
import { bridgeAlias, bridgeOwner, isAttachmentOf } from './ownership.js';

export interface BridgeOptions {
  readonly bridge: string;
  /** Peer id of the router, 16 hexadecimal digits. */
  readonly owner: string;
  readonly mtu: number;
}

/** Longest bridge name: its TAP appends four characters, and Linux allows 15. */
export const MAX_BRIDGE_NAME = 11;

/** The name of a bridge's TAP device. */
export function tapName(bridge: string): string {
  return `${bridge}-tap`;
}

/** Throws `bad-bridge-name` for what Linux would not take. */
export function checkBridgeName(name: string): void {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name) && name.length <= MAX_BRIDGE_NAME) return;
  throw new WeftError(
    'bad-bridge-name',
    `"${name}" cannot name a bridge: use at most ${MAX_BRIDGE_NAME} letters, digits, dots, dashes or underscores`,
  );
}

/**
 * A MAC address that stays the same for a peer: its first six bytes, locally administered, unicast. A bridge without one of
 * its own takes the lowest of its ports, and so changes with them.
 */
export function macOf(peer: string): string {
  const bytes = Buffer.from(peer, 'hex').subarray(0, 6);
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/**
 * Makes the bridge, or takes back the one that an earlier run of the same router left, and brings it up. Rejects with
 * `bridge-taken` when that name is somebody else's.
 */
export async function ensureBridge({ bridge, owner, mtu }: BridgeOptions): Promise<void> {
  checkBridgeName(bridge);
  const existing = await link(bridge);
  if (existing === undefined) {
    // Without STP and forward delay a port forwards at once. IGMP/MLD snooping stays on; with no querier seen it floods.
    await ipBatch([
      `link add name ${bridge} type bridge stp_state 0 forward_delay 0`,
      `link set dev ${bridge} alias ${bridgeAlias(owner)}`,
    ]);
  } else {
    refuseForeign(existing, bridge, owner);
  }
  // A container must not be able to change the host's routes by a router advertisement (CVE-2020-11091 in Weave).
  await setSysctl(`net/ipv6/conf/${bridge}/accept_ra`, '0');
  await ipBatch([`link set dev ${bridge} address ${macOf(owner)} mtu ${mtu} up`]);
}

function refuseForeign(existing: Link, bridge: string, owner: string): void {
  const found = bridgeOwner(existing);
  if (existing.linkinfo?.info_kind === 'bridge' && found === owner) return;
  const whose = found === undefined ? 'something else on this host' : `another weft router (${found})`;
  throw new WeftError(
    'bridge-taken',
    `the interface ${bridge} belongs to ${whose}: choose another name with --bridge, or remove it with \`ip link delete ${bridge}\``,
  );
}

/** Puts the TAP into the bridge and brings it up. Rejects with `tap-lost` when it is not there. */
export async function plugTap({ bridge, owner, mtu }: BridgeOptions): Promise<void> {
  const tap = tapName(bridge);
  try {
    await ipBatch([
      `link set dev ${tap} alias ${bridgeAlias(owner)}`,
      `link set dev ${tap} addrgenmode none mtu ${mtu} master ${bridge} up`,
    ]);
  } catch (error) {
    if (!isAbsent(error)) throw error;
    throw new WeftError('tap-lost', `the TAP device ${tap} disappeared while it was being set up`, {
      cause: error,
    });
  }
}

/**
 * Removes the bridge, its TAP and all attachments, as far as they are this router's. Gives the names of what was removed.
 */
export async function removeBridge(bridge: string, owner: string): Promise<string[]> {
  const all = await links();
  const found = all.find(({ ifname }) => ifname === bridge);
  if (found !== undefined && bridgeOwner(found) !== owner) return [];
  const doomed = all.filter(
    (item) => item === found || isAttachmentOf(item, bridge) || isTap(item, bridge, owner),
  );
  const removed: string[] = [];
  for (const { ifname } of doomed) if (await removeLink(ifname)) removed.push(ifname);
  return removed;
}

/** A TAP without an owner was made by a forwarder whose router ended right then. */
function isTap(item: Link, bridge: string, owner: string): boolean {
  return (
    item.ifname === tapName(bridge) &&
    item.linkinfo?.info_kind === 'tun' &&
    (bridgeOwner(item) ?? owner) === owner
  );
}

/** True when this host has an interface of that name. Cheap: asks the kernel, not a command. */
export async function interfaceExists(name: string): Promise<boolean> {
  const table = await readFile('/proc/self/net/dev', 'utf8');
  return table.split('\n').some((line) => line.trimStart().startsWith(`${name}:`));
}

/** Deletes an interface; false when it was gone already. */
export async function removeLink(name: string): Promise<boolean> {
  try {
    await ipBatch([`link delete dev ${name}`]);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

/** Writes a sysctl of our own namespace; one that this kernel does not have is left out (IPv6 may be off). */
async function setSysctl(name: string, value: string): Promise<void> {
  try {
    await writeFile(`/proc/sys/${name}`, value);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw new WeftError('no-privilege', `/proc/sys/${name} cannot be set to ${value}: ${String(error)}`, {
      cause: error,
    });
  }
}
