import { WeftError } from '../../../src/errors.js';
import type { PeerId } from '../../../src/identity/index.js';
import { AddressRing } from '../../../src/ipam/address-ring.js';
import { type Allocation, IPV4 } from '../../../src/ipam/ownership/allocations.js';
import type { Move } from '../../../src/ipam/ownership/moves.js';
import type { Output } from '../../../src/ipam/ownership/outbox.js';
import { emptyState, type RingState } from '../../../src/ipam/ownership/state.js';
import { addressText, type Block, parseBlock } from '../../../src/ipam/ring/range.js';
import { type RecordSigner, type RingRecord, UNSIGNED } from '../../../src/ipam/ring/records.js';

/** The addresses of a subnet that hosts may have: all but the first and the last. */
export function hostsOf({ start, end }: Block) {
  return { start: start + 1, end: end - 1 };
}

/** Makes records without signatures, which are believed. */
export function trustingSigner(peer: PeerId): RecordSigner {
  return {
    peer,
    ownership: (content) => ({ kind: 'ownership', ...content, signer: peer, signature: UNSIGNED }),
    participant: (content) => ({ kind: 'participant', ...content, signer: peer, signature: UNSIGNED }),
  };
}

/** A request that a router made. */
export interface Asked {
  settled: boolean;
  address?: string;
  error?: WeftError;
}

/** Routers whose messages arrive at once, unless they are isolated, in virtual time. */
export class Rings {
  readonly range: Block;
  now = 1_000_000;
  readonly routers: RouterUnderTest[] = [];

  constructor(range = '10.32.0.0/24') {
    this.range = parseBlock(range);
  }

  add(name: string, state: RingState = emptyState(this.range), continued = false): RouterUnderTest {
    const router = new RouterUnderTest(this, name, state, continued);
    this.routers.push(router);
    return router;
  }

  /** A network that `first` made and the others joined. */
  static network(names: readonly string[], range?: string): readonly [Rings, ...RouterUnderTest[]] {
    const rings = new Rings(range);
    const routers = names.map((name) => rings.add(name));
    routers[0]?.ring.found([routers[0].peer]);
    rings.settle();
    return [rings, ...routers];
  }

  /** Delivers all messages, and all that follow from them. */
  settle(): void {
    while (this.routers.some((router) => router.advance()));
  }

  /** Lets time pass, with its timers. */
  pass(milliseconds: number): void {
    for (let left = milliseconds; left > 0; left -= 1_000) {
      this.now += 1_000;
      for (const { ring, isUp } of this.routers) if (isUp) ring.tick(this.now);
      this.settle();
    }
  }

  named(peer: PeerId): RouterUnderTest | undefined {
    return this.routers.find((router) => router.peer === peer && router.isUp);
  }
}

export class RouterUnderTest {
  readonly peer: PeerId;
  readonly name: string;
  readonly ring: AddressRing;
  disk: RingState;
  /** Whether no messages pass between this router and the others. */
  isolated = false;
  /** Whether what it tells all is lost, as when it stops before that is sent. */
  isMute = false;
  isUp = true;
  readonly lost: string[] = [];
  /** Addresses that came and went, such as `16 to b`. */
  readonly moved: string[] = [];
  readonly warnings: string[] = [];
  /** Whether the next writes fail. */
  diskFull = false;
  /** Number of times that the state was written. */
  writes = 0;
  readonly #rings: Rings;
  readonly #asked = new Map<number, Asked>();
  #ids = 0;

