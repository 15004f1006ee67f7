import type { Happened } from '../../api/status/index.js';
import { element, part } from '../dom.js';

const MAX_SHOWN = 50;

/** What happened lately, the newest first. */
export class EventList {
  readonly #list = part('events', HTMLOListElement);
  readonly #known = new Set<string>();

  /** After a pause the router tells of the last events again. */
  add({ run, seq, time, kind, text }: Happened): void {
    const key = `${run} ${seq}`;
    if (seq !== null && this.#known.has(key)) return;
    this.#known.add(key);
    const date = time === null ? undefined : new Date(time);
    const when = date?.toLocaleTimeString('en-GB') ?? '';
    const line = element('li', { class: kind }, element('time', { datetime: time ?? '' }, when), text);
    this.#list.prepend(line);
    while (this.#list.childElementCount > MAX_SHOWN) this.#list.lastElementChild?.remove();
    for (const old of [...this.#known].slice(0, -2 * MAX_SHOWN)) this.#known.delete(old);
  }
}
