import { closeSync, openSync, readSync } from 'node:fs';
import { endianness, networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { withoutLength } from '../../net/index.js';
import { type Cidr, ipBatch, isAbsent, parseCidr } from '../kernel/index.js';

/** Gives the host these addresses on a bridge; those that it has are left as they are. */
export async function exposeAddresses(bridge: string, cidrs: readonly Cidr[]): Promise<void> {
  await ipBatch(
    cidrs.map(({ text, family }) => {
      return `address replace ${text} dev ${bridge}${family === 'inet6' ? ' nodad' : ' brd +'}`;
    }),
  );
}

/** Takes them away; what is not there is skipped. */
export async function hideAddresses(bridge: string, cidrs: readonly Cidr[]): Promise<void> {
  for (const { text } of cidrs) {
    await ipBatch([`address delete ${text} dev ${bridge}`]).catch((error: unknown) => {
      if (!isAbsent(error)) throw error;
    });
  }
}

/** Brings back the route to the subnet of an address that the host has. */
export async function restoreRoute(bridge: string, { text, address, family }: Cidr): Promise<void> {
  const source = family === 'inet' ? `scope link src ${address}` : 'metric 256';
  await ipBatch([`route replace ${subnetOf(text)} dev ${bridge} proto kernel ${source}`]);
}

/** The addresses of a running interface of this host, with prefix length. */
export function addressesOn(name: string): ReadonlySet<string> {
  const found = networkInterfaces()[name] ?? [];
  return new Set(found.flatMap(({ cidr }) => (cidr === null ? [] : [canonical(cidr)])));
}

function canonical(cidr: string): string {
  const [address = '', length] = cidr.split('/');
  return `${ipaddr.parse(address).toString()}/${length}`;
}

/** A host with more routes than fit in here is not searched to the end at every look. */
const MAX_ROUTES = 512 * 1024;

/** Whether the host has its route to the subnet of an address on a bridge; true when that cannot be told. */
export function hasRoute(bridge: string, { text, family }: Cidr): boolean {
  const subnet = ipaddr.parse(withoutLength(subnetOf(text))).toByteArray();
  const length = Number(text.split('/')[1]);
  const table = head(family === 'inet' ? '/proc/self/net/route' : '/proc/self/net/ipv6_route');
  if (table.length >= MAX_ROUTES) return true;
  const isIt = family === 'inet' ? isIpv4Route(bridge, subnet, length) : isIpv6Route(bridge, subnet, length);
  return table.split('\n').some((line) => isIt(line.trim().split(/\s+/)));
}

/** Columns: interface, destination (as a number of this machine), six that do not matter, mask. */
function isIpv4Route(bridge: string, subnet: readonly number[], length: number) {
  const mask = (0xffffffff << (32 - length)) >>> 0;
  return ([name, destination = '', , , , , , found = '']: readonly string[]) =>
    name === bridge &&
    hostOrder(destination) === Buffer.from(subnet).readUInt32BE() &&
    hostOrder(found) === mask;
}

function hostOrder(text: string): number {
  const bytes = Buffer.from(text, 'hex');
  if (bytes.length !== 4) return -1;
  return endianness() === 'LE' ? bytes.readUInt32LE() : bytes.readUInt32BE();
}

/** Columns: destination, length (hexadecimal), seven that do not matter, interface. */
function isIpv6Route(bridge: string, subnet: readonly number[], length: number) {
  const destination = Buffer.from(subnet).toString('hex');
  return (columns: readonly string[]) =>
    columns[9] === bridge && columns[0] === destination && Number.parseInt(columns[1] ?? '', 16) === length;
}

function head(path: string): string {
  const buffer = Buffer.alloc(MAX_ROUTES);
  let length = 0;
  try {
    const file = openSync(path, 'r');
    try {
      for (let read = -1; read !== 0 && length < MAX_ROUTES; length += read) {
        read = readSync(file, buffer, length, MAX_ROUTES - length, null);
      }
    } finally {
      closeSync(file);
    }
  } catch {
    // the kernel has no IPv6
  }
  return buffer.toString('latin1', 0, length);
}

/** The subnet of an address, such as `10.32.0.0/12`. */
export function subnetOf(cidr: string): string {
  const { text, family } = parseCidr(cidr);
  const kind = family === 'inet' ? ipaddr.IPv4 : ipaddr.IPv6;
  return `${kind.networkAddressFromCIDR(text)}/${text.split('/')[1]}`;
}
