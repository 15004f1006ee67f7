import { readFile } from 'node:fs/promises';
import ipaddr from 'ipaddr.js';
import { nameserversIn } from '../../../dns/index.js';
import { isIpv6, withoutLength } from '../../../net/index.js';
import { overlap } from './pools.js';

const [ROUTES, ROUTES6, SERVERS] = ['/proc/self/net/route', '/proc/self/net/ipv6_route', '/etc/resolv.conf'];
/** From linux/route.h. */
const RTF_REJECT = 0x0200;

/** What of this host is in the way of a subnet that Docker is to choose, by Docker's own rule: a route or a DNS server. */
export async function inTheWay(subnet: string): Promise<string | undefined> {
  const read = (path: string) => readFile(path, 'utf8').catch(() => '');
  const [routes, routes6, servers] = await Promise.all([read(ROUTES), read(ROUTES6), read(SERVERS)]);
  const route = [...parseRoutes(routes), ...parseRoutes6(routes6)].find((each) => overlap(each, subnet));
  if (route !== undefined) return `a route to ${route}`;
  const server = parseServers(servers).find((each) => overlap(each, subnet));
  return server === undefined ? undefined : `the DNS server ${withoutLength(server)}`;
}

/** Of /proc/net/route: `Iface Destination Gateway Flags RefCnt Use Metric Mask …`, addresses as numbers of this machine. */
export function parseRoutes(text: string): string[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, destination, , flags = '', , , , mask] = line.trim().split(/\s+/);
      if (destination === undefined || mask === undefined || /^0+$/.test(mask)) return [];
      if ((Number.parseInt(flags, 16) & RTF_REJECT) !== 0) return [];
      const ones = ipaddr.fromByteArray(bytesOf(mask)).prefixLengthFromSubnetMask();
      return ones === null ? [] : [`${ipaddr.fromByteArray(bytesOf(destination)).toString()}/${ones}`];
    });
}

/** The last byte comes first. */
function bytesOf(hex: string): number[] {
  return [...Buffer.from(hex, 'hex')].reverse();
}

/** Of /proc/net/ipv6_route: `destination length source length gateway metric references uses flags device`. */
export function parseRoutes6(text: string): string[] {
  return [...text.matchAll(/^([0-9a-f]{32}) ([0-9a-f]{2}) .* ([0-9a-f]{8}) +\S+$/gm)].flatMap(
    ([, destination = '', length = '', flags = '']) => {
      const isAny = Number.parseInt(length, 16) === 0 || (Number.parseInt(flags, 16) & RTF_REJECT) !== 0;
      const address = ipaddr.fromByteArray([...Buffer.from(destination, 'hex')]);
      return isAny ? [] : [`${address.toString()}/${Number.parseInt(length, 16)}`];
    },
  );
}

/** Of resolv.conf, each as a subnet of its own. */
export function parseServers(text: string): string[] {
  const servers = nameserversIn(text).filter((server) => !server.includes('%'));
  return servers.map((server) => `${server}/${isIpv6(server) ? 128 : 32}`);
}
