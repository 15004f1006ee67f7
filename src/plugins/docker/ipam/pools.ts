import ipaddr from 'ipaddr.js';
import { WeftError } from '../../../errors.js';
import { withoutLength } from '../../../net/index.js';
import type { PlatformRange } from '../../platform/index.js';

/** The address spaces by which Docker keeps networks of one host and of a swarm apart. */
export const LOCAL_SPACE = 'weftlocal';
export const GLOBAL_SPACE = 'weftglobal';

/** A longer prefix does not leave room for two hosts. */
const ROOM = 2;
const EMBEDDED_AT = 96;

/** Where a network's addresses come from. */
export interface Pool {
  readonly space: string;
  /** The network's subnet. */
  readonly subnet: string;
  /** The part of it from which addresses are given; null: all. */
  readonly part: string | null;
}

const POOL_ID =
  /^weft\/(weftlocal|weftglobal)\/([0-9a-f.:]+\/\d{1,3})\/(-|[0-9a-f.:]+\/\d{1,3})(\/[0-9a-f]+)?$/;

/** A pool describes itself, so that nothing needs to be remembered of it. What may follow tells pools of the same addresses apart. */
export function poolId({ space, subnet, part }: Pool): string {
  return `weft/${space}/${subnet}/${part ?? '-'}`;
}

/** Throws `bad-request` for what no router gave out. */
export function parsePoolId(id: string): Pool {
  const [, space, subnet = '', part] = POOL_ID.exec(id) ?? [];
  if (space === undefined || !isSubnet(subnet) || (part !== '-' && !isSubnet(part ?? ''))) {
    throw new WeftError('bad-request', `"${id.slice(0, 128)}" is no address pool of weft`);
  }
  return { space, subnet, part: part === '-' || part === undefined ? null : part };
}

/** What is asked of a new pool. */
export interface PoolRequest {
  readonly space: string;
  /** Empty: any. */
  readonly subnet: string;
  /** Empty: all of it. */
  readonly part: string;
  readonly ipv6: boolean;
}

/** Throws `bad-subnet` in one sentence for a pool whose addresses this network cannot give. */
export function choosePool({ space, subnet, part, ipv6 }: PoolRequest, ranges: PlatformRange): Pool {
  if (space !== LOCAL_SPACE && space !== GLOBAL_SPACE) {
    throw new WeftError('bad-request', `"${space.slice(0, 64)}" is no address space of weft`);
  }
  const range = rangeOf(ipv6, ranges);
  const chosen = subnet === '' ? rangeDefault(ipv6, ranges) : parseSubnet(subnet);
  if (!isWithin(chosen, range)) {
    throw new WeftError(
      'bad-subnet',
      `weft gives addresses of ${range}, and ${chosen} is not part of that: choose a --subnet of it, or launch all routers with another --ipalloc-range`,
    );
  }
  const given = part === '' ? null : parseSubnet(part);
  if (given !== null && !isWithin(given, chosen)) {
    throw new WeftError('bad-subnet', `the --ip-range ${given} is not part of the --subnet ${chosen}`);
  }
  for (const each of [chosen, given]) if (each !== null) checkRoom(each);
  return { space, subnet: chosen, part: given };
}

function rangeDefault(ipv6: boolean, { subnet, subnet6 }: PlatformRange): string {
  return ipv6 ? available(subnet6) : subnet;
}

/** All that can be given of a family: IPv6 addresses correspond to those of IPv4, which are their last 32 bits. */
function rangeOf(ipv6: boolean, { range, subnet6 }: PlatformRange): string {
  if (!ipv6) return range;
  const [prefix] = ipaddr.IPv6.parseCIDR(available(subnet6));
  const [first, length] = ipaddr.IPv4.parseCIDR(range);
  const bytes = [...prefix.toByteArray().slice(0, EMBEDDED_AT / 8), ...first.toByteArray()];
  return `${ipaddr.fromByteArray(bytes).toString()}/${EMBEDDED_AT + length}`;
}

function available(subnet6: string | null): string {
  if (subnet6 !== null) return subnet6;
  throw new WeftError('bad-subnet', 'IPv6 is off on this host: leave --ipv6 out');
}

function checkRoom(subnet: string): void {
  const [address, length] = ipaddr.parseCIDR(subnet);
  if ((address.kind() === 'ipv4' ? 32 : 128) - length >= ROOM) return;
  throw new WeftError('bad-subnet', `${subnet} has no room for containers: choose a larger subnet`);
}

/** In canonical text; bits of hosts are dropped. Throws `bad-subnet`. */
export function parseSubnet(text: string): string {
  if (!isSubnet(text)) {
    throw new WeftError('bad-subnet', `"${text.slice(0, 64)}" is no subnet, such as 10.32.4.0/24`);
  }
  const [address, length] = ipaddr.parseCIDR(text);
  const Kind = address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
  return `${Kind.networkAddressFromCIDR(text).toString()}/${length}`;
}

function isSubnet(text: string): boolean {
  const [host = ''] = text.split('/');
  const isWhole =
    ipaddr.IPv4.isValidFourPartDecimal(host) || (ipaddr.IPv6.isValid(host) && !host.includes('%'));
  return text.includes('/') && isWhole && ipaddr.isValidCIDR(text);
}

export function isWithin(inner: string, outer: string): boolean {
  return overlap(inner, outer) && lengthOf(inner) >= lengthOf(outer);
}

/** One of them is part of the other. */
export function overlap(a: string, b: string): boolean {
  const [one, length] = ipaddr.parseCIDR(a);
  const [other, theirs] = ipaddr.parseCIDR(b);
  return one.kind() === other.kind() && one.match(other, Math.min(length, theirs));
}

export function lengthOf(subnet: string): number {
  return Number(subnet.split('/')[1]);
}

/** An address of a pool that was asked for by its name, in canonical text. Throws `bad-subnet` for what no container can have there. */
export function parseFixed(text: string, { subnet }: Pool): string {
  if (!ipaddr.isValid(text) || text.includes('%')) {
    throw new WeftError('bad-subnet', `"${text.slice(0, 64)}" is no IP address`);
  }
  const address = ipaddr.parse(text);
  const [first, length] = ipaddr.parseCIDR(subnet);
  if (address.kind() !== first.kind() || !address.match(first, length)) {
    throw new WeftError('bad-subnet', `${text} is not in ${subnet}: choose an address of this network`);
  }
  if (isOwn(address.toString(), subnet)) {
    throw new WeftError(
      'bad-subnet',
      `${text} is the subnet ${subnet} itself, or all of it: choose another address`,
    );
  }
  return address.toString();
}

/** The address of the subnet itself, or that of all its hosts: no container has it. */
export function isOwn(address: string, subnet: string): boolean {
  if (address === withoutLength(subnet)) return true;
  return !subnet.includes(':') && address === ipaddr.IPv4.broadcastAddressFromCIDR(subnet).toString();
}
