import ipaddr from 'ipaddr.js';
import { WeftError } from '../../errors.js';

/** A half-open interval of IPv4 addresses as numbers: `start` belongs to it, `end` does not. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A block of IPv4 addresses with a common prefix. */
export interface Block extends Span {
  /** Prefix length. */
  readonly length: number;
  /** Canonical, such as `10.32.0.0/12`. */
  readonly text: string;
}

/** The range of a network that is launched without --ipalloc-range. */
export const DEFAULT_RANGE = '10.32.0.0/12';
/** A longer prefix does not leave room for two hosts. */
const LONGEST_SUBNET = 30;

/** Parses `10.40.0.0/16`; host bits may be set and are dropped. Throws `bad-subnet`. */
export function parseBlock(text: string): Block {
  const [host = '', lengthText = ''] = text.split('/');
  const length = /^\d{1,2}$/.test(lengthText) ? Number(lengthText) : 99;
  if (!ipaddr.IPv4.isValidFourPartDecimal(host) || length > LONGEST_SUBNET || length < 1) {
    throw new WeftError(
      'bad-subnet',
      `"${text}" is no IPv4 subnet with room for hosts: write one such as ${DEFAULT_RANGE}`,
    );
  }
  const size = 2 ** (32 - length);
  const start = Math.floor(addressNumber(host) / size) * size;
  return { start, end: start + size, length, text: `${addressText(start)}/${length}` };
}

/** The number of an address in dotted-decimal notation. The text must be such an address. */
export function addressNumber(dotted: string): number {
  return dotted.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function addressText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

/** As people write it: `10.32.4.0-10.32.7.255`, or one address. */
export function spanText({ start, end }: Span): string {
  const [first, last] = [addressText(start), addressText(end - 1)];
  return first === last ? first : `${first}-${last}`;
}

export function isWithin(inner: Span, outer: Span): boolean {
  return inner.start >= outer.start && inner.end <= outer.end;
}

/** The intersection of two spans, or undefined if they are disjoint. */
export function overlap(a: Span, b: Span): Span | undefined {
  const start = Math.max(a.start, b.start);
  const end = Math.min(a.end, b.end);
  return start < end ? { start, end } : undefined;
}

export function sizeOf(spans: Iterable<Span>): number {
  let size = 0;
  for (const { start, end } of spans) size += end - start;
  return size;
}

/**
 * The first of these IPv4 routes (`10.40.0.0/16`) that overlaps the range, or undefined. `default` overlaps
 * nothing.
 */
export function overlappingRoute(range: Block, routes: Iterable<string>): string | undefined {
  for (const route of routes) {
    const [host = '', lengthText = '32'] = route.split('/');
    if (!ipaddr.IPv4.isValidFourPartDecimal(host) || lengthText === '0') continue;
    const size = 2 ** (32 - Number(lengthText));
    const start = Math.floor(addressNumber(host) / size) * size;
    if (overlap(range, { start, end: start + size }) !== undefined) return route;
  }
  return undefined;
}

/**
 * Splits the range into contiguous shares by halving it again and again, so that the sizes are powers of two
 * and differ at most by a factor of two. The range must have at least as many addresses as there are shares.
 */
export function evenShares(range: Span, shares: number): readonly Span[] {
  if (shares === 1) return [range];
  const middle = range.start + (range.end - range.start) / 2;
  const lower = Math.ceil(shares / 2);
  return [
    ...evenShares({ start: range.start, end: middle }, lower),
    ...evenShares({ start: middle, end: range.end }, shares - lower),
  ];
}
