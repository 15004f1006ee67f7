/**
 * Places that sources share. Whoever is alone may have all of them; when they are taken, the source that has most gives up the one that it has
 * had longest. No source, however much it wants, keeps another from a place.
 */
export class Shares<T extends { readonly source: string }> {
  readonly #capacity: number;
  /** What each source has, the oldest first. */
  readonly #taken = new Map<string, Set<T>>();
  #size = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Takes a place for a newcomer. Gives back who lost theirs to it, which may be of the same source. */
  take(newcomer: T): T | undefined {
    const { source } = newcomer;
    this.#taken.set(source, (this.#taken.get(source) ?? new Set()).add(newcomer));
    this.#size += 1;
    if (this.#size <= this.#capacity) return undefined;
    const [oldest] = this.#most();
    if (oldest !== undefined) this.leave(oldest);
    return oldest;
  }

  /** Is from now on the one that its source had for the shortest time. */
  renew(holder: T): void {
    const ofSource = this.#taken.get(holder.source);
    if (ofSource?.delete(holder)) ofSource.add(holder);
  }

  /** Does nothing for one that lost its place. */
  leave(holder: T): void {
    const ofSource = this.#taken.get(holder.source);
    if (ofSource?.delete(holder) !== true) return;
    this.#size -= 1;
    if (ofSource.size === 0) this.#taken.delete(holder.source);
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const ofSource of this.#taken.values()) yield* ofSource;
  }

  #most(): ReadonlySet<T> {
    let most: ReadonlySet<T> = new Set();
    for (const ofSource of this.#taken.values()) if (ofSource.size > most.size) most = ofSource;
    return most;
  }
}
