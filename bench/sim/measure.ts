import type { PeerId } from '../../src/identity/index.js';
import type { MemberRecord } from '../../src/mesh/membership/index.js';
import { type SimRouter, World } from './world.js';

/** How long routers run before anything is measured, and between two joins; milliseconds. */
const SETTLE = 60_000;
const BETWEEN_JOINS = 5_000;
const JOIN_PATIENCE = 60_000;
/** A router that is restarted is away for so long. */
const OUTAGE = 5_000;
/** Larger meshes begin with everybody knowing everybody: to learn it all from each other would be most of the work. */
const GROWN_UP_TO = 200;
const MINUTE = 60_000;

export interface SimOptions {
  readonly size: number;
  readonly seed: number;
  readonly joins: number;
  /** Messages that are sent between routers without a link. */
  readonly routedMessages: number;
  /** Milliseconds for which traffic is counted, idle and under churn. */
  readonly window: number;
  /** Routers that are restarted each minute, of all. */
  readonly churn: number;
}

export interface Traffic {
  readonly bytesPerSecond: number;
  readonly worstBytesPerSecond: number;
  readonly messagesPerSecond: number;
  /** Of one core, in percent, for each router; the network's simulation included. */
  readonly cpuPercent: number;
}

export interface SimResult {
  readonly size: number;
  readonly seed: number;
  /** Seconds from the first start of the last router to when all knew all; null when they did from the beginning. */
  readonly start: number | null;
  /** Seconds from a join to when all knew. */
  readonly join: { readonly p50: number; readonly p99: number };
  /** Seconds from a join to when one router knew. */
  readonly knows: { readonly p50: number; readonly p99: number };
  readonly idle: Traffic;
  readonly churn: Traffic;
  /** Of messages between routers without a link: delivered at the first attempt. */
  readonly routed: { readonly tried: number; readonly atOnce: number; readonly afterRetry: number };
  readonly links: { readonly mean: number; readonly most: number };
  /** Of the process, for each router. Records are shared by all: a real router has 1 to 1.5 kB more for each member. */
  readonly heapBytes: number;
  readonly wallSeconds: number;
}

/** Simulates one size from start to end. */
export function measure(options: SimOptions): SimResult {
  const started = performance.now();
  const simulation = new Simulation(options);
  const start = simulation.start();
  const { all, each } = simulation.join();
  const idle = simulation.traffic(() => simulation.run(options.window));
  const links = simulation.links();
  const heapBytes = simulation.heap();
  const churn = simulation.traffic(() => simulation.churn());
  const routed = simulation.route();
  return {
    size: options.size,
    seed: options.seed,
    start,
    join: { p50: percentile(all, 0.5), p99: percentile(all, 0.99) },
    knows: { p50: percentile(each, 0.5), p99: percentile(each, 0.99) },
    idle,
    churn,
    routed,
    links,
    heapBytes,
    wallSeconds: (performance.now() - started) / 1000,
  };
}

class Simulation {
  readonly #options: SimOptions;
  readonly #world: World;
  #onMember: (at: PeerId, record: MemberRecord) => void = () => {};
  readonly #delivered = new Set<string>();

