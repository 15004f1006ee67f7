/** Intervals of addresses, which is what subnets without parts of them are. */
import ipaddr from 'ipaddr.js';

export type Family = 'ipv4' | 'ipv6';

/** From the first address to the last, both included, as numbers. */
export interface Interval {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

const BITS = { ipv4: 32, ipv6: 128 };

/** Undefined for a text that is no subnet. An address in the subnet stands for its first. */
export function subnetInterval(cidr: string): Interval | undefined {
  if (!ipaddr.isValidCIDR(cidr) || !isWhole(cidr)) return undefined;
  const [address, length] = ipaddr.parseCIDR(cidr);
  const family = address.kind();
  const size = 1n << BigInt(BITS[family] - length);
  const number = addressNumber(address);
  const first = number - (number % size);
  return { family, first, last: first + size - 1n };
}

/** The address as an interval of one. Throws for what is no address. */
export function addressInterval(address: string): Interval {
  const parsed = ipaddr.parse(address);
  const number = addressNumber(parsed);
  return { family: parsed.kind(), first: number, last: number };
}

export function contains(outer: Interval, inner: Interval): boolean {
  return outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;
}

/** What is left of an interval without these. */
export function without(whole: Interval, parts: readonly Interval[]): Interval[] {
  return parts.reduce(
    (left, part) =>
      left.flatMap((each) => {
        if (each.family !== part.family || part.last < each.first || each.last < part.first) return [each];
        const before = { ...each, last: part.first - 1n };
        const after = { ...each, first: part.last + 1n };
        return [before, after].filter(({ first, last }) => first <= last);
      }),
    [whole],
  );
}

/** The same addresses in intervals that neither overlap nor touch. */
export function merged(intervals: readonly Interval[]): Interval[] {
  const sorted = [...intervals].sort((a, b) =>
    a.family === b.family ? compare(a.first, b.first) : compare(a.family, b.family),
  );
  const result: Interval[] = [];
  for (const each of sorted) {
    const last = result.at(-1);
    if (last === undefined || last.family !== each.family || last.last + 1n < each.first) result.push(each);
    else if (last.last < each.last) result[result.length - 1] = { ...last, last: each.last };
  }
  return result;
}

/** The address of a number, as text. */
export function addressOf(family: Family, number: bigint): string {
  const hex = number.toString(16).padStart(BITS[family] / 4, '0');
  return ipaddr.fromByteArray([...Buffer.from(hex, 'hex')]).toString();
}

/** The library takes `10/8`, too, which others read in other ways. */
function isWhole(cidr: string): boolean {
  return cidr.includes(':') || ipaddr.IPv4.isValidFourPartDecimal(cidr.slice(0, cidr.indexOf('/')));
}

function addressNumber(address: ipaddr.IPv4 | ipaddr.IPv6): bigint {
  return BigInt(`0x${Buffer.from(address.toByteArray()).toString('hex')}`);
}

function compare<T extends bigint | string>(a: T, b: T): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
