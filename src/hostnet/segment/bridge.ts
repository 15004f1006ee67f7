import { WeftError } from '../../errors.js';
import type { LinkState } from '../kernel/index.js';
import {
  bridgeAlias,
  ipBatch,
  isAbsent,
  isAttachment,
  isAttachmentOf,
  isPresent,
  type Link,
  link,
  links,
  ownerOf,
  setSysctl,
} from '../kernel/index.js';

export interface BridgeOptions {
  readonly bridge: string;
  /** Peer id of the router, 16 hexadecimal digits. */
  readonly owner: string;
  readonly mtu: number;
}

/** Of the default network, unless the user chooses another. */
export const DEFAULT_BRIDGE = 'weft';

/** Longest bridge name: its TAP appends four characters, and Linux allows 15. */
export const MAX_BRIDGE_NAME = 11;

/**
 * Frames that wait in each queue of a TAP for the forwarder. The kernel's 500 are lost when it is kept from running for half a second, or
 * for less while ten datagrams of 64 KiB arrive in fragments.
 */
const TAP_QUEUE = 2_000;

/** The name of a bridge's TAP device. */
export function tapName(bridge: string): string {
  return `${bridge}-tap`;
}

/** The name of a bridge's VXLAN device. */
export function vxlanName(bridge: string): string {
  return `${bridge}-vx`;
}

/** The name of the bridge of another network of a router that has this bridge. */
export function networkBridge(bridge: string, network: number): string {
  return `${bridge.slice(0, MAX_BRIDGE_NAME - 4)}${network.toString(16).padStart(4, '0')}`;
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
  return textOf(bytes);
}

/** The MAC address that the frames of a peer's forwarder come from: the last five bytes of its id. */
export function forwarderMacOf(peer: string): string {
  return textOf(Buffer.concat([Buffer.of(0x02), Buffer.from(peer, 'hex').subarray(-5)]));
}

