/** The addresses under which other hosts may reach this one, as the kernel tells them in /proc and /sys: no command is run. */
import { open, readdir, readFile } from 'node:fs/promises';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { isReachable } from '../../net/index.js';
import { isInSubnets, isWeftAlias } from '../kernel/index.js';

/**
 * What an address of this host is good for:
 * - `primary`: on an interface with a default route, where the rest of the world is;
 * - `uplink`: on another interface that may lead to other hosts;
 * - `spare`: on a bridge of containers, where it means another host on every host; or one that soon is nobody's (temporary, deprecated).
 */
export type Usefulness = 'primary' | 'uplink' | 'spare';

export interface UnderlayAddress {
  readonly address: string;
  readonly use: Usefulness;
}

/** What the rank of an interface depends on, besides its name and the routes. */
export interface InterfaceFacts {
  /** Some weft router made it, or it stands on one that a weft router made. */
  readonly weft: boolean;
  /** Of a bridge: it has a port that leads out of this host. Undefined for what is no bridge. */
  readonly bridgesOut: boolean | undefined;
}

type Family = 'IPv4' | 'IPv6';

export interface UnderlayFacts {
  readonly addresses: NodeJS.Dict<NetworkInterfaceInfo[]>;
  readonly interfaces: ReadonlyMap<string, InterfaceFacts>;
  /** Metrics of the default routes, by interface. */
  readonly defaults: Readonly<Record<Family, ReadonlyMap<string, number>>>;
  /** IFA_F_… of the IPv6 addresses. */
  readonly flags: ReadonlyMap<string, number>;
}

/** Names that container platforms give. Some of what they make cannot be told from a host's own interfaces by other means. */
const PLATFORM =
  /^(docker|br-[0-9a-f]{12}$|virbr|cni|podman|lxc|lxdbr|veth|cali|flannel|cilium|kube-|nerdctl)/;
/** From linux/if_addr.h. */
const IFA_F = { temporary: 0x01, optimistic: 0x04, dadFailed: 0x08, deprecated: 0x20, tentative: 0x40 };
const ORDER: readonly Usefulness[] = ['primary', 'uplink', 'spare'];

/** This host's addresses, best first, without those of the subnets that are `inside`, of segments of weft. */
export async function underlayAddresses(inside: readonly string[]): Promise<UnderlayAddress[]> {
  return rankAddresses(await underlayFacts(), inside);
}

/** The addresses that mean something on other hosts, best first; nothing that is on weft's own interfaces or inside of a segment. */
export function rankAddresses(facts: UnderlayFacts, inside: readonly string[]): UnderlayAddress[] {
  const ranked = Object.entries(facts.addresses).flatMap(([name, addresses = []]) => {
    if (facts.interfaces.get(name)?.weft) return [];
    return addresses.flatMap(({ address, family, internal }) => {
      const metric = facts.defaults[family].get(name) ?? Infinity;
      const flags = facts.flags.get(address) ?? 0;
      if (internal || !isReachable(address) || isUnusable(flags)) return [];
      const use = useOf(name, facts, flags);
      return use !== 'primary' && isInSubnets(address, inside) ? [] : [{ address, family, metric, use }];
    });
  });
  ranked.sort(
    (a, b) =>
      ORDER.indexOf(a.use) - ORDER.indexOf(b.use) ||
      // An interface with a default route of the other family says less of this address.
      Number(a.metric === Infinity) - Number(b.metric === Infinity) ||
      a.family.localeCompare(b.family) ||
      (a.metric < b.metric ? -1 : Number(a.metric > b.metric)),
  );
  return ranked.map(({ address, use }) => ({ address, use }));
}

function useOf(name: string, { interfaces, defaults }: UnderlayFacts, flags: number): Usefulness {
  if ((flags & (IFA_F.temporary | IFA_F.deprecated)) !== 0) return 'spare';
  if (defaults.IPv4.has(name) || defaults.IPv6.has(name)) return 'primary';
  const bridgesOut = interfaces.get(name)?.bridgesOut;
  return (bridgesOut ?? !PLATFORM.test(name)) ? 'uplink' : 'spare';
}

/** Nobody can be reached at an address of which it is not certain yet that it is unique. */
function isUnusable(flags: number): boolean {
  if ((flags & IFA_F.dadFailed) !== 0) return true;
  return (flags & IFA_F.tentative) !== 0 && (flags & IFA_F.optimistic) === 0;
}

async function underlayFacts(): Promise<UnderlayFacts> {
  const addresses = networkInterfaces();
  const names = Object.keys(addresses).filter((name) =>
    addresses[name]?.some(({ address }) => isReachable(address)),
  );
  const [interfaces, IPv4, IPv6, flags] = await Promise.all([
    Promise.all(names.map(async (name) => [name, await interfaceFacts(name)] as const)),
    readDefaults(readHead('/proc/self/net/route'), defaultRoutes4),
    readDefaults(readFile('/proc/self/net/ipv6_route', 'utf8'), defaultRoutes6),
    readFile('/proc/self/net/if_inet6', 'utf8').then(addressFlags, () => new Map<string, number>()),
  ]);
  return { addresses, interfaces: new Map(interfaces), defaults: { IPv4, IPv6 }, flags };
}

