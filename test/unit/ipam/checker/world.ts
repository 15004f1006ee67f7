import type { PeerId } from '../../../../src/identity/index.js';
import { AddressRing } from '../../../../src/ipam/address-ring.js';
import { IPV4 } from '../../../../src/ipam/ownership/allocations.js';
import type { Output } from '../../../../src/ipam/ownership/outbox.js';
import type { RingState } from '../../../../src/ipam/ownership/state.js';
import { recordsIn } from '../../../../src/ipam/ring/message-wire.js';
import { type Block, parseBlock, type Span } from '../../../../src/ipam/ring/range.js';
import type { RingRecord } from '../../../../src/ipam/ring/records.js';
import { Chance } from './chance.js';
import { Host, type HostState, LEAVING, reaches } from './host.js';
import { Hosts } from './hosts.js';
import {
  checkGivenFromOwn,
  checkGivenOnce,
  checkGivenToOne,
  checkGivesFree,
  checkOwners,
  isGivenElsewhere,
  noteOwned,
  Violation,
} from './invariants.js';
import { answerFalsely } from './lies.js';
import { Network, type Packet } from './network.js';

export interface WorldOptions {
  readonly seed: number;
  /** Number of members that lie. What holds among honest ones is then checked after the liars are expelled. */
  readonly liars?: number;
  /** How many others hear at once of what a host has learnt; all, if nothing is said. */
  readonly fanout?: number;
  /** Is given a line for each operation. */
  readonly trace?: (line: string) => void;
}

/** What may happen to a world, and how often compared with others. */
export interface Operation {
  readonly weight: number;
  readonly run: () => void;
}

const RANGES = ['10.0.0.0/26', '10.0.0.0/24', '10.0.0.0/22', '10.0.0.0/20'];
/** Maximum number of older disks from which a host may be restored. */
const BACKUPS = 6;
/** Unix time in milliseconds: where somebody lies, numbers of a far future are told from others by the clock. */
const PRESENT = Date.UTC(2027, 0);
/** Maximum number of records that liars remember. */
const MAX_HEARD = 2_000;

/** Hosts with their routers and disks, the network between them, and time. What must hold always is checked here. */
export class World {
  operations = 0;
  readonly counts = new Map<string, number>();
  readonly chance: Chance;
  readonly range: Block;
  readonly network: Network;
  /** How frequent faults are, compared with other operations. */
  readonly faultRate: number;
  readonly hosts = new Hosts();
  time: number;
  readonly hasLiars: boolean;
  /** What liars heard, to say it again. */
  readonly heard: RingRecord[] = [];
  #ids = 0;
  readonly #fanout: number;
  readonly #trace: ((line: string) => void) | undefined;

  /** Begins with a network of a few hosts. */
  constructor({ seed, liars = 0, fanout = Infinity, trace }: WorldOptions) {
    this.hasLiars = liars > 0;
    this.time = this.hasLiars ? PRESENT : 1_000;
    this.chance = new Chance(seed);
    this.#trace = trace;
    this.#fanout = fanout;
    this.range = parseBlock(this.chance.pick(RANGES));
    this.network = new Network(this.chance, this.chance.pick([0, 0.02, 0.2]));
    this.faultRate = this.chance.pick([0.2, 1, 3]);
    const founders = Array.from({ length: 1 + this.chance.below(3) }, () => this.addHost());
    this.chance.calm = true;
    for (const host of founders) {
      this.start(host);
      host.ring?.found(founders.map(({ peer }) => peer));
      this.settle(host);
    }
    for (let count = 0; count < liars; count++) this.#addLiar();
    this.chance.calm = false;
  }

  /** A packet that is on the way arrives, or is lost; what arrives may arrive again. */
  deliver(): void {
    const packet = this.network.take();
    if (packet === undefined) return;
    if (this.chance.fault(this.network.loss)) {
      this.count('lose');
      return;
    }
    if (this.chance.fault(0.05)) {
      this.network.packets.push(packet);
      this.count('repeat');
    }
    this.receive(packet);
  }