function textOf(mac: Buffer): string {
  return [...mac].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/**
 * Makes the bridge, or takes back the one that an earlier run of the same router left, and brings it up. Rejects with
 * `bridge-taken` when that name is somebody else's.
 */
export async function ensureBridge({ bridge, owner, mtu }: BridgeOptions): Promise<void> {
  checkBridgeName(bridge);
  try {
    // Without STP and forward delay a port forwards at once. The forwarder snoops IGMP and MLD, between hosts; a bridge that did so,
    // too, would keep reports from it.
    await ipBatch([
      `link add name ${bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
      `link set dev ${bridge} alias ${bridgeAlias(owner)}`,
      // An address of the host's would open its services on [::] to every container of the segment, on all hosts.
      `link set dev ${bridge} addrgenmode none`,
    ]);
  } catch (error) {
    if (!isPresent(error)) throw error;
    const existing = await link(bridge);
    if (existing !== undefined) refuseForeign(existing, bridge, owner);
  }
  // A container must not be able to change the host's routes by a router advertisement (CVE-2020-11091 in Weave).
  await setSysctl(`net/ipv6/conf/${bridge}/accept_ra`, '0');
  await ipBatch([`link set dev ${bridge} address ${macOf(owner)} mtu ${mtu} up`]);
}

/** Nobody is told to remove what weft did not make. */
function refuseForeign(existing: Link, bridge: string, owner: string): void {
  const found = ownerOf(existing);
  if (existing.linkinfo?.info_kind === 'bridge' && found === owner) return;
  const why =
    found === undefined
      ? `${bridge} is an interface of this host that weft did not make: choose another name with --bridge`
      : `the bridge ${bridge} belongs to another weft router (${found}): choose another name with --bridge, or, if that one is gone for good, remove what it left with \`ip link delete ${bridge}\``;
  throw new WeftError('bridge-taken', why);
}

/** What is wrong with the bridge itself; undefined when nothing is. */
export function bridgeFlaw({ owner, mtu }: BridgeOptions, state: LinkState | undefined): string | undefined {
  if (state === undefined) return 'gone';
  if (!state.isUp) return 'down';
  if (state.mtu !== mtu) return `of another MTU than ${mtu}`;
  if (state.mac !== macOf(owner)) return 'of another MAC address than its own';
  return undefined;
}

/** Puts the TAP into the bridge and brings it up. Rejects with `tap-lost` when it is not there. */
export async function plugTap({ bridge, owner, mtu }: BridgeOptions): Promise<void> {
  const tap = tapName(bridge);
  try {
    // A port has nothing to say itself; the kernel would report the groups that it joins by itself.
    await setSysctl(`net/ipv6/conf/${tap}/disable_ipv6`, '1');
    await ipBatch([
      `link set dev ${tap} alias ${bridgeAlias(owner)}`,
      `link set dev ${tap} mtu ${mtu} txqueuelen ${TAP_QUEUE} master ${bridge} up`,
      // Frames of other hosts must not reach other isolated ports: this host's DNS server.
      `link set dev ${tap} type bridge_slave isolated on`,
    ]);
  } catch (error) {
    if (!isAbsent(error)) throw error;
    throw new WeftError('tap-lost', `the TAP device ${tap} disappeared while it was being set up`, {
      cause: error,
    });
  }
}

/** Removes a bridge, its TAP, its VXLAN device and what is attached to it, as far as they are this router's. Gives their names. */
export async function removeBridge(bridge: string, owner: string): Promise<string[]> {
  return await removeLinks(
    (item) =>
      ([bridge, vxlanName(bridge)].includes(item.ifname) && ownerOf(item) === owner) ||
      isAttachmentOf(item, owner, bridge) ||
      isTap(item, bridge, owner),
  );
}

/** Removes all bridges, TAPs and attachments of a router that had this bridge among others. Gives their names. */
export async function removeInterfaces(bridge: string, owner: string): Promise<string[]> {
  return await removeLinks((item) => ownerOf(item) === owner || isTap(item, bridge, owner));
}

/** The host's end of an attachment. */
export interface HostEnd {
  /** Whose port it is; undefined while it is down or nobody's. */
  readonly bridge: string | undefined;
  readonly mtu: number;
  readonly isIsolated: boolean;
}

/** Switches the hairpin mode of these ports: whether a frame may leave by the port that it came by. */
export async function setHairpin(ports: readonly string[], isOn: boolean): Promise<void> {
  if (ports.length === 0) return;
  await ipBatch(ports.map((port) => `link set dev ${port} type bridge_slave hairpin ${isOn ? 'on' : 'off'}`));
}

/** All host ends of a router's attachments, by name. */
export async function hostEnds(owner: string): Promise<ReadonlyMap<string, HostEnd>> {
  const found = new Map<string, HostEnd>();
  for (const item of await links()) {
    const { ifname, master, mtu = 0, flags = [], linkinfo } = item;
    const isIsolated = linkinfo?.info_slave_data?.isolated === true;
    if (isAttachment(item, owner)) {
      found.set(ifname, { bridge: flags.includes('UP') ? master : undefined, mtu, isIsolated });
    }
  }
  return found;
}

/** The bridges of a router. */
export async function bridgesOf(owner: string): Promise<string[]> {
  const ours = (await links()).filter((item) => ownerOf(item) === owner);
  return ours.filter(({ linkinfo }) => linkinfo?.info_kind === 'bridge').map(({ ifname }) => ifname);
}

async function removeLinks(doomed: (item: Link) => boolean): Promise<string[]> {
  const removed: string[] = [];
  for (const item of await links()) {
    if (doomed(item) && (await removeLink(item.ifname))) removed.push(item.ifname);
  }
  return removed;
}

/** A TAP without an owner was made by a forwarder whose router ended right then. */
function isTap(item: Link, bridge: string, owner: string): boolean {
  return (
    item.ifname === tapName(bridge) &&
    item.linkinfo?.info_kind === 'tun' &&
    (ownerOf(item) ?? owner) === owner
  );
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
