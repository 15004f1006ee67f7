import ipaddr from 'ipaddr.js';
import { type Cidr, parseCidr } from '../kernel/index.js';

/** The link-local address of an interface with this MAC, as the kernel makes it by itself (RFC 4291, appendix A). */
export function linkLocalOf(mac: string): Cidr {
  const bytes = mac.split(':').map((byte) => Number.parseInt(byte, 16));
  const [first = 0, ...rest] = bytes;
  const identifier = [first ^ 0x02, ...rest.slice(0, 2), 0xff, 0xfe, ...rest.slice(2)];
  const address = new ipaddr.IPv6([0xfe, 0x80, 0, 0, 0, 0, 0, 0, ...identifier]);
  return parseCidr(`${address.toString()}/64`);
}
