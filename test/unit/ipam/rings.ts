import { WeftError } from '../../../src/errors.js';
import type { PeerId } from '../../../src/identity/index.js';
import { AddressRing } from '../../../src/ipam/address-ring.js';
import { IPV4, type Slot } from '../../../src/ipam/ownership/allocations.js';
import type { Output } from '../../../src/ipam/ownership/outbox.js';
import { emptyState, type RingState } from '../../../src/ipam/ownership/state.js';
import { addressText, type Block, parseBlock } from '../../../src/ipam/ring/range.js';
import { type Fact, NO_PROOF, type Notary } from '../../../src/ipam/ring/records.js';

/** The whole range but for its first and last address, as a subnet of it is asked for. */
export function hostsOf({ start, end }: Block) {
  return { start: start + 1, end: end - 1 };
}

/** Signs nothing: who says a fact is taken at its word. */
export function trustingNotary(peer: PeerId): Notary {
  return {
    peer,
    deed: (content) => ({ ...content, giver: peer, proof: NO_PROOF }),
    seat: (content) => ({ ...content, signer: peer, proof: NO_PROOF }),
  };
}

/** A request that a router made. */
export interface Asked {
  settled: boolean;
  address?: string;
  error?: WeftError;
}

/** Routers that hear from one another at once, unless they are cut off, in virtual time. */
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

  /** Everything is said, and all that follows from it. */
  settle(): void {
    while (this.routers.some((router) => router.advance()));
  }

  /** Time passes, with its timers. */
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
  /** Cut off from all others. */
  isolated = false;
  isUp = true;
  readonly lost: string[] = [];
  readonly warnings: string[] = [];
  /** The next writes fail. */
  diskFull = false;
  /** How often the state was written. */
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
      notary: trustingNotary(this.peer),
      state,
      continued,
      now: rings.now,
      random: () => 0.5,
      reachable: (peer) => this.#other(peer) !== undefined,
      neighbours: () => rings.routers.map(({ peer }) => peer).filter((peer) => this.#other(peer)),
      nameOf: (peer) => Buffer.from(peer, 'hex').toString().replaceAll('-', ''),
    });
  }

  /** It is gone; what it said last was said. */
  kill(): void {
    this.isUp = false;
  }

  /** It is started again, from its disk or another one; the others meet it. */
  restart({ state = this.disk, continued = false } = {}): RouterUnderTest {
    this.kill();
    const again = this.#rings.add(this.name, state, continued);
    again.meet();
    return again;
  }

  /** It and the others exchange all that they know. */
  meet(): void {
    this.isolated = false;
    for (const other of this.#rings.routers) {
      if (!other.isUp || other === this || other.isolated) continue;
      const { now } = this.#rings;
      const [ours, theirs] = [this.#facts(), other.#facts()];
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
    const freed = this.ring.held(owner).map((slot: Slot) => ({ slot, families: IPV4 }));
    this.ask((id) => this.ring.release(id, freed));
  }

  ask(what: (id: number) => void): Asked {
    this.#ids++;
    const asked: Asked = { settled: false };
    this.#asked.set(this.#ids, asked);
    what(this.#ids);
    this.#rings.settle();
    return asked;
  }

  /** Ends all waits. */
  cancelAll(): void {
    for (const id of this.#asked.keys()) this.ring.cancel(id);
    this.#rings.settle();
  }

  /** How many addresses it may hand out. */
  get owned(): number {
    return this.ring.view().owned;
  }

  /** Does what is to be done; false when there is nothing. */
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
        for (const { peer } of [...this.#rings.routers]) {
          const other = this.#other(peer);
          other?.ring.learnFounders(this.ring.founders);
          other?.ring.merge(output.facts, now);
        }
        break;
      case 'settle':
        this.#settled(output.id, output.slot, output.error);
        break;
      case 'lost':
        this.lost.push(addressText(output.slot.address));
        break;
      case 'warning':
        this.warnings.push(output.error.code);
        break;
    }
  }

  #settled(id: number, slot: Slot | undefined, error: WeftError | undefined): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (asked === undefined) return;
    asked.settled = true;
    if (slot !== undefined) asked.address = addressText(slot.address);
    if (error !== undefined) asked.error = error;
  }

  #other(peer: PeerId): RouterUnderTest | undefined {
    const other = this.#rings.named(peer);
    return other === undefined || other === this || other.isolated || this.isolated ? undefined : other;
  }

  #facts(): readonly Fact[] {
    return [...(this.ring.ring?.facts() ?? [])];
  }
}
