import { setImmediate as otherWork } from 'node:timers/promises';

/** What each router tells of its links, by peer ids: what each costs. */
type LinkStates = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Maximum number of links between others that are shown: each router gets an equal share for its cheapest ones, but two at least. */
const MAX_LINKS = 2_000;
const LEAST_SHARE = 2;
/** So many routers are looked at before other work goes on. */
const BATCH = 50;

export interface ToldLinks {
  /** By both ids, the lower one first, with a space between them. */
  readonly links: ReadonlyMap<string, number>;
  readonly omitted: number;
}

/** The links between others. One counts when both ends tell of it. */
export class LinksBetweenOthers {
  /** What a router told is a new map whenever it tells something else, so that it is sorted once. */
  #cheapest = new WeakMap<ReadonlyMap<string, number>, readonly (readonly [string, number])[]>();
  #share = 0;

  async of(states: LinkStates, self: string, isShown: (peer: string) => boolean): Promise<ToldLinks> {
    this.#setShare(Math.max(LEAST_SHARE, Math.floor((2 * MAX_LINKS) / Math.max(states.size, 1))));
    const links = new Map<string, number>();
    let [told, seen] = [0, 0];
    for (const [peer, all] of states) {
      seen += 1;
      if (seen % BATCH === 0) await otherWork();
      if (peer === self || !isShown(peer)) continue;
      told += all.size - (all.has(self) ? 1 : 0);
      for (const [other, cost] of this.#cheapestOf(all)) {
        const back = states.get(other)?.get(peer);
        if (other === self || back === undefined || !isShown(other) || links.size >= MAX_LINKS) continue;
        links.set(peer < other ? `${peer} ${other}` : `${other} ${peer}`, rounded(Math.max(cost, back)));
      }
    }
    return { links, omitted: Math.max(0, Math.floor(told / 2) - links.size) };
  }

  #setShare(share: number): void {
    if (share !== this.#share) this.#cheapest = new WeakMap();
    this.#share = share;
  }

  #cheapestOf(all: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
    const known = this.#cheapest.get(all);
    if (known !== undefined) return known;
    const cheapest = [...all].sort((a, b) => a[1] - b[1]).slice(0, this.#share);
    this.#cheapest.set(all, cheapest);
    return cheapest;
  }
}

/** To two digits: a page is told of what changed, and nobody sees less. */
export function rounded(value: number): number {
  return Number(value.toPrecision(2));
}
