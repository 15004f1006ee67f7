import { setTimeout as delay } from 'node:timers/promises';
import { inParallel } from '../../order.js';
import type { Entry } from '../attachments/index.js';

/** Before each round of looking, ms: who was just attached is not known yet when its first frame comes. */
const PAUSE = 150;
/** Maximum number of MACs that are looked up in one round, and of containers that are looked at. */
const MACS_A_ROUND = 64;
const LOOKS_A_ROUND = 8;
const MAX_WAITING = 256;
/** A MAC that is no container's own is not looked up again for so long at first, ms; twice as long each time, up to the most. */
const FIRST_REST = 500;
const LONGEST_REST = 60_000;
const MAX_KNOWN = 4_096;

export interface MacWatchOptions {
  readonly now: () => number;
  /** At which ports of the bridge of a network MACs are, by MAC. */
  readonly ports: (network: number, macs: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** The attachment whose host's end is this port. */
  readonly atPort: (port: string) => Entry | undefined;
  /** Whether a MAC was given to somebody by now. */
  readonly isGiven: (network: number, mac: string) => boolean;
  /** All whose interface is there. */
  readonly present: () => readonly Entry[];
  /** Looks at a container's interface; true when its MAC is another one now. */
  readonly follow: (entry: Entry) => Promise<boolean>;
  readonly onFailure: (error: unknown) => void;
}

interface Sighting {
  readonly network: number;
  readonly mac: string;
}

/** A MAC that was no container's own. */
interface Known {
  readonly rest: number;
  readonly until: number;
  /** At whose port it is. */
  readonly at: Entry | undefined;
}

/**
 * Follows containers that change the MAC of their interface. The forwarder tells which MACs send that nobody was given; the bridge knows
 * at whose port, and only that container is looked at. One with many MACs (a bridge of its own, virtual machines) is left as it is, and
 * who makes up MACs without end costs no more than these rounds: then all containers are looked at in turn.
 */
export class MacWatch {
  readonly #options: MacWatchOptions;
  readonly #waiting = new Map<string, Sighting>();
  /** The one that was looked up longest ago first. */
  readonly #known = new Map<string, Known>();
  #suspects: Entry[] = [];
  #round: Promise<void> | undefined;
  #stopped = false;

  constructor(options: MacWatchOptions) {
    this.#options = options;
  }

  /** A MAC that nobody was given sends on a network. Null: more do than are told. */
  seen(network: number, mac: string | null): void {
    if (this.#options.present().length === 0) return;
    if (mac === null || this.#waiting.size >= MAX_WAITING) {
      this.lookAtAll();
      return;
    }
    const key = keyOf({ network, mac });
    if ((this.#known.get(key)?.until ?? 0) > this.#options.now()) return;
    this.#waiting.set(key, { network, mac });
    this.#start();
  }

  /** What was changed while nobody looked is found, too. */
  lookAtAll(): void {
    if (this.#suspects.length > 0) return;
    this.#suspects = [...this.#options.present()];
    this.#start();
  }

  /** Resolves when nobody is looked at any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#round;
  }

  #start(): void {
    this.#round ??= this.#work().finally(() => {
      this.#round = undefined;
    });
  }

  async #work(): Promise<void> {
    while (!this.#stopped && this.#waiting.size + this.#suspects.length > 0) {
      await delay(PAUSE, undefined, { ref: false });
      if (!this.#stopped) await this.#look().catch(this.#options.onFailure);
    }
  }

  async #look(): Promise<void> {
    const sightings = [...this.#waiting.values()].slice(0, MACS_A_ROUND);
    for (const sighting of sightings) this.#waiting.delete(keyOf(sighting));
    const { isGiven } = this.#options;
    const found = await this.#locate(sightings.filter(({ network, mac }) => !isGiven(network, mac)));
    const left = LOOKS_A_ROUND - Math.min(found.size, LOOKS_A_ROUND);
    for (const entry of this.#suspects.splice(0, left)) found.set(entry, found.get(entry) ?? []);
    await inParallel([...found], LOOKS_A_ROUND, async ([entry, theirs]) => {
      const changed = await this.#options.follow(entry).catch(this.#options.onFailure);
      if (changed === true) this.#forget(entry);
      else for (const sighting of theirs) this.#leave(sighting, entry);
    });
  }

  /** The containers at whose ports MACs are; those that are too many for one round wait for the next. */
  async #locate(sightings: readonly Sighting[]): Promise<Map<Entry, Sighting[]>> {
    const found = new Map<Entry, Sighting[]>();
    for (const network of new Set(sightings.map((sighting) => sighting.network))) {
      const theirs = sightings.filter((sighting) => sighting.network === network);
      const ports = await this.#options.ports(
        network,
        theirs.map(({ mac }) => mac),
      );
      for (const sighting of theirs) {
        const port = ports.get(sighting.mac);
        const entry = port === undefined ? undefined : this.#options.atPort(port);
        if (entry === undefined) this.#leave(sighting, undefined);
        else if (found.has(entry) || found.size < LOOKS_A_ROUND) {
          found.set(entry, [...(found.get(entry) ?? []), sighting]);
        } else this.#waiting.set(keyOf(sighting), sighting);
      }
    }
    return found;
  }

  #leave(sighting: Sighting, at: Entry | undefined): void {
    const key = keyOf(sighting);
    const rest = Math.min(2 * (this.#known.get(key)?.rest ?? FIRST_REST / 2), LONGEST_REST);
    this.#known.delete(key);
    this.#known.set(key, { rest, until: this.#options.now() + rest, at });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
  }

  /** A container that changed its MAC may take any next. */
  #forget({ id, interface: inside }: Entry): void {
    for (const [key, { at }] of this.#known) {
      if (at?.id === id && at.interface === inside) this.#known.delete(key);
    }
  }
}

function keyOf({ network, mac }: Sighting): string {
  return `${network} ${mac}`;
}
