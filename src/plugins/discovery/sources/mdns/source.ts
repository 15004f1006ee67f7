import { messageOf, WeftError } from '../../../../errors.js';
import type { Source, SourceContext } from '../../source.js';
import { Link, type LinkOptions } from './link.js';
import type { Place } from './places.js';

/** How often is looked which interfaces there are, in milliseconds. */
const LOOK = 10_000;

/** The routers on the links of this host that tell of themselves by multicast DNS, as this one does. */
export function mdnsSource(
  name: string,
  service: string,
  places: () => Promise<readonly Place[]>,
  { peer, port, marks, pause }: SourceContext,
): Source {
  return {
    name,
    async *follow(signal) {
      let changed = new AbortController();
      const now = () => performance.now();
      const onChange = () => changed.abort();
      const links = new Links({
        service,
        peer,
        port,
        marks,
        now,
        random: Math.random,
        pause,
        onChange,
        signal,
      });
      try {
        let told: string | undefined;
        while (!signal.aborted) {
          changed = new AbortController();
          await links.settle(await places());
          const targets = await links.tick();
          if (targets.join() !== told) yield { targets, whole: true };
          told = targets.join();
          const wait = Math.max(0, Math.min(LOOK, links.dueAt - now()));
          await pause(wait, AbortSignal.any([signal, changed.signal]));
        }
      } finally {
        await links.close();
      }
    },
  };
}

/** The links of this host, by what there is to know of each: one that changed is another. */
class Links {
  readonly #links = new Map<string, Link>();

  constructor(private readonly options: LinkOptions) {}

  /** Rejects when there is none. An interface that cannot be used is tried again. */
  async settle(places: readonly Place[]): Promise<void> {
    if (places.length === 0)
      throw new WeftError(
        'source-failed',
        'no interface of this host is up and leads to a LAN: see `ip address`',
      );
    const wanted = new Map(places.map((place) => [JSON.stringify(place), place]));
    for (const [key, link] of this.#links) {
      if (wanted.has(key)) continue;
      this.#links.delete(key);
      await link.close();
    }
    const failures: unknown[] = [];
    for (const [key, place] of wanted) {
      if (this.#links.has(key)) continue;
      await Link.open(place, this.options).then(
        (link) => this.#links.set(key, link),
        (error: unknown) => failures.push(`${place.name}: ${messageOf(error)}`),
      );
    }
    if (this.#links.size === 0)
      throw new WeftError('source-failed', `multicast DNS cannot be used at ${failures.join(', ')}`);
  }

  /** Does what is due. */
  async tick(): Promise<string[]> {
    for (const link of this.#links.values()) await link.tick();
    return [...this.#links.values()].flatMap(({ targets }) => targets);
  }

  get dueAt(): number {
    return Math.min(...[...this.#links.values()].map(({ dueAt }) => dueAt));
  }

  async close(): Promise<void> {
    for (const link of this.#links.values()) await link.close();
  }
}