  receive({ from, to, run, payload }: Packet): void {
    const { ring } = to;
    if (ring === undefined || to.run !== run || from.state === 'expelled') return;
    if (to.isLiar) this.#hear(payload);
    if (to.isLiar && from !== to && answerFalsely(this, to, from, payload)) return;
    this.count(payload.kind === 'message' ? payload.message.type : 'records');
    if (payload.kind === 'message') {
      ring.receive(from.peer, payload.message, this.now(to));
    } else {
      ring.learnFounders(this.hosts.founders());
      const news = ring.merge(payload.records, this.now(to));
      if (news.length > 0) this.#spread(to, news, from);
    }
    this.settle(to);
  }

  #addLiar(): void {
    const liar = this.addHost();
    liar.isLiar = true;
    this.start(liar);
  }

  #hear(payload: Packet['payload']): void {
    this.heard.push(...(payload.kind === 'records' ? payload.records : recordsIn(payload.message)));
    while (this.heard.length > MAX_HEARD) this.heard.splice(this.chance.below(this.heard.length), 1);
  }

  addHost(): Host {
    const { chance, hosts } = this;
    const index = hosts.all.length;
    const id = (Math.floor(chance.random() * 2 ** 32) * 256 + index).toString(16).padStart(16, '0');
    const host = new Host(index, id as PeerId, this.range, chance.pick([0, 0, 0, 10_000, 3_600_000]));
    host.group = hosts.all[0]?.group ?? 0;
    hosts.add(host);
    return host;
  }

  /** Starts a router from its disk. */
  start(host: Host): void {
    const { disk: state, isFresh: continued } = host;
    this.trace(`${host.name} starts${continued ? ' and goes on' : ''}, incarnation ${state.incarnation}`);
    host.run++;
    host.state = 'up';
    const isReached = (peer: PeerId) => {
      const other = this.hosts.of(peer);
      return other !== undefined && reaches(host, other);
    };
    host.ring = new AddressRing({
      signer: host.signer,
      state,
      continued,
      now: this.now(host),
      random: this.chance.random,
      reachable: isReached,
      neighbours: () => this.hosts.all.map(({ peer }) => peer).filter(isReached),
      nameOf: (peer) => this.hosts.of(peer)?.name ?? peer,
    });
    // What a router lost in the moment of its end, it tells nobody; it would claim it again, and gives it up here.
    for (const [address, owner] of host.used) {
      const isNoted = host.ring.allocationsOf(owner).some((allocation) => allocation.address === address);
      if (!isNoted) host.used.delete(address);
    }
    this.settle(host);
  }

  /** Ends a router, perhaps in the middle of a write. */
  stop(host: Host, state: HostState): void {
    this.trace(`${host.name} is ${state}`);
    if (host.writing !== undefined && this.chance.random() < 0.5) this.#write(host, host.writing);
    host.writing = undefined;
    host.ring = undefined;
    host.state = state;
    host.isFresh &&= state === 'stopped';
    host.waiting.clear();
    this.#checkOwners(host);
  }

  #write(host: Host, state: RingState): void {
    if (this.chance.random() < 0.1) {
      host.backups.push(host.disk);
      if (host.backups.length > BACKUPS) host.backups.splice(this.chance.below(BACKUPS), 1);
    }
    host.disk = state;
    host.isFresh = true;
    this.#checkOwners(host);
  }

  #checkOwners(host: Host): void {
    if (!this.hasLiars) checkOwners(this.hosts, host);
    else if (noteOwned(this.hosts, host) !== undefined) this.count('owned twice');
  }

  /** Has a router ask for something on behalf of an owner. */
  request(host: Host, owner: string, ask: (id: number) => void): void {
    const id = this.nextId();
    host.waiting.set(id, owner);
    ask(id);
  }

  /** Has a router ask for any address of the span; by default of the range, or of a part of it. */
  allocate(host: Host, span: Span = this.#subnet()): void {
    const owner = host.nextOwner();
    this.request(host, owner, (id) => host.ring?.allocate(id, owner, span, 24, IPV4));
  }

  nextId(): number {
    this.#ids++;
    return this.#ids;
  }

  /**
   * Does what the driver does after each input: it writes, then carries out what follows. A write may last
   * until the next input.
   */
  settle(host: Host): void {
    const { chance } = this;
    for (;;) {
      if (host.writing !== undefined && (chance.calm || chance.random() < 0.7)) {
        this.#write(host, host.writing);
        host.writing = undefined;
        host.ring?.saved();
      }
      host.writing ??= host.ring?.save();
      const outputs = host.ring?.outputs() ?? [];
      for (const output of outputs) this.#do(host, output);
      for (const address of host.given.splice(0)) checkGivenFromOwn(host, address);
      if (host.writing === undefined ? outputs.length === 0 : chance.fault(0.1)) return;
    }
  }

  #do(host: Host, output: Output): void {
    switch (output.kind) {
      case 'send': {
        checkGivesFree(host, output.message);
        const to = this.hosts.of(output.to);
        if (to !== undefined) this.network.post(host, to, { kind: 'message', message: output.message });
        break;
      }
      case 'announce':
        this.#spread(host, output.records, undefined);
        break;
      case 'settle':
        this.#onSettled(host, output);
        break;
      case 'lost':
        this.trace(`${host.name} lost ${output.allocation.address}`);
        host.used.delete(output.allocation.address);
        break;
      case 'warning':
        if (this.hasLiars) {
          this.count(output.error.code);
          break;
        }
        throw new Violation(`${host.name} warns: ${output.error.message}\n${this.hosts.describe()}`);
    }
  }

  #onSettled(host: Host, { id, allocation, error }: Output & { kind: 'settle' }): void {
    const owner = host.waiting.get(id);
    host.waiting.delete(id);
    if (owner === LEAVING && host.ring !== undefined && error === undefined) this.#onLeft(host);
    if (allocation === undefined || owner === undefined) return;
    if (!this.hasLiars) checkGivenOnce(this.hosts, host, allocation.address);
    else if (isGivenElsewhere(this.hosts, host, allocation.address)) this.count('given twice');
    checkGivenToOne(host, owner, allocation.address);
    host.used.set(allocation.address, owner);
    host.given.push(allocation.address);
  }

  /** A host that never participated has no successor, and leaves nothing. */
  #onLeft(host: Host): void {
    const record = host.disk.ring?.participantRecords.get(host.peer);
    if (record?.ended === true) host.successor = this.hosts.of(record.successor);
    else if (host.disk.incarnation !== 0) return;
    this.stop(host, 'left');
  }

  #spread(from: Host, records: readonly RingRecord[], except: Host | undefined): void {
    for (const to of this.#audience()) {
      if (to !== except) this.network.post(from, to, { kind: 'records', records });
    }
  }

  #audience(): readonly Host[] {
    const { all } = this.hosts;
    if (all.length <= this.#fanout) return all;
    return Array.from({ length: this.#fanout }, () => this.anyUp()).filter((host) => host !== undefined);
  }

  anyUp(): Host | undefined {
    const up = this.hosts.up();
    return up.length === 0 ? undefined : this.chance.pick(up);
  }

  /** The whole range, or a part of it. */
  #subnet() {
    const { start, end } = this.range;
    const quarter = (end - start) / 4;
    const at = this.chance.below(8);
    const block = at < 4 ? { start: start + at * quarter, end: start + (at + 1) * quarter } : this.range;
    return { start: block.start + 1, end: block.end - 1 };
  }

  /** The time by the clock of a host. */
  now({ skew }: Host): number {
    return this.time + skew;
  }

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
    this.trace(`${this.operations} ${what}`);
  }

  trace(line: string): void {
    this.#trace?.(line);
  }
}
