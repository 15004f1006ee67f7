import ipaddr from 'ipaddr.js';
import { WeftError } from '../errors.js';
import { type Allocation, IPV4, IPV6 } from './ownership/index.js';
import { addressNumber, addressText, type Block, isWithin, parseBlock } from './ring/index.js';
import { embeddedLength, type Ula } from './ula.js';

/** The address of an allocation, or a part of it, without its owner. */
export type Place = Pick<Allocation, 'address' | 'length' | 'families'>;

export interface AddressFormatOptions {
  readonly range: Block;
  /** The subnet of requests that name none; within the range. */
  readonly defaultSubnet: Block;
  /** Undefined where IPv6 is off. */
  readonly ula: Ula | undefined;
}

/** Addresses and subnets as users write them, and as the ring counts them. */
export class AddressFormat {
  readonly #options: AddressFormatOptions;

  constructor(options: AddressFormatOptions) {
    this.#options = options;
  }

  /** The families of the addresses that this network hands out. */
  get families(): number {
    return this.#options.ula === undefined ? IPV4 : IPV4 | IPV6;
  }

  /** The addresses that an allocation stands for, with the prefix length of their subnet. */
  format({ address, length, families }: Place): string[] {
    const { ula } = this.#options;
    const texts: string[] = [];
    if ((families & IPV4) !== 0) texts.push(`${addressText(address)}/${length}`);
    if ((families & IPV6) !== 0 && ula !== undefined) texts.push(ula.text(address, length));
    return texts;
  }

  /**
   * Parses an address with or without the prefix length of its subnet; undefined if it is outside the range.
   */
  parse(text: string): Place | undefined {
    const { range, ula } = this.#options;
    const [host = '', lengthText] = text.split('/');
    const isIpv6 = host.includes(':');
    const address = isIpv6 ? ula?.embedded(host) : addressNumber(host);
    if (address === undefined || !isWithin({ start: address, end: address + 1 }, range)) return undefined;
    const given = lengthText === undefined ? range.length : Number(lengthText);
    const length = isIpv6 && lengthText !== undefined ? embeddedLength(given) : given;
    return { address, length: Math.min(32, Math.max(1, length)), families: isIpv6 ? IPV6 : IPV4 };
  }

  /** Parses a subnet of the range; without a text, it is the default subnet. Throws `bad-subnet`. */
  subnet(text: string | undefined): Block {
    const { range, defaultSubnet } = this.#options;
    const block = text === undefined ? defaultSubnet : parseBlock(text);
    if (!isWithin(block, range)) throw outside(block.text, range.text);
    return block;
  }

  /**
   * Parses a subnet of the range, or the IPv6 one that goes with it, and says of which family its addresses
   * are. Throws `bad-subnet`.
   */
  familySubnet(text: string): Block & Pick<Allocation, 'families'> {
    if (!text.includes(':')) return { ...this.subnet(text), families: IPV4 };
    const { range, ula } = this.#options;
    if (ula === undefined) throw withoutIpv6(text);
    const [host = '', length = ''] = text.split('/');
    const first = ipaddr.IPv6.isValidCIDR(text) ? ula.embedded(host) : undefined;
    const embedded = embeddedLength(Number(length));
    if (first === undefined || embedded < range.length) {
      throw outside(text, ula.text(range.start, range.length));
    }
    return { ...this.subnet(`${addressText(first)}/${embedded}`), families: IPV6 };
  }
}

function withoutIpv6(subnet: string): WeftError {
  return new WeftError(
    'bad-subnet',
    `this host cannot hand out addresses of ${subnet} because its kernel has no IPv6: leave it out`,
  );
}

function outside(subnet: string, range: string): WeftError {
  return new WeftError(
    'bad-subnet',
    `this network cannot hand out addresses of ${subnet} because its range is ${range}: choose a subnet of the range, or give an address`,
  );
}
