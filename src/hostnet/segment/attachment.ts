import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { WeftError } from '../../errors.js';
import type { Namespace } from '../kernel/index.js';
import { type Cidr, ipBatch, ipSetUp, isPresent, type Link, link, parseCidr } from '../kernel/index.js';
import { removeLink } from './bridge.js';
import { gsoLimits, type HostEndOptions, ownLines, plugLines } from './host-end.js';
import { linkLocalOf } from './link-local.js';
import { RESOLVER_ADDRESS, resolverRoutes } from './resolver-port.js';

const PORT_UP_TIMEOUT = 500;
const PORT_UP_POLL = 5;
const BR_STATE_FORWARDING = 3; // linux/if_bridge.h
const MULTICAST = '224.0.0.0/4';

/** What a container reaches on the link, through one of its interfaces: all groups, and the DNS server, which is on every segment. */
export const CONTAINER_ROUTES: readonly string[] = [MULTICAST, `${RESOLVER_ADDRESS}/32`];

/** Name of the interface inside the container, unless the user chooses another. */
export const DEFAULT_INTERFACE = 'ethweft';

/** A way of a container that leads through its interface. */
export interface ContainerRoute {
  /** Such as `0.0.0.0/0`. */
  readonly destination: string;
  /** Null: on the link. */
  readonly gateway: string | null;
}

export interface AttachOptions extends HostEndOptions {
  readonly namespace: Namespace;
  /** Inside the container. */
  readonly interface: string;
  readonly cidrs: readonly Cidr[];
  /** Of the interface, when it must be made: the one that it had, so that nobody has to learn a new one. */
  readonly mac: string;
  /** That the interface is to have from now on, whatever it has. */
  readonly newMac?: string | undefined;
  /** Whether multicast goes out here, unless it has another way already. */
  readonly multicastRoute: boolean;
  /** More ways that lead through it, unless the container has one to there already. */
  readonly routes: readonly ContainerRoute[];
  /** Called before the container is heard for the first time: whoever needs to know its MAC by then. When it rejects, so does all. */
  readonly onReady?: (mac: string) => Promise<void>;
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
  const { port } = options;
  checkInterfaceName(options.interface);
  const wanted = options.newMac ?? options.mac;
  const made = await ensurePair(options, wanted);
  try {
    return await configure(options, made ? linkLocalOf(wanted).text : undefined, async (mac) => {
      await Promise.all([portUp(port), options.onReady?.(mac)]);
    });
  } catch (error) {
    if (made) await removeLink(port);
    throw error;
  }
}

/** Multicast and the DNS server are reached through this interface of a container from now on. */
export async function addRoutes({ path }: Namespace, inside: string): Promise<void> {
  await ipBatch([`route replace ${MULTICAST} dev ${inside}`, ...resolverRoutes(inside)], path);
}

/** The MAC of a container's interface now; undefined when it is not there. */
export async function interfaceMac({ path }: Namespace, inside: string): Promise<string | undefined> {
  return (await link(inside, path))?.address;
}

