import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { WeftError } from '../../errors.js';

/** An address with the length of its subnet, in canonical text. */
export interface Cidr {
  /** Such as `10.32.0.1/12` or `fd00::1/64`. */
  readonly text: string;
  readonly address: string;
  readonly family: 'inet' | 'inet6';
}

/** Reads a subnet, such as `10.0.0.0/8`, into canonical text. Throws `bad-subnet`. */
export function parseSubnet(text: string): string {
  if (!text.includes('/') || !ipaddr.isValidCIDR(text)) {
    throw new WeftError('bad-subnet', `"${text}" is not a subnet, such as 10.0.0.0/8 or fd00::/8`);
  }
  const [address, length] = ipaddr.parseCIDR(text);
  const Kind = address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
  return `${Kind.networkAddressFromCIDR(text).toString()}/${length}`;
}

/** Reads `address/length`, whatever the address is good for. Throws `bad-cidr`. */
export function parseCidr(text: string): Cidr {
  const [host = '', ...lengths] = text.split('/');
  if (lengths.length !== 1 || isIP(host) === 0 || host.includes('%') || !ipaddr.isValidCIDR(text)) {
    throw new WeftError('bad-cidr', `"${text}" is not an address with a prefix length, such as 10.32.0.1/12`);
  }
  const [address, length] = ipaddr.parseCIDR(text);
  return {
    text: `${address.toString()}/${length}`,
    address: address.toString(),
    family: address.kind() === 'ipv4' ? 'inet' : 'inet6',
  };
}

/** True when the address is in one of these subnets; a subnet may be written as `address/length`. */
export function isInSubnets(address: string, subnets: readonly string[]): boolean {
  const sought = ipaddr.process(address);
  return subnets.some((text) => {
    const [network, length] = ipaddr.parseCIDR(text);
    return network.kind() === sought.kind() && sought.match(network, length);
  });
}
