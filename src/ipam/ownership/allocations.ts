import { overlap, type Span } from '../ring/index.js';

export const IPV4 = 1;
export const IPV6 = 2;

/** An address that a container of this host has. */
export interface Allocation {
  /** Identifies the container. */
  readonly owner: string;
  readonly address: number;
  /** Prefix length of the subnet. */
  readonly length: number;
  /** `IPV4`, `IPV6` or both: which addresses of the pair that `address` stands for. */
  readonly families: number;
}

/** The addresses that containers of this host have. Immutable. */
export class Allocations {
  static readonly none = new Allocations(new Map());
  readonly #byAddress: ReadonlyMap<number, Allocation>;

  private constructor(byAddress: ReadonlyMap<number, Allocation>) {
    this.#byAddress = byAddress;
  }

  get size(): number {
    return this.#byAddress.size;
  }

  all(): Iterable<Allocation> {
    return this.#byAddress.values();
  }

  at(address: number): Allocation | undefined {
    return this.#byAddress.get(address);
  }

  of(owner: string): Allocation[] {
    return [...this.#byAddress.values()].filter((allocation) => allocation.owner === owner);
  }

  with(allocation: Allocation): Allocations {
    return new Allocations(new Map(this.#byAddress).set(allocation.address, allocation));
  }

  without(addresses: readonly number[]): Allocations {
    const byAddress = new Map(this.#byAddress);
    for (const address of addresses) byAddress.delete(address);
    return new Allocations(byAddress);
  }

  /** The lowest unallocated address of the span within these arcs, which are in ascending order. */
  lowestFree(arcs: readonly Span[], span: Span): number | undefined {
    for (const arc of arcs) {
      const shared = overlap(arc, span);
      for (let address = shared?.start ?? 0; address < (shared?.end ?? 0); address++) {
        if (!this.#byAddress.has(address)) return address;
      }
    }
    return undefined;
  }

  /** The unallocated parts of these arcs (in ascending order) within the span, in ascending order. */
  gaps(arcs: readonly Span[], span: Span): Span[] {
    const taken = [...this.#byAddress.keys()].sort((a, b) => a - b);
    const gaps: Span[] = [];
    let next = 0;
    for (const arc of arcs) {
      const shared = overlap(arc, span);
      if (shared === undefined) continue;
      let start = shared.start;
      while (next < taken.length && (taken[next] ?? 0) < start) next++;
      for (; next < taken.length && (taken[next] ?? 0) < shared.end; next++) {
        const end = taken[next] ?? 0;
        if (end > start) gaps.push({ start, end });
        start = end + 1;
      }
      if (start < shared.end) gaps.push({ start, end: shared.end });
    }
    return gaps;
  }
}

/** The addresses that an allocation stands for, as a span of one. */
export function spanOf({ address }: Allocation): Span {
  return { start: address, end: address + 1 };
}

/**
 * The block that a donor grants out of the gaps: the biggest aligned block, the highest of several. Of a
 * block that is more than half of everything that is free only the upper half is granted. Undefined if
 * nothing is free.
 */
export function spareBlock(gaps: readonly Span[]): Span | undefined {
  let best: Span | undefined;
  let free = 0;
  for (const gap of gaps) {
    free += gap.end - gap.start;
    const block = biggestBlock(gap);
    if (best === undefined || block.end - block.start >= best.end - best.start) best = block;
  }
  if (best === undefined) return undefined;
  const size = best.end - best.start;
  return size > 1 && size * 2 > free ? { start: best.start + size / 2, end: best.end } : best;
}

/**
 * The biggest block in the gap whose size is a power of two and whose start is a multiple of its size; the
 * highest of several.
 */
function biggestBlock({ start, end }: Span): Span {
  for (let size = 2 ** Math.floor(Math.log2(end - start)); size > 1; size /= 2) {
    const from = Math.floor(end / size) * size - size;
    if (from >= start) return { start: from, end: from + size };
  }
  return { start: end - 1, end };
}
