/** Ethernet frames as nobody's own network stack would send them. */
import { encode, RECURSION_DESIRED } from 'dns-packet';
import ipaddr from 'ipaddr.js';

/** Of the DNS server on each host. */
export const DNS_MAC = '02:77:65:66:74:35';
export const EVERYBODY = 'ff:ff:ff:ff:ff:ff';

/** IEEE 802, local experimental 1: means nothing to anybody. */
export function plainFrame(to: string, from: string): Buffer {
  return padded(bytes(to), bytes(from), Buffer.from('88b5', 'hex'));
}

/** Of routers' probes for loops: IEEE 802, local experimental 2. */
export const PROBE_TYPE = 0x88b6;

/** Like a probe for loops that a router sent, but with a number that it did not send. */
export function loopProbe(like: Buffer, version: number): Buffer {
  const probe = Buffer.from(like);
  probe.writeUInt16BE(version, 22);
  return probe.fill(0, 34);
}

/** A gratuitous ARP request (RFC 5227): `address` is at `mac`. */
export function gratuitousArp(address: string, mac: string, from = mac): Buffer {
  const ip = bytes(address);
  const request = Buffer.from('0001080006040001', 'hex');
  return padded(
    bytes(EVERYBODY),
    bytes(from),
    Buffer.from('0806', 'hex'),
    request,
    bytes(mac),
    ip,
    Buffer.alloc(6),
    ip,
  );
}

/** An unsolicited neighbour advertisement to all nodes (RFC 4861, section 4.4): `target` is at `mac`. */
export function advertisement(target: string, mac: string, from = mac): Buffer {
  const [source, destination] = [bytes(target), bytes('ff02::1')];
  const message = Buffer.concat([
    Buffer.from('8800000020000000', 'hex'),
    bytes(target),
    Buffer.from('0201', 'hex'),
    bytes(mac),
  ]);
  message.writeUInt16BE(checksum(source, destination, message), 2);
  const header = Buffer.from('6000000000003aff', 'hex');
  header.writeUInt16BE(message.length, 4);
  return Buffer.concat([
    bytes('33:33:00:00:00:01'),
    bytes(from),
    Buffer.from('86dd', 'hex'),
    header,
    source,
    destination,
    message,
  ]);
}

/** A DNS question for the address of a name, in UDP over IPv4 (RFC 1035, 768, 791). */
export function question(name: string, from: { mac: string; address: string; port: number }): Buffer {
  const message = encode({
    type: 'query',
    id: from.port,
    flags: RECURSION_DESIRED,
    questions: [{ type: 'A', name }],
  });
  const header = Buffer.from('45000000000000004011000000000000a9fe3535', 'hex');
  header.writeUInt16BE(header.length + 8 + message.length, 2);
  bytes(from.address).copy(header, 12);
  header.writeUInt16BE(~onesComplementSum(header) & 0xffff, 10);
  const udp = Buffer.alloc(8); // no checksum, as IPv4 allows
  udp.writeUInt16BE(from.port, 0);
  udp.writeUInt16BE(53, 2);
  udp.writeUInt16BE(udp.length + message.length, 4);
  return padded(bytes(DNS_MAC), bytes(from.mac), Buffer.from('0800', 'hex'), header, udp, message);
}

/** Of ICMPv6, with the pseudo-header (RFC 8200, section 8.1). */
function checksum(source: Buffer, destination: Buffer, message: Buffer): number {
  const pseudo = Buffer.alloc(8);
  pseudo.writeUInt32BE(message.length);
  pseudo[7] = 58;
  return ~onesComplementSum(Buffer.concat([source, destination, pseudo, message])) & 0xffff;
}

function onesComplementSum(all: Buffer): number {
  let sum = 0;
  for (let at = 0; at < all.length; at += 2) sum += all.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

/** Of a MAC or an IP address. */
function bytes(address: string): Buffer {
  const isMac = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(address);
  return isMac
    ? Buffer.from(address.replaceAll(':', ''), 'hex')
    : Buffer.from(ipaddr.parse(address).toByteArray());
}

function padded(...parts: readonly Buffer[]): Buffer {
  const frame = Buffer.concat(parts);
  return Buffer.concat([frame, Buffer.alloc(Math.max(0, 60 - frame.length))]);
}
