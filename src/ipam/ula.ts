import ipaddr from 'ipaddr.js';
import { blake2b } from '../identity/index.js';
import { addressNumber, addressText } from './ring/index.js';

/** An IPv4 subnet of length n is an IPv6 subnet of length 96 + n: what is apart in one is apart in the other. */
const EMBEDDED_AT = 96;
const LABEL = Buffer.from('weft ula v1');

/**
 * The IPv6 side of the ring: a unique local prefix of 48 bits (RFC 4193) that follows from the network's id, zeros, and the IPv4
 * address in the last 32 bits. Each IPv4 address has exactly one IPv6 address and the other way round, so that whoever owns one owns both.
 */
export class Ula {
  readonly #prefix: readonly number[];

  /** `network`: the network's id, 16 hexadecimal digits. */
  constructor(network: string) {
    const globalId = blake2b(32, [LABEL, Buffer.from(network, 'hex')]).subarray(0, 5);
    this.#prefix = [0xfd, ...globalId, 0, 0, 0, 0, 0, 0];
  }

  /** Such as `fd12:3456:789a::/96`: all addresses that this network can have. */
  get range(): string {
    return `${ipaddr.fromByteArray([...this.#prefix, 0, 0, 0, 0]).toString()}/${EMBEDDED_AT}`;
  }

  /** The IPv6 address, with the length of its subnet, of an IPv4 address in a subnet of this length. */
  text(address: number, length: number): string {
    const bytes = [...this.#prefix, ...addressText(address).split('.').map(Number)];
    return `${ipaddr.fromByteArray(bytes).toString()}/${EMBEDDED_AT + length}`;
  }

  /** The IPv4 address as a number behind an IPv6 address, or undefined when that is none of this network. */
  embedded(address: string): number | undefined {
    if (!ipaddr.IPv6.isValid(address)) return undefined;
    const bytes = ipaddr.IPv6.parse(address).toByteArray();
    if (this.#prefix.some((byte, at) => bytes[at] !== byte)) return undefined;
    return addressNumber(bytes.slice(12).join('.'));
  }
}

/** The length of the IPv4 subnet that goes with an IPv6 subnet of this length. */
export function embeddedLength(length: number): number {
  return length - EMBEDDED_AT;
}
