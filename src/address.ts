import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { WeftError } from './errors.js';

/** The port of both TCP (control links) and UDP (data) unless told otherwise. */
export const DEFAULT_PORT = 6783;

/** A place on the network: an IP address or a DNS name, and a port. */
export interface HostPort {
  readonly kind: 'ipv4' | 'ipv6' | 'name';
  /** IPv4 dotted; IPv6 compressed and without brackets, perhaps with `%zone`; names in lower case. */
  readonly host: string;
  readonly port: number;
}

const NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})?(\.[a-z0-9_]([a-z0-9_-]{0,62})?)*\.?$/i;

/**
 * Reads `host`, `host:port`, `[IPv6]`, `[IPv6]:port` or a bare IPv6 address.
 * Throws `bad-address`.
 */
export function parseHostPort(text: string, defaultPort: number = DEFAULT_PORT): HostPort {
  const trimmed = text.trim();
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

/** `1.2.3.4:6783`, `[2001:db8::1]:6783`, `host.example:6783`. */
export function formatHostPort({ kind, host, port }: HostPort): string {
  return kind === 'ipv6' ? `[${host}]:${port}` : `${host}:${port}`;
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
  if (/^[0-9.]+$/.test(host)) throw badAddress(text, 'it is neither an IPv4 address nor a name');
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