export async function setInterfaceMac({ path }: Namespace, inside: string, mac: string): Promise<void> {
  await ipBatch([`link set dev ${inside} address ${mac}`], path);
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

/** Makes both ends, or brings back the host's end of a pair that is there. True when it was made. */
async function ensurePair(options: AttachOptions, mac: string): Promise<boolean> {
  const { port, namespace, interface: inside } = options;
  const plugged = plugLines(options);
  try {
    await ipBatch([createPair(options, mac), ...ownLines(options, inside), ...plugged]);
    return true;
  } catch (error) {
    if (!isPresent(error)) {
      await removeLink(port);
      throw error;
    }
  }
  if ((await link(port)) === undefined) throw interfaceTaken(namespace, inside);
  await ipBatch(plugged);
  return false;
}

function createPair({ port, namespace, interface: inside, mtu }: AttachOptions, mac: string): string {
  const peer = `peer name ${inside} mtu ${mtu} address ${mac} netns ${namespace.path}`;
  return `link add name ${port} mtu ${mtu} type veth ${peer}`;
}

/** A unicast address of nobody's making: locally administered. */
export function randomMac(): string {
  const bytes = randomBytes(6);
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
  return bytes.toString('hex').replace(/(..)(?=.)/g, '$1:');
}

/**
 * Sets up the container's end, in one process, and announces its addresses once it is `ready`. The link-local address of a new one is
 * given before it is up, where the kernel would make the same: it follows from a random MAC, and asking whether somebody has it would
 * wake every container of the segment, and cost 500 containers more than the rest of attaching.
 */
async function configure(
  options: AttachOptions,
  local: string | undefined,
  ready: (mac: string) => Promise<void>,
): Promise<AttachedInterface> {
  const { namespace, interface: inside, cidrs, mtu, multicastRoute, routes, newMac } = options;
  const container = await ipSetUp(
    {
      interface: inside,
      sysctls: sysctls(inside, cidrs),
      ipv6Lines: local === undefined ? [] : [`address replace ${local} dev ${inside} nodad`],
      lines: [
        `link set dev ${inside} mtu ${mtu} ${gsoLimits(mtu)}${newMac === undefined ? '' : ` address ${newMac}`}`,
        ...cidrs.map((cidr) => setAddress(inside, cidr)),
        `link set dev ${inside} up`,
        ...resolverRoutes(inside),
      ],
      // One that the container has already is left as it is.
      attempts: [
        ...(multicastRoute ? [`route add ${MULTICAST} dev ${inside}`] : []),
        ...routes.map((route) => addRoute(inside, route)),
      ],
      last: async (found) => {
        const { mac } = view(found);
        await ready(mac);
        // Setting the address that it has makes the kernel announce all addresses of the interface (see sysctls).
        return `link set dev ${inside} address ${mac}`;
      },
    },
    namespace.path,
  );
  if (container === undefined) {
    throw new WeftError('no-such-namespace', `${namespace.target} disappeared while it was being attached`);
  }
  return view(container);
}

/** Without duplicate detection, as it is unique already: it would hold an IPv6 address back for a second. */
function setAddress(inside: string, { text, family }: Cidr): string {
  return `address replace ${text} dev ${inside}${family === 'inet6' ? ' nodad' : ' brd +'}`;
}

function addRoute(inside: string, { destination, gateway }: ContainerRoute): string {
  const way = gateway === null ? `dev ${inside}` : `via ${gateway} dev ${inside} onlink`;
  return `route add ${destination} ${way}`;
}

/**
 * The kernel announces addresses by itself when the interface changes, and the second address of a subnet outlives the
 * removal of the first.
 */
function sysctls(inside: string, cidrs: readonly Cidr[]): string[] {
  return [
    `/proc/sys/net/ipv4/conf/${inside}/arp_notify=1`,
    `/proc/sys/net/ipv6/conf/${inside}/ndisc_notify=1`,
    `/proc/sys/net/ipv4/conf/${inside}/promote_secondaries=1`,
    // Engines switch IPv6 off in containers whose other interfaces have none.
    ...(cidrs.some(({ family }) => family === 'inet6')
      ? [`/proc/sys/net/ipv6/conf/${inside}/disable_ipv6=0`]
      : []),
  ];
}

/** A bridge port forwards only once the kernel has seen its carrier; what is announced before is lost. */
async function portUp(outside: string): Promise<void> {
  for (let waited = 0; waited < PORT_UP_TIMEOUT; waited += PORT_UP_POLL) {
    if (await isForwarding(outside)) return;
    await delay(PORT_UP_POLL);
  }
}

/** Out of sysfs, where it shows this namespace: a command costs as much as the rest of the wait. */
async function isForwarding(port: string): Promise<boolean> {
  const state = await readFile(`/sys/class/net/${port}/brport/state`, 'utf8').catch(() => undefined);
  if (state !== undefined) return Number(state) === BR_STATE_FORWARDING;
  return (await link(port))?.linkinfo?.info_slave_data?.state === 'forwarding';
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
