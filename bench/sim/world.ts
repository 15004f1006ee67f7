import type { WeftError } from '../../src/errors.js';
import { blake2b, type Identity, identityFromSeed, type PeerId } from '../../src/identity/index.js';
import { Core } from '../../src/mesh/core.js';
import { encodeMessage, type LinkMessage } from '../../src/mesh/link/index.js';
import type { MemberRecord } from '../../src/mesh/membership/index.js';
import { seededRandom } from './random.js';
import { SharedReader } from './shared-reader.js';
import { VirtualClock } from './virtual-clock.js';

/** Of each message: 2 bytes of Protomux, 20 of a frame, and TCP and IPv4 headers with timestamps. */
const OVERHEAD = 2 + 20 + 52;
/** A TCP and Noise handshake, proofs and hellos, as one end sends it, without its member record. */
const HANDSHAKE = 1_000;
/** Each end of a link sends a ping and an answer so often (milliseconds), of about 6 bytes. */
const PING_INTERVAL = 5_000;
const PING = 6 + OVERHEAD;
/** One way, milliseconds: next door, and across the map. */
const NEAR = 0.5;
const FAR = 60;
/** A segment that was lost is sent again by TCP after this time, milliseconds. */
const RETRANSMISSION = 200;
const REDIAL_MIN = 1_000;
const REDIAL_MAX = 10_000;
const REDIAL_SURPLUS = 300_000;

const TIMINGS = {
  gossipDelay: 100,
  antiEntropy: 10_000,
  relinkTime: 3_000,
  suspicionTime: 12_000,
  leftTime: 3_600_000,
};

export interface WorldOptions {
  readonly seed: number;
  /** Of segments, 0 to 1. */
  readonly loss?: number;
  readonly onMember?: (at: PeerId, record: MemberRecord) => void;
  readonly onMessage?: (at: PeerId, from: PeerId, channel: string, bytes: Buffer) => void;
}

export interface RouterOptions {
  readonly targets?: readonly PeerId[];
  readonly discovery?: boolean;
  readonly connections?: number;
  readonly known?: readonly MemberRecord[];
  /** After a restart: who it was. */
  readonly identity?: Identity;
}

/** A control link between two routers. */
interface Wire {
  open: boolean;
  /** When the last message in each direction arrives: TCP keeps the order. */
  readonly arrival: Map<PeerId, number>;
  readonly since: number;
}

/** A simulated router: the real mesh core, on links that the world makes. */
export class SimRouter {
  readonly core: Core;
  readonly peer: PeerId;
  readonly wires = new Map<PeerId, Wire>();
  readonly targets: readonly PeerId[];
  /** Whom a link is to be kept to, and how long until the next attempt. */
  readonly quests = new Map<PeerId, number>();
  readonly refused: WeftError[] = [];
  /** On the map. */
  readonly place: readonly [number, number];
  alive = true;
  bytes = 0;
  messages = 0;

  constructor(
    readonly world: World,
    readonly identity: Identity,
    place: readonly [number, number],
    { targets = [], discovery = true, connections = Infinity, known }: RouterOptions,
  ) {
    this.peer = identity.peer;
    this.place = place;
    this.targets = targets;
    this.core = new Core({
      identity,
      clock: { now: () => world.clock.now(), after: (delay, task) => this.#after(delay, task) },
      random: world.random,
      startedAt: 1_700_000_000_000 + Math.round(world.clock.now()),
      self: {
        nickname: `host-${identity.peer.slice(0, 6)}`,
        version: '0.1.0',
        port: 6783,
        mtu: 1418,
        endpoints: ['192.0.2.117:6783', '[2001:db8::117]:6783'],
        features: ['relay'],
        ciphers: [
          { name: 'aes-256-gcm', hardware: true, nanosecondsPer1400: 102 },
          { name: 'xsalsa20-poly1305', hardware: false, nanosecondsPer1400: 1430 },
        ],
        links: [],
        left: false,
      },
      limits: { fullMesh: 64, members: 16_384, connections },
      timings: TIMINGS,
      discovery,
      reader: world.reader,
      ...(known === undefined ? {} : { known }),
      links: {
        send: (to, message) => world.send(this, to, message),
        rtt: (peer) => (this.wires.has(peer) ? 2 * world.latency(this, peer) : undefined),
        dial: (peer, eager) => this.#quest(peer, eager ? 0 : REDIAL_MIN * world.random()),
        undial: (peer) => this.targets.includes(peer) || this.quests.delete(peer),
        drop: (peer) => world.unlink(this.peer, peer, true),
        isTarget: (peer) => this.targets.includes(peer),
      },
      events: {
        member: (record) => world.options.onMember?.(this.peer, record),
        message: (from, channel, bytes) => world.options.onMessage?.(this.peer, from, channel, bytes),
        refused: (error) => this.refused.push(error),
        superseded: () => {},
      },
    });
  }

  start(): void {
    this.core.start();
    for (const target of this.targets) this.#quest(target, 0);
  }

  /** A link is gone: dials again if it is to be kept. */
  redial(peer: PeerId, surplus: boolean): void {
    if (!this.quests.has(peer)) return;
    this.quests.set(peer, REDIAL_MIN);
    this.#attemptLater(peer, surplus ? REDIAL_SURPLUS : 0);
  }

  #quest(peer: PeerId, delay: number): void {
    if (this.quests.has(peer)) return;
    this.quests.set(peer, REDIAL_MIN);
    this.#attemptLater(peer, delay);
  }