/** A kernel without this family has no such file. */
async function readDefaults(
  text: Promise<string>,
  parse: (text: string) => Map<string, number>,
): Promise<ReadonlyMap<string, number>> {
  return text.then(parse, () => new Map<string, number>());
}

/** The kernel lists IPv4 routes by address, so default routes come first; a router of the Internet has a million others. */
async function readHead(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD));
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}

const HEAD = 4_096;
/** From linux/route.h. */
const [RTF_UP, RTF_REJECT] = [0x0001, 0x0200];

/** Of /proc/net/route: `Iface Destination Gateway Flags RefCnt Use Metric Mask …`, numbers in hexadecimal but for the metric. */
export function defaultRoutes4(text: string): Map<string, number> {
  return lowest(
    text.split('\n').flatMap((line) => {
      const [name = '', destination, , flags = '', , , metric, mask] = line.trim().split(/\s+/);
      if (destination !== ANY4 || mask !== ANY4) return [];
      return [{ name, flags: Number.parseInt(flags, 16), metric: Number(metric) }];
    }),
  );
}

const ANY4 = '00000000';
const ANY6 = /^0{32} 00 0{32} 00 [0-9a-f]{32} ([0-9a-f]{8}) [0-9a-f]{8} [0-9a-f]{8} ([0-9a-f]{8}) +(\S+)$/gm;

/** Of /proc/net/ipv6_route: `destination length source length gateway metric references uses flags device`, all in hexadecimal. */
export function defaultRoutes6(text: string): Map<string, number> {
  return lowest(
    [...text.matchAll(ANY6)].map(([, metric = '', flags = '', name = '']) => ({
      name,
      flags: Number.parseInt(flags, 16),
      metric: Number.parseInt(metric, 16),
    })),
  );
}

/** The lowest metric of each interface. Routes that only refuse are on lo. */
function lowest(
  routes: readonly { readonly name: string; readonly flags: number; readonly metric: number }[],
): Map<string, number> {
  const found = new Map<string, number>();
  for (const { name, flags, metric } of routes) {
    if (name === 'lo' || (flags & RTF_UP) === 0 || (flags & RTF_REJECT) !== 0) continue;
    found.set(name, Math.min(metric, found.get(name) ?? Infinity));
  }
  return found;
}

/** Of /proc/net/if_inet6: `address index length scope flags device`, all in hexadecimal. */
export function addressFlags(text: string): Map<string, number> {
  const lines = text.matchAll(/^([0-9a-f]{32}) \S+ \S+ \S+ ([0-9a-f]{2}) /gm);
  return new Map(
    [...lines].map(([, hex = '', flags = '']) => [
      ipaddr.fromByteArray([...Buffer.from(hex, 'hex')]).toString(),
      Number.parseInt(flags, 16),
    ]),
  );
}

async function interfaceFacts(name: string): Promise<InterfaceFacts> {
  const [entries, ports] = await Promise.all([entriesOf(name), entriesOf(`${name}/brif`)]);
  const leadOut = await Promise.all(ports.map(leadsOut));
  return {
    weft: await isWeft(name, entries),
    bridgesOut: entries.includes('bridge') ? leadOut.includes(true) : undefined,
  };
}

/** There is hardware behind it, or it stands on another interface, as a bond and a VLAN do. */
async function leadsOut(port: string): Promise<boolean> {
  const entries = await entriesOf(port);
  return entries.includes('device') || entries.some((entry) => entry.startsWith(LOWER));
}

/** Maximum number of interfaces that stand on each other. */
const MAX_DEPTH = 4;
const LOWER = 'lower_';

async function isWeft(name: string, entries: readonly string[], depth = 0): Promise<boolean> {
  const alias = await readFile(`${INTERFACES}/${name}/ifalias`, 'utf8').catch(() => '');
  if (isWeftAlias(alias)) return true;
  // The ports of a bridge are below it, too: one that has a port of weft's is in a segment.
  const lower = entries.filter((entry) => entry.startsWith(LOWER)).map((entry) => entry.slice(LOWER.length));
  if (depth === MAX_DEPTH) return false;
  const found = await Promise.all(lower.map(async (each) => isWeft(each, await entriesOf(each), depth + 1)));
  return found.includes(true);
}

const INTERFACES = '/sys/class/net';

/** Nothing where /sys does not show this namespace, or the interface is gone. */
async function entriesOf(path: string): Promise<string[]> {
  return readdir(`${INTERFACES}/${path}`).catch(() => []);
}