  constructor(options: SimOptions) {
    this.#options = options;
    this.#world = new World({
      seed: options.seed,
      onMember: (at, record) => this.#onMember(at, record),
      onMessage: (_, __, ___, bytes) => this.#delivered.add(bytes.toString()),
    });
  }

  run(duration: number): void {
    this.#world.clock.run(duration);
  }

  /** Seconds until all knew all, with everybody started within ten seconds; null when everybody knew all from the beginning. */
  start(): number | null {
    const { size } = this.#options;
    const world = this.#world;
    if (size > GROWN_UP_TO) {
      this.#startGrown();
      return null;
    }
    const first = world.add();
    const spread = Array.from({ length: size - 1 }, () => 10_000 * world.random()).sort((a, b) => a - b);
    for (const at of spread) {
      world.clock.run(at - world.clock.now());
      world.add({ targets: [first.peer] });
    }
    const begun = world.clock.now();
    const knowing = () => [...world.routers.values()].every(({ core }) => core.membership.size === size);
    while (!knowing()) {
      if (world.clock.now() - begun > 10 * MINUTE) throw new Error('the routers do not find each other');
      world.clock.run(50);
    }
    const seconds = (world.clock.now() - begun) / 1000;
    world.clock.run(SETTLE);
    return seconds;
  }

  #startGrown(): void {
    const world = this.#world;
    const identities = Array.from({ length: this.#options.size }, () => world.newIdentity());
    const sample = new World({ seed: this.#options.seed });
    const records = identities.map((identity) => sample.add({ identity }).core.membership.self);
    const known = records.sort((a, b) => (a.peer < b.peer ? -1 : 1));
    for (const record of known) world.reader.check(record);
    for (const identity of identities) world.add({ identity, known });
    world.clock.run(SETTLE);
  }

  /** Seconds until all knew each of the joins, and until each router knew. */
  join(): { all: number[]; each: number[] } {
    const [all, each]: [number[], number[]] = [[], []];
    for (let i = 0; i < this.#options.joins; i++) {
      const world = this.#world;
      const begun = world.clock.now();
      const others = world.routers.size;
      const knowing = new Set<PeerId>();
      const target = this.#anybody().peer;
      const fresh = world.add({ targets: [target] });
      this.#onMember = (at, { peer }) => {
        if (peer !== fresh.peer || knowing.has(at)) return;
        knowing.add(at);
        each.push((world.clock.now() - begun) / 1000);
      };
      while (knowing.size < others) {
        if (world.clock.now() - begun > JOIN_PATIENCE) {
          throw new Error(`a join is known to ${knowing.size} of ${others} routers only`);
        }
        world.clock.run(10);
      }
      all.push(Math.max(...each.slice(-others)));
      this.#onMember = () => {};
      world.clock.run(BETWEEN_JOINS);
    }
    return { all, each };
  }

  traffic(during: () => void): Traffic {
    const world = this.#world;
    world.resetCounters();
    const begun = world.clock.now();
    const cpu = process.cpuUsage();
    during();
    const { user, system } = process.cpuUsage(cpu);
    const seconds = (world.clock.now() - begun) / 1000;
    const { bytes, messages } = world.traffic();
    return {
      bytesPerSecond: mean(bytes) / seconds,
      worstBytesPerSecond: Math.max(...bytes) / seconds,
      messagesPerSecond: mean(messages) / seconds,
      cpuPercent: (100 * (user + system)) / 1e6 / seconds / world.routers.size,
    };
  }

  /** Restarts routers, one after the other, at the wanted rate. */
  churn(): void {
    const { window, churn, size } = this.#options;
    const world = this.#world;
    const pause = MINUTE / (churn * size);
    for (let left = window; left > 0; left -= pause) {
      const router = this.#anybody();
      const targets = [this.#anybody(router).peer];
      world.kill(router);
      world.clock.after(OUTAGE, () => world.add({ identity: router.identity, targets }));
      world.clock.run(Math.min(pause, left));
    }
  }

  /** Sends messages between routers without a link, right after the churn, each up to three times. */
  route(): SimResult['routed'] {
    const world = this.#world;
    world.clock.run(OUTAGE);
    const pairs = Array.from({ length: this.#options.routedMessages }, (_, i) => {
      const from = this.#anybody();
      return { from, to: this.#anybody(from), text: `message ${i}` };
    }).filter(({ from, to }) => !from.wires.has(to.peer));
    const arrived = () => pairs.filter(({ text }) => this.#delivered.has(text)).length;
    const attempt = () => {
      for (const { from, to, text } of pairs) {
        if (!this.#delivered.has(text)) from.core.send(to.peer, 'x', Buffer.from(text));
      }
      world.clock.run(2_000);
      return arrived();
    };
    const atOnce = attempt();
    attempt();
    return { tried: pairs.length, atOnce, afterRetry: attempt() };
  }

  links(): { mean: number; most: number } {
    const counts = [...this.#world.routers.values()].map(({ wires }) => wires.size);
    return { mean: mean(counts), most: Math.max(...counts) };
  }

  heap(): number {
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    return (heapUsed + external) / this.#world.routers.size;
  }

  #anybody(except?: SimRouter): SimRouter {
    const all = [...this.#world.routers.values()].filter((router) => router !== except);
    const router = all[Math.floor(this.#world.random() * all.length)];
    if (router === undefined) throw new Error('nobody is there');
    return router;
  }
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
