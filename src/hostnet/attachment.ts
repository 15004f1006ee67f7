import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { WeftError } from '../errors.js';
import { removeLink } from './bridge.js';
import { type Cidr, parseCidr } from './cidr.js';
import { ipBatch, type Link, link, routes } from './ip.js';
import { superframe } from './mtu.js';
import type { Namespace } from './namespace.js';
import { attachmentAlias } from './ownership.js';

const PORT_UP_TIMEOUT = 500;
const PORT_UP_POLL = 5;
const MULTICAST = '224.0.0.0/4';

/** Name of the interface inside the container, unless the user chooses another. */
export const DEFAULT_INTERFACE = 'ethweft';

export interface AttachOptions {
  readonly bridge: string;
  readonly mtu: number;
  readonly namespace: Namespace;
  /** Inside the container. */
  readonly interface: string;
  readonly cidrs: readonly Cidr[];
  /** Of the interface, when it must be made: the one that it had, so that nobody has to learn a new one. */
  readonly mac?: string | undefined;
}

/** Throws `bad-interface-name` for what Linux would not take. */
export function checkInterfaceName(name: string): void {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(name)) return;
  throw new WeftError(
    'bad-interface-name',
    `"${name}" cannot name an interface: use at most 15 letters, digits, dots, dashes or underscores`,
  );
}

/** What an attached interface looks like from inside. */
export interface AttachedInterface {
  readonly interface: string;
  readonly mac: string;
  readonly addresses: readonly string[];
}

/**
 * Gives a container an interface on the bridge, with these addresses; one that it has already gets what is missing. The
 * addresses are announced (gratuitous ARP, unsolicited neighbour advertisement). Rejects with `interface-taken` when the
 * container has an interface of that name that is not ours.
 */
export async function attach(options: AttachOptions): Promise<AttachedInterface> {
  const { bridge, namespace, interface: inside, cidrs, mtu } = options;
  checkInterfaceName(inside);
  const outside = hostEnd(bridge, namespace.inode, inside);
  const [host, container, multicast] = await Promise.all([
    link(outside),
    link(inside, namespace.path),
    routes(['route', 'show', 'exact', MULTICAST], namespace.path),
  ]);
  if (host === undefined && container !== undefined) throw interfaceTaken(namespace, inside);
  await ipBatch([
    ...(host === undefined ? createPair(options, outside) : []),
    `link set dev ${outside} mtu ${mtu} master ${bridge} up`,
  ]);
  const present = container === undefined ? [] : addressesOf(container);
  await ipBatch(
    [
      `link set dev ${inside} mtu ${mtu} ${gsoLimits(mtu)}`,
      ...cidrs.filter(({ text }) => !present.includes(text)).map((cidr) => addAddress(inside, cidr)),
      `link set dev ${inside} up`,
      ...(multicast.length === 0 ? [`route add ${MULTICAST} dev ${inside}`] : []),
    ],
    namespace.path,
    sysctls(inside),
  );
  await portUp(outside);
  return await announce(inside, namespace);
}

/** Takes addresses away. Gives what is left; the interface stays. */
export async function removeAddresses(
  namespace: Namespace,
  inside: string,
  cidrs: readonly Cidr[],
): Promise<string[]> {
  const container = await link(inside, namespace.path);
  const present = container === undefined ? [] : addressesOf(container);
  const leaving = cidrs.map(({ text }) => text).filter((text) => present.includes(text));
  if (leaving.length > 0) {
    await ipBatch(
      leaving.map((text) => `address delete ${text} dev ${inside}`),
      namespace.path,
    );
  }
  return present.filter((text) => !leaving.includes(text));
}

/** Takes the interface away, with all its addresses. False when it was gone already. */
export async function detach(bridge: string, inode: number, inside: string): Promise<boolean> {
  return await removeLink(hostEnd(bridge, inode, inside));
}

/** What is there now; undefined when the container has no such interface. */
export async function inspect(namespace: Namespace, inside: string): Promise<AttachedInterface | undefined> {
  const container = await link(inside, namespace.path);
  return container === undefined ? undefined : view(container);
}

/** The host's end: found again from what it connects, so that attaching twice meets the same interface. */
function hostEnd(bridge: string, inode: number, inside: string): string {
  const digest = createHash('sha256').update(`${bridge}\0${inode}\0${inside}`).digest('hex');
  return `wv${digest.slice(0, 12)}`;
}

function createPair(options: AttachOptions, outside: string): string[] {
  const { bridge, namespace, interface: inside, mtu, mac } = options;
  const address = mac === undefined ? '' : ` address ${mac}`;
  const peer = `peer name ${inside} mtu ${mtu}${address} netns ${namespace.path}`;
  return [
    `link add name ${outside} mtu ${mtu} type veth ${peer}`,
    `link set dev ${outside} alias ${attachmentAlias(bridge, inside)}`,
    `link set dev ${outside} addrgenmode none`,
  ];
}

/**
 * What the container may send as one superframe. The host's end keeps the kernel's limits: they would apply to what comes
 * in, where the forwarder may have coalesced more than that.
 */
function gsoLimits(mtu: number): string {
  const { segments, bytes } = superframe(mtu);
  return `gso_max_size ${bytes} gso_max_segs ${segments}`;
}

/** Without duplicate detection: it would hold an IPv6 address back for a second. */
function addAddress(inside: string, { text, family }: Cidr): string {
  return `address add ${text} dev ${inside}${family === 'inet6' ? ' nodad' : ' brd +'}`;
}

/**
 * The kernel announces addresses by itself when the interface changes, and the second address of a subnet outlives the
 * removal of the first.
 */
function sysctls(inside: string): string[] {
  return [
    `/proc/sys/net/ipv4/conf/${inside}/arp_notify`,
    `/proc/sys/net/ipv6/conf/${inside}/ndisc_notify`,
    `/proc/sys/net/ipv4/conf/${inside}/promote_secondaries`,
  ];
}

/** A bridge port forwards only once the kernel has seen its carrier; what is announced before is lost. */
async function portUp(outside: string): Promise<void> {
  for (let waited = 0; waited < PORT_UP_TIMEOUT; waited += PORT_UP_POLL) {
    const port = await link(outside);
    if (port?.linkinfo?.info_slave_data?.state === 'forwarding') return;
    await delay(PORT_UP_POLL);
  }
}

/** Setting the address that it has makes the kernel announce all addresses of the interface (see sysctls). */
async function announce(inside: string, namespace: Namespace): Promise<AttachedInterface> {
  const container = await link(inside, namespace.path);
  if (container?.address === undefined) {
    throw new WeftError('no-such-namespace', `${namespace.target} disappeared while it was being attached`);
  }
  await ipBatch([`link set dev ${inside} address ${container.address}`], namespace.path);
  return view(container);
}

function view(container: Link): AttachedInterface {
  return { interface: container.ifname, mac: container.address ?? '', addresses: addressesOf(container) };
}

function addressesOf({ addr_info = [] }: Link): string[] {
  return addr_info.flatMap(({ local, prefixlen, scope }) =>
    local === undefined || scope === 'link' ? [] : [parseCidr(`${local}/${prefixlen}`).text],
  );
}

function interfaceTaken({ target }: Namespace, inside: string): WeftError {
  return new WeftError(
    'interface-taken',
    `${target} already has an interface ${inside} that this router did not make: choose another name with --interface`,
  );
}
