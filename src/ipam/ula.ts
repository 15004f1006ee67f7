import ipaddr from 'ipaddr.js';
import { blake2b } from '../identity/index.js';
import { addressNumber, addressText } from './ring/index.js';

/**
 * An IPv4 subnet of prefix length n corresponds to an IPv6 subnet of length 96 + n, so that subnets are
 * disjoint in both or in neither.
 */
const EMBEDDED_AT = 96;
const LABEL = Buffer.from('weft ula v1');

/**
 * The IPv6 side of the ring: a unique local prefix of 48 bits (RFC 4193) derived from the network's id,
 * zeros, and the IPv4 address in the last 32 bits. IPv4 and IPv6 addresses correspond one to one, so that the
 * owner of one owns the other.
 */
export class Ula {
  readonly #prefix: readonly number[];

  /** `network` is the network's id, 16 hexadecimal digits. */
  constructor(network: string) {
    const globalId = blake2b(32, [LABEL, Buffer.from(network, 'hex')]).subarray(0, 5);
    this.#prefix = [0xfd, ...globalId, 0, 0, 0, 0, 0, 0];
  }

  /** All IPv6 addresses that this network can hand out, such as `fd12:3456:789a::/96`. */
  get range(): string {
    return `${ipaddr.fromByteArray([...this.#prefix, 0, 0, 0, 0]).toString()}/${EMBEDDED_AT}`;
  }

  /**
   * The IPv6 address that corresponds to an IPv4 address in a subnet of this prefix length, with its own
   * prefix length.
   */
  text(address: number, length: number): string {
    const bytes = [...this.#prefix, ...addressText(address).split('.').map(Number)];
    return `${ipaddr.fromByteArray(bytes).toString()}/${EMBEDDED_AT + length}`;
  }

  /**
   * The number of the IPv4 address that corresponds to an IPv6 address; undefined for an address of another
   * network.
   */
  embedded(address: string): number | undefined {
    if (!ipaddr.IPv6.isValid(address)) return undefined;
    const bytes = ipaddr.IPv6.parse(address).toByteArray();
    if (this.#prefix.some((byte, at) => bytes[at] !== byte)) return undefined;
    return addressNumber(bytes.slice(12).join('.'));
  }
}

/** The prefix length of the IPv4 subnet that corresponds to an IPv6 subnet of this length. */
export function embeddedLength(length: number): number {
  return length - EMBEDDED_AT;
}