  #attemptLater(peer: PeerId, delay: number): void {
    this.#after(delay, () => {
      const wait = this.quests.get(peer);
      if (wait === undefined || this.wires.has(peer)) return;
      const handshake = 4 * this.world.latency(this, peer);
      this.#after(handshake, () => {
        if (!this.quests.has(peer) || this.wires.has(peer)) return;
        if (this.world.link(this.peer, peer)) return;
        this.quests.set(peer, Math.min(REDIAL_MAX, wait * 1.5));
        this.#attemptLater(peer, wait * (0.5 + this.world.random()));
      });
    });
  }

  /** What is planned does not happen once the router is dead. */
  #after(delay: number, task: () => void): () => void {
    return this.world.clock.after(delay, () => {
      if (this.alive) task();
    });
  }
}

/** Routers on a map, with links between them that take time, lose segments (which TCP repeats) and break. */
export class World {
  readonly clock = new VirtualClock();
  readonly random: () => number;
  readonly reader = new SharedReader();
  readonly routers = new Map<PeerId, SimRouter>();
  /** Which side of a partition each router is on; those without are on one. */
  readonly sides = new Map<PeerId, number>();
  #made = 0;

  constructor(readonly options: WorldOptions) {
    this.random = seededRandom(options.seed);
  }

  /** A new identity; the same ones for the same seed. */
  newIdentity(): Identity {
    return identityFromSeed(blake2b(32, [Buffer.from(`${this.options.seed} ${this.#made++}`)]));
  }

  /** Adds and starts a router. */
  add(options: RouterOptions = {}): SimRouter {
    const identity = options.identity ?? this.newIdentity();
    const router = new SimRouter(this, identity, [this.random(), this.random()], options);
    this.routers.set(router.peer, router);
    router.start();
    return router;
  }

  /** The router's process ends without a word; its connections are reset. */
  kill(router: SimRouter): void {
    router.alive = false;
    this.routers.delete(router.peer);
    for (const peer of [...router.wires.keys()]) this.unlink(router.peer, peer, false);
  }

  /** Milliseconds, one way. */
  latency(from: SimRouter, to: PeerId): number {
    const there = this.routers.get(to)?.place ?? from.place;
    const distance = Math.hypot(from.place[0] - there[0], from.place[1] - there[1]);
    return NEAR + (FAR * distance) / Math.SQRT2;
  }

  /** Makes a link, unless one end is dead or on the other side. */
  link(one: PeerId, two: PeerId): boolean {
    const [a, b] = [this.routers.get(one), this.routers.get(two)];
    if (a === undefined || b === undefined || this.sides.get(one) !== this.sides.get(two)) return false;
    if (a.wires.has(two)) return true;
    const wire: Wire = { open: true, arrival: new Map(), since: this.clock.now() };
    a.wires.set(two, wire);
    b.wires.set(one, wire);
    for (const [end, other] of [[a, b] as const, [b, a] as const]) {
      end.bytes += HANDSHAKE + other.core.membership.self.record.length;
      end.core.linkUp(other.peer, other.core.membership.self);
    }
    return true;
  }

  unlink(one: PeerId, two: PeerId, surplus: boolean): void {
    for (const [end, other] of [[one, two] as const, [two, one] as const]) {
      const router = this.routers.get(end);
      const wire = router?.wires.get(other);
      if (router === undefined || wire === undefined) continue;
      wire.open = false;
      this.#chargePings(router, wire, wire.since);
      router.wires.delete(other);
      router.core.linkDown(other, surplus);
      router.redial(other, surplus);
    }
  }

  /** Cuts every link between sides. */
  partition(sideOf: (router: SimRouter) => number): void {
    for (const router of this.routers.values()) this.sides.set(router.peer, sideOf(router));
    for (const { peer, wires } of this.routers.values()) {
      for (const other of [...wires.keys()]) {
        if (this.sides.get(peer) !== this.sides.get(other)) this.unlink(peer, other, false);
      }
    }
  }

  heal(): void {
    this.sides.clear();
  }

  send(from: SimRouter, to: PeerId, message: LinkMessage): boolean {
    const wire = from.wires.get(to);
    if (wire === undefined) return false;
    from.bytes += encodeMessage(message).length + OVERHEAD;
    from.messages += 1;
    const { loss = 0 } = this.options;
    let arrival = this.clock.now() + this.latency(from, to);
    while (this.random() < loss) arrival += RETRANSMISSION;
    arrival = Math.max(arrival, wire.arrival.get(to) ?? 0);
    wire.arrival.set(to, arrival);
    this.clock.after(arrival - this.clock.now(), () => {
      if (wire.open) this.routers.get(to)?.core.receive(from.peer, message);
    });
    return true;
  }

  /** What each router sends from now on is counted from zero. */
  resetCounters(): void {
    for (const router of this.routers.values()) [router.bytes, router.messages] = [0, 0];
    this.#countedSince = this.clock.now();
  }

  /** Bytes and messages that each router sent since the last reset, pings included. */
  traffic(): { bytes: number[]; messages: number[] } {
    const routers = [...this.routers.values()];
    for (const router of routers) {
      for (const wire of router.wires.values()) this.#chargePings(router, wire, this.#countedSince);
    }
    return { bytes: routers.map(({ bytes }) => bytes), messages: routers.map(({ messages }) => messages) };
  }

  #countedSince = 0;

  #chargePings(router: SimRouter, { since }: Wire, from: number): void {
    const count = (2 * (this.clock.now() - Math.max(since, from, this.#countedSince))) / PING_INTERVAL;
    router.messages += count;
    router.bytes += count * PING;
  }
}