  constructor(rings: Rings, name: string, state: RingState, continued: boolean) {
    this.#rings = rings;
    this.name = name;
    this.peer = Buffer.from(name.padEnd(8, '-')).toString('hex') as PeerId;
    this.disk = state;
    this.ring = new AddressRing({
      signer: trustingSigner(this.peer),
      state,
      continued,
      now: rings.now,
      random: () => 0.5,
      reachable: (peer) => this.#other(peer) !== undefined,
      neighbours: () => rings.routers.map(({ peer }) => peer).filter((peer) => this.#other(peer)),
      nameOf: (peer) => Buffer.from(peer, 'hex').toString().replaceAll('-', ''),
    });
  }

  /** Stops the router; its last messages have arrived. */
  kill(): void {
    this.isUp = false;
  }

  /** Starts the router again, from its disk or another one, and lets it meet the others. */
  restart({ state = this.disk, continued = false } = {}): RouterUnderTest {
    this.kill();
    const again = this.#rings.add(this.name, state, continued);
    again.meet();
    return again;
  }

  /** This router and the others exchange all records. */
  meet(): void {
    this.isolated = false;
    for (const other of this.#rings.routers) {
      if (!other.isUp || other === this || other.isolated) continue;
      const { now } = this.#rings;
      const [ours, theirs] = [this.#records(), other.#records()];
      if (this.ring.founders.length > 0) other.ring.learnFounders(this.ring.founders);
      if (other.ring.founders.length > 0) this.ring.learnFounders(other.ring.founders);
      other.ring.merge(ours, now);
      this.ring.merge(theirs, now);
      other.ring.reached(this.peer, now);
      this.ring.reached(other.peer, now);
    }
    this.#rings.settle();
  }

  allocate(owner: string, subnet: Block = this.#rings.range): Asked {
    return this.ask((id) => this.ring.allocate(id, owner, hostsOf(subnet), subnet.length, IPV4));
  }

  claim(owner: string, address: number): Asked {
    return this.ask((id) => this.ring.claim(id, owner, address, this.#rings.range.length, IPV4));
  }

  release(owner: string): void {
    const releases = this.ring.allocationsOf(owner).map((allocation) => ({ allocation, families: IPV4 }));
    this.ask((id) => this.ring.release(id, releases));
  }

  ask(what: (id: number) => void): Asked {
    this.#ids++;
    const asked: Asked = { settled: false };
    this.#asked.set(this.#ids, asked);
    what(this.#ids);
    this.#rings.settle();
    return asked;
  }

  /** Cancels all requests. */
  cancelAll(): void {
    for (const id of this.#asked.keys()) this.ring.cancel(id);
    this.#rings.settle();
  }

  /** The number of addresses that this router may hand out. */
  get owned(): number {
    return this.ring.view().owned;
  }

  /** Does what the driver of the ring does after an input; false if there is nothing to do. */
  advance(): boolean {
    if (!this.isUp) return false;
    const state = this.ring.save();
    if (state !== undefined && this.diskFull) {
      this.ring.failed(new WeftError('disk-full', 'the disk is full'));
    } else if (state !== undefined) {
      this.disk = state;
      this.writes++;
      this.ring.saved();
    }
    const outputs = this.ring.outputs();
    for (const output of outputs) this.#do(output);
    return state !== undefined || outputs.length > 0;
  }

  #do(output: Output): void {
    const { now } = this.#rings;
    switch (output.kind) {
      case 'send':
        this.#other(output.to)?.ring.receive(this.peer, output.message, now);
        break;
      case 'announce':
        if (this.isMute) break;
        for (const { peer } of [...this.#rings.routers]) {
          const other = this.#other(peer);
          other?.ring.learnFounders(this.ring.founders);
          other?.ring.merge(output.records, now);
        }
        break;
      case 'settle':
        this.#settled(output.id, output.allocation, output.error);
        break;
      case 'lost':
        this.lost.push(addressText(output.allocation.address));
        break;
      case 'moved':
        this.moved.push(...output.moves.map((move) => this.#moveText(move)));
        break;
      case 'warning':
        this.warnings.push(output.error.code);
        break;
    }
  }

  #settled(id: number, allocation: Allocation | undefined, error: WeftError | undefined): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (asked === undefined) return;
    asked.settled = true;
    if (allocation !== undefined) asked.address = addressText(allocation.address);
    if (error !== undefined) asked.error = error;
  }

  #moveText({ span, from, to }: Move): string {
    const size = span.end - span.start;
    const name = (peer: PeerId) => Buffer.from(peer, 'hex').toString().replaceAll('-', '');
    return to === this.peer
      ? `${size} from ${from === undefined ? 'nobody' : name(from)}`
      : `${size} to ${name(to)}`;
  }

  #other(peer: PeerId): RouterUnderTest | undefined {
    const other = this.#rings.named(peer);
    return other === undefined || other === this || other.isolated || this.isolated ? undefined : other;
  }

  #records(): readonly RingRecord[] {
    return [...(this.ring.ring?.records() ?? [])];
  }
}
