import { formatHostPort, ipHostPort } from '../../../../net/index.js';
import type { Heard } from './announcement.js';

/** More routers of one link are not kept. */
const MOST_NEIGHBOURS = 256;
/** Nobody is believed for longer, in seconds. */
const LONGEST = 4_500;
/** They are asked for again when so much of their time is over, and then after each so many parts more. */
const [REFRESH, AGAIN] = [0.8, 0.05];

interface Neighbour {
  readonly targets: readonly string[];
  readonly until: number;
  readonly lifetime: number;
  refreshAt: number;
}

/** Who was heard on one link, and until when that holds. Times are in milliseconds. */
export class Neighbours {
  readonly #heard = new Map<string, Neighbour>();

  /** Where there is no room, those that are known stay. */
  hear({ peer, port, addresses, lifetime: seconds }: Heard, now: number): void {
    if (seconds === 0) this.#heard.delete(peer);
    else if (this.#heard.has(peer) || this.#heard.size < MOST_NEIGHBOURS) {
      const lifetime = Math.min(seconds, LONGEST) * 1_000;
      const targets = addresses.map((address) => formatHostPort(ipHostPort(address, port)));
      this.#heard.set(peer, {
        targets,
        lifetime,
        until: now + lifetime,
        refreshAt: now + lifetime * REFRESH,
      });
    }
  }

  forget(now: number): void {
    for (const [peer, { until }] of this.#heard) if (until <= now) this.#heard.delete(peer);
  }

  get targets(): string[] {
    return [...this.#heard.values()].flatMap(({ targets }) => targets);
  }

  /** When somebody is to be asked for again, or forgotten. */
  get dueAt(): number {
    const times = [...this.#heard.values()].map(({ until, refreshAt }) => Math.min(until, refreshAt));
    return Math.min(Infinity, ...times);
  }

  /** They were asked for. */
  asked(now: number): void {
    for (const neighbour of this.#heard.values())
      while (neighbour.refreshAt <= now) neighbour.refreshAt += neighbour.lifetime * AGAIN;
  }

  /** Those that need not answer, with the time that is left to them in seconds: more than half of it. */
  known(now: number): { peer: string; left: number }[] {
    return [...this.#heard]
      .filter(([, { until, lifetime }]) => until - now > lifetime / 2)
      .map(([peer, { until }]) => ({ peer, left: Math.floor((until - now) / 1_000) }));
  }
}
