import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { WeftError } from '../errors.js';

/** The port of both TCP (control links) and UDP (data) unless told otherwise. */
export const DEFAULT_PORT = 6783;

/** Where metrics and health are served unless told otherwise. */
export const DEFAULT_STATUS_ADDRESS = '127.0.0.1:6782';
const STATUS_PORT = 6782;

/** A place on the network: an IP address or a DNS name, and a port. */
export interface HostPort {
  readonly kind: 'ipv4' | 'ipv6' | 'name';
  /** IPv4 dotted; IPv6 compressed and without brackets, perhaps with `%zone`; names in lower case. */
  readonly host: string;
  readonly port: number;
}

const NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})?(\.[a-z0-9_]([a-z0-9_-]{0,62})?)*\.?$/i;

/** What names this host itself on every host. */
const OWN_NAME =
  /^(localhost|.+\.localhost|localhost[46]?\.localdomain[46]?|localhost6|ip6-(localhost|loopback))\.?$/;
/** The last label of no DNS name: `127.1` and `0x7f000001` are odd ways to write IPv4 addresses. */
const NUMERIC = /(^|\.)(\d+|0x[0-9a-f]*)\.?$/i;

const ONE_LINK = 'it means something on one link only';
/** Ranges (ipaddr.js names) that hold no address of a router, and what is wrong with them. */
const NOWHERE: Readonly<Record<string, string>> = {
  unspecified: 'it is the address of no host',
  loopback: 'every host is that itself',
  multicast: 'it is the address of a group, not of a host',
  broadcast: 'it is the address of all hosts, not of one',
};

/**
 * Reads `host`, `host:port`, `[IPv6]`, `[IPv6]:port` or a bare IPv6 address.
 * Throws `bad-address`.
 */
export function parseHostPort(text: string, defaultPort: number = DEFAULT_PORT): HostPort {
  const trimmed = text.trim();
  if (trimmed.includes('://')) throw badAddress(text, 'it is a URL');
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(trimmed);
  if (bracketed) {
    const host = canonicalIpv6(bracketed[1] ?? '');
    if (host === undefined) throw badAddress(text, 'there is no IPv6 address in the brackets');
    return { kind: 'ipv6', host, port: parsePort(text, bracketed[2], defaultPort) };
  }
  const bare = canonicalIpv6(trimmed);
  if (bare !== undefined) return { kind: 'ipv6', host: bare, port: defaultPort };

  const [host = '', port, ...rest] = trimmed.split(':');
  if (rest.length > 0) throw badAddress(text, 'an IPv6 address with a port is written [address]:port');
  return { ...parseHost(text, host), port: parsePort(text, port, defaultPort) };
}

/**
 * As `parseHostPort`, the address of another router as somebody names it. Throws `bad-address` also for what can be no other host's:
 * loopback, unspecified, multicast, broadcast, a zone, and IPv4 in the guise of IPv6.
 */
export function parseTarget(text: string, defaultPort: number = DEFAULT_PORT): HostPort {
  const address = parseHostPort(text, defaultPort);
  const why = faultOf(address);
  if (why !== undefined) throw badAddress(text, why);
  return address;
}

/** As `parseTarget`, where others reach this host: not an address that holds on one link only, either. Throws `bad-address`. */
export function parseAdvertised(text: string, defaultPort: number = DEFAULT_PORT): HostPort {
  const address = parseTarget(text, defaultPort);
  if (address.kind !== 'name' && !isReachable(address.host)) throw badAddress(text, ONE_LINK);
  return address;
}

/** Where metrics and health are served: an IP address of this host. Undefined for `none`. Throws `bad-address`. */
export function parseStatusAddress(text: string): HostPort | undefined {
  if (text === 'none') return undefined;
  const address = parseHostPort(text, STATUS_PORT);
  if (address.kind === 'name')
    throw badAddress(text, 'the status address is an IP address of this host, or "none"');
  const range = rangeOf(address.host.split('%')[0] ?? '');
  if (range === 'multicast' || range === 'broadcast') throw badAddress(text, `it is a ${range} address`);
  return address;
}

/** Whether nobody but this host gets there. */
export function isLoopback({ kind, host }: HostPort): boolean {
  return kind !== 'name' && !host.includes('%') && rangeOf(host) === 'loopback';
}

/** False for an IP address that is no single host's: what is dialled there goes nowhere, or back to oneself. */
export function isDialable(address: string): boolean {
  return !ipaddr.isValid(address) || !['unspecified', 'multicast', 'broadcast'].includes(rangeOf(address));
}

/** False for loopback, link-local and the like, which mean nothing on another host. */
export function isReachable(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const range = rangeOf(address);
  return range !== 'linkLocal' && NOWHERE[range] === undefined;
}

function rangeOf(address: string): string {
  return ipaddr.process(address).range();
}

function faultOf({ kind, host }: HostPort): string | undefined {
  if (kind === 'name') return OWN_NAME.test(host) ? 'every host is that itself' : undefined;
  if (host.includes('%')) return 'its zone means something on this host only';
  const address = ipaddr.parse(host);
  const range = address.range();
  if (range === 'ipv4Mapped')
    return `it is an IPv4 address in the guise of IPv6, write ${ipaddr.process(host)}`;
  if (kind === 'ipv6' && range === 'linkLocal') return ONE_LINK;
  return NOWHERE[range];
}

/** `1.2.3.4:6783`, `[2001:db8::1]:6783`, `host.example:6783`. */
export function formatHostPort({ host, port }: Omit<HostPort, 'kind'>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An IP address as sockets report it, with IPv4-mapped IPv6 written as IPv4. Throws `bad-address`. */
export function ipHostPort(address: string, port: number): HostPort {
  const { host, kind } = parseHostPort(address.includes(':') ? `[${address}]` : address);
  if (kind === 'name') throw badAddress(address, 'it is not an IP address');
  const mapped = kind === 'ipv6' && !host.includes('%') ? ipaddr.process(host) : undefined;
  return mapped?.kind() === 'ipv4' ? { kind: 'ipv4', host: mapped.toString(), port } : { kind, host, port };
}

function parseHost(text: string, host: string): Pick<HostPort, 'kind' | 'host'> {
  if (ipaddr.IPv4.isValidFourPartDecimal(host)) {
    return { kind: 'ipv4', host: ipaddr.IPv4.parse(host).toString() };
  }
  if (NUMERIC.test(host)) throw badAddress(text, 'it is neither an IPv4 address nor a name');
  if (!NAME.test(host)) throw badAddress(text, 'it is neither an IP address nor a DNS name');
  return { kind: 'name', host: host.toLowerCase() };
}

function canonicalIpv6(text: string): string | undefined {
  const [address = '', zone] = text.split('%');
  if (!isIPv6(address)) return undefined;
  const canonical = ipaddr.IPv6.parse(address).toString();
  return zone === undefined ? canonical : `${canonical}%${zone}`;
}

function parsePort(text: string, port: string | undefined, defaultPort: number): number {
  if (port === undefined) return defaultPort;
  const value = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (value < 1 || value > 65_535) throw badAddress(text, 'the port must be a number from 1 to 65535');
  return value;
}

function badAddress(text: string, why: string): WeftError {
  return new WeftError(
    'bad-address',
    `"${text}" is not an address: ${why}; write host, host:port or [IPv6]:port`,
  );
}
