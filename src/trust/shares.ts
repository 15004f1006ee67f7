/** How many items there may be. */
export interface ShareLimits {
  readonly total: number;
  /** Of one group. */
  readonly group: number;
}

/**
 * Which items stay where there is no room for all: the groups share it equally, so that the largest one gives way first, and what
 * it keeps are its first items.
 *
 * An item stays if its place within its group, then the group's name, is among the first `total` of all. More items only ever
 * move others back: whatever order they come in, and wherever some were left out before, the same ones stay.
 */
export class Shares {
  readonly #limits: ShareLimits;
  /** The items of each group, sorted. */
  readonly #groups = new Map<string, string[]>();
  /** Place and group of each item, sorted. */
  readonly #places: string[] = [];

  constructor(limits: ShareLimits) {
    this.#limits = limits;
  }

  /** So many more items of a group can be added without one of its own going for them. */
  hasRoom(group: string, count: number): boolean {
    const size = (this.#groups.get(group)?.length ?? 0) + count;
    const last = this.#places.at(-1);
    const isFull = this.#places.length + count > this.#limits.total;
    return size <= this.#limits.group && (!isFull || last === undefined || nameOf(size, group) < last);
  }

  /** Adds an item, which is new; gives the one that has to go for it, which may be the same. */
  add(group: string, item: string): string | undefined {
    const items = this.#groups.get(group) ?? [];
    this.#groups.set(group, items);
    items.splice(placeOf(items, item), 0, item);
    if (items.length > this.#limits.group) return items.pop();
    const place = nameOf(items.length, group);
    this.#places.splice(placeOf(this.#places, place), 0, place);
    return this.#places.length > this.#limits.total ? this.#dropLast() : undefined;
  }

  /** Puts an item of one group into another. */
  move(from: string, to: string, item: string): string | undefined {
    const items = this.#groups.get(from) ?? [];
    this.#places.splice(placeOf(this.#places, nameOf(items.length, from)), 1);
    items.splice(placeOf(items, item), 1);
    if (items.length === 0) this.#groups.delete(from);
    return this.add(to, item);
  }

  #dropLast(): string | undefined {
    const group = groupOf(this.#places.pop() ?? '');
    const items = this.#groups.get(group) ?? [];
    const last = items.pop();
    if (items.length === 0) this.#groups.delete(group);
    return last;
  }
}

const PLACE_DIGITS = 8;

function nameOf(place: number, group: string): string {
  return place.toString(16).padStart(PLACE_DIGITS, '0') + group;
}

function groupOf(place: string): string {
  return place.slice(PLACE_DIGITS);
}

/** The index at which a text is in a sorted list, or would be. */
function placeOf(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? '') < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
