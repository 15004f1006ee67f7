/** Events of one class that are told at once. */
const BURST = 512;
/** Events of one class that are told in a second after that. */
const RATE = 8;

/** How many events of each class may be told, so that a flood of one kind leaves room for the others. Pure. */
export class Quota {
  /** By class: what is left, and when that was so (ms). */
  readonly #classes = new Map<string, { left: number; at: number }>();

  /** False when this class had its share. */
  take(name: string, now: number): boolean {
    const { left, at } = this.#classes.get(name) ?? { left: BURST, at: now };
    const room = Math.min(BURST, left + ((now - at) / 1000) * RATE);
    this.#classes.set(name, { left: room < 1 ? room : room - 1, at: now });
    return room >= 1;
  }
}
