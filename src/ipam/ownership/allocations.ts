import { overlap, type Span } from '../ring/index.js';

export const IPV4 = 1;
export const IPV6 = 2;

/** An address that somebody here has. */
export interface Slot {
  readonly owner: string;
  readonly address: number;
  /** Of the prefix of the subnet. */
  readonly length: number;
  /** `IPV4`, `IPV6` or both: which of the two addresses that this one stands for. */
  readonly families: number;
}

/** Which addresses containers of this host have. Immutable. */
export class Holdings {
  static readonly none = new Holdings(new Map());
  readonly #slots: ReadonlyMap<number, Slot>;

  private constructor(slots: ReadonlyMap<number, Slot>) {
    this.#slots = slots;
  }

  get size(): number {
    return this.#slots.size;
  }

  all(): Iterable<Slot> {
    return this.#slots.values();
  }

  at(address: number): Slot | undefined {
    return this.#slots.get(address);
  }

  of(owner: string): Slot[] {
    return [...this.#slots.values()].filter((slot) => slot.owner === owner);
  }

  with(slot: Slot): Holdings {
    return new Holdings(new Map(this.#slots).set(slot.address, slot));
  }

  without(addresses: readonly number[]): Holdings {
    const slots = new Map(this.#slots);
    for (const address of addresses) slots.delete(address);
    return new Holdings(slots);
  }

  /** The lowest address of the span that is in one of the spaces (in order) and that nobody has. */
  lowestFree(spaces: readonly Span[], span: Span): number | undefined {
    for (const space of spaces) {
      const shared = overlap(space, span);
      for (let address = shared?.start ?? 0; address < (shared?.end ?? 0); address++) {
        if (!this.#slots.has(address)) return address;
      }
    }
    return undefined;
  }

  /** What is free of the spaces (in order) within the span, in order. */
  gaps(spaces: readonly Span[], span: Span): Span[] {
    const taken = [...this.#slots.keys()].sort((a, b) => a - b);
    const gaps: Span[] = [];
    let next = 0;
    for (const space of spaces) {
      const shared = overlap(space, span);
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

/**
 * What of the free gaps to give to somebody who asks: the biggest aligned block, the highest of several; of one that is more than half
 * of all that is free the upper half. Undefined when nothing is free.
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

/** The biggest block in the gap whose size is a power of two and whose start is a multiple of it; the highest of several. */
function biggestBlock({ start, end }: Span): Span {
  for (let size = 2 ** Math.floor(Math.log2(end - start)); size > 1; size /= 2) {
    const from = Math.floor(end / size) * size - size;
    if (from >= start) return { start: from, end: from + size };
  }
  return { start: end - 1, end };
}
