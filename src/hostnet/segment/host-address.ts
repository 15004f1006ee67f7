/** Which addresses an interface on a segment can have as its own. */
import ipaddr from 'ipaddr.js';
import { WeftError } from '../../errors.js';
import type { Cidr } from '../kernel/index.js';
import { RESOLVER_ADDRESS, RESOLVER_ADDRESS6 } from './resolver-port.js';

/** Throws `bad-cidr` for one that stands for a group, a subnet, no one, or somebody else. */
export function checkHostAddress({ text }: Cidr): void {
  const [address, length] = ipaddr.parseCIDR(text);
  const fault = address.kind() === 'ipv4' ? faultOfIpv4(text) : faultOfIpv6(text);
  const server = [RESOLVER_ADDRESS, RESOLVER_ADDRESS6].includes(address.toString());
  const what = server ? 'the address of the name server in every container' : fault;
  if (what === undefined) return;
  throw new WeftError('bad-cidr', `${address.toString()}/${length} is ${what}: choose another`);
}

/** What an address of these kinds is, for the end of a sentence. */
const KINDS: Readonly<Record<string, string>> = {
  unspecified: 'an unspecified address',
  loopback: 'a loopback address',
  multicast: 'a multicast address',
  broadcast: 'the broadcast address of every network',
  ipv4Mapped: 'an IPv4 address in IPv6 notation',
};

const FUTURE_USE = ipaddr.IPv4.parseCIDR('240.0.0.0/4');

function faultOfIpv4(text: string): string | undefined {
  const [address, length] = ipaddr.IPv4.parseCIDR(text);
  const kind = KINDS[address.range()];
  if (kind !== undefined) return kind;
  if (address.match(FUTURE_USE)) return 'an address that is reserved for future use';
  // Of two addresses both are hosts' (RFC 3021), and one is its own.
  if (length >= 31) return undefined;
  const isAddress = (other: ipaddr.IPv4) => other.toString() === address.toString();
  if (isAddress(ipaddr.IPv4.networkAddressFromCIDR(text))) return 'the address of its subnet itself';
  if (isAddress(ipaddr.IPv4.broadcastAddressFromCIDR(text))) return 'the broadcast address of its subnet';
  return undefined;
}

function faultOfIpv6(text: string): string | undefined {
  const [address, length] = ipaddr.IPv6.parseCIDR(text);
  const kind = KINDS[address.range()];
  if (kind !== undefined || length >= 127) return kind; // RFC 6164
  const subnet = ipaddr.IPv6.networkAddressFromCIDR(text).toString();
  // RFC 4291, 2.6.1: it belongs to every router of the subnet.
  return subnet === address.toString() ? 'the anycast address of the routers of its subnet' : undefined;
}
