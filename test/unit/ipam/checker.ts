import { WeftError } from '../../../src/errors.js';
import type { PeerId } from '../../../src/identity/index.js';
import { AddressRing, type Release } from '../../../src/ipam/address-ring.js';
import { IPV4 } from '../../../src/ipam/ownership/allocations.js';
import type { Output } from '../../../src/ipam/ownership/outbox.js';
import { emptyState, ownArcsOf, type RingState } from '../../../src/ipam/ownership/state.js';
import type { Message } from '../../../src/ipam/ring/messages.js';
import { type Block, parseBlock } from '../../../src/ipam/ring/range.js';
import type { RecordSigner, RingRecord } from '../../../src/ipam/ring/records.js';
import type { Arc } from '../../../src/ipam/ring/ring.js';
import { trustingSigner } from './rings.js';

/*
 * A randomised checker: routers with the real state machine, over a network that loses, repeats, delays and
 * reorders messages, on hosts that crash and come back with older disks, in virtual time. Safety is checked
 * after every operation; at the end of every episode all faults end, and it is checked that nothing is lost.
 */

export interface CheckOptions {
  readonly seed: number;
  /** Number of operations in one episode, which is a network from its beginning until it is healed. */
  readonly operations: number;
  /** Is given a line for each operation. */
  readonly trace?: (line: string) => void;
}

export interface CheckResult {
  readonly operations: number;
  /** Number of operations of each kind. */
  readonly counts: ReadonlyMap<string, number>;
}

/** An invariant is violated. The message contains the seed that reproduces it. */
export class Violation extends Error {}

const RANGES = ['10.0.0.0/26', '10.0.0.0/24', '10.0.0.0/22', '10.0.0.0/20'];
/** Maximum number of older disks from which a host may be restored. */
const BACKUPS = 6;
const MAX_HOSTS = 7;
const MAX_IN_FLIGHT = 400;

/** Runs one episode. Throws `Violation`. */
export function check(options: CheckOptions): CheckResult {
  const world = new World(options);
  try {
    while (world.operations < options.operations) world.step();
    world.heal();
  } catch (error) {
    const why =
      error instanceof Violation ? error.message : String(error instanceof Error ? error.stack : error);
    throw new Violation(`seed ${options.seed}, operation ${world.operations}: ${why}`);
  }
  return { operations: world.operations, counts: world.counts };
}

type Payload =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'records'; readonly records: readonly RingRecord[] };

interface Packet {
  readonly from: Host;
  readonly to: Host;
  /** The run of the receiver: what was sent to an earlier run is void. */
  readonly run: number;
  readonly payload: Payload;
}

/**
 * `stopped`: the router was killed, the containers go on, and it is started again soon. `dead`: the host is
 * down.
 */
type HostState = 'up' | 'stopped' | 'dead' | 'left';

class Host {
  readonly name: string;
  readonly peer: PeerId;
  readonly signer: RecordSigner;
  state: HostState = 'dead';
  run = 0;
  ring: AddressRing | undefined;
  disk: RingState;
  /** The state that is being written to the disk. */
  writing: RingState | undefined;
  /**
   * Whether the state on the disk was written since the host was last down, so that the freshness marker of
   * `RingFiles` matches it: only then does a router that starts go on in its incarnation. A router that is
   * killed before its first write after a boot, perhaps with an older disk, owns nothing by that disk, and
   * begins another incarnation the next time, too.
   */
  isFresh = false;
  readonly backups: RingState[] = [];
  /** Milliseconds by which the host's clock is fast. */
  readonly skew: number;
  /** Hosts of the same group reach each other. */
  group = 0;
  /** The addresses of containers, with their owners. */
  readonly used = new Map<number, string>();
  /** The owners of requests that wait, by id. */
  readonly waiting = new Map<number, string>();
  /** The host that removed this one, or that took over what it had when it left. */
  successor: Host | undefined;
  /** The arcs that may be handed out by the state on the disk. */
  owned: readonly Arc[] = [];
  #owner = 0;

  constructor(index: number, peer: PeerId, range: Block, skew: number) {
    this.skew = skew;
    this.name = `h${index}`;
    this.peer = peer;
    this.disk = emptyState(range);
    this.signer = trustingSigner(peer);
  }

  nextOwner(): string {
    this.#owner++;
    return `${this.name}.${this.#owner}`;
  }
}

interface Operation {
  readonly weight: number;
  readonly run: () => void;
}

class World {
  operations = 0;
  readonly counts = new Map<string, number>();
  readonly #trace: ((line: string) => void) | undefined;
  readonly #random: () => number;
  readonly #range: Block;
  readonly #hosts: Host[] = [];
  readonly #byPeer = new Map<PeerId, Host>();
  #packets: Packet[] = [];
  /** Packets that arrive long after they were sent. */
  #late: Packet[] = [];
  #time = 1_000;
  #ids = 0;
  /** Whether the network loses and repeats nothing. */
  #calm = false;
  readonly #loss: number;
  readonly #operations: readonly Operation[];
  readonly #weight: number;

  constructor({ seed, trace }: CheckOptions) {
    this.#random = seededRandom(seed);
    this.#trace = trace;
    this.#range = parseBlock(this.#pick(RANGES));
    this.#loss = this.#pick([0, 0.02, 0.2]);
    this.#operations = this.#choices(this.#pick([0.2, 1, 3]));
    this.#weight = this.#operations.reduce((sum, { weight }) => sum + weight, 0);
    const founders = 1 + this.#below(3);
    const first = Array.from({ length: founders }, () => this.#addHost());
    this.#calm = true;
    for (const host of first) {
      this.#start(host);
      host.ring?.found(first.map(({ peer }) => peer));
      this.#settle(host);
    }
    this.#calm = false;
  }

  step(): void {
    this.operations++;
    const { length } = this.#packets;
    if (length > 0 && this.#random() < (length > MAX_IN_FLIGHT ? 0.95 : 0.7)) {
      this.#deliver();
      return;
    }
    let choice = this.#random() * this.#weight;
    for (const { weight, run } of this.#operations) {
      choice -= weight;
      if (choice > 0) continue;
      run();
      break;
    }
  }

  /** The operations, with their relative frequencies. */
  #choices(faults: number): readonly Operation[] {
    return [
      { weight: 40, run: () => this.#allocateOrRelease() },
      { weight: 8, run: () => this.#claim() },
      { weight: 30, run: () => this.#tick() },
      { weight: 12, run: () => this.#gossip() },
      { weight: faults, run: () => this.#partition() },
      { weight: faults, run: () => this.#restartRouter() },
      { weight: 0.6 * faults, run: () => this.#killHost() },
      { weight: 0.8 * faults, run: () => this.#bringBack() },
      { weight: 0.4 * faults, run: () => this.#remove() },
      { weight: 0.3 * faults, run: () => this.#killAndRemove() },
      { weight: 0.2 * faults, run: () => this.#leave() },
      { weight: 0.4 * faults, run: () => this.#join() },
      { weight: 0.3 * faults, run: () => this.#fullDisk() },
    ];
  }

  /** Ends all faults; then all addresses must be owned, by owners that all hosts know, and usable. */
  heal(): void {
    this.#calm = true;
    for (const host of this.#hosts) {
      host.group = 0;
      if (host.state === 'stopped' || (host.state === 'dead' && host.successor === undefined)) {
        this.#start(host);
      }
    }
    for (let round = 0; round < 60 && !(this.#late.length === 0 && this.#isWhole()); round++) {
      if (round === 3) this.#packets.push(...this.#late.splice(0));
      this.#settleAll();
      this.#removeDead();
    }
    if (!this.#isWhole()) throw new Violation(`space is lost: ${this.#describe()}`);
    this.#fillUp();
  }

  // --- Operations -----------------------------------------------------------------------------------------

  #deliver(): void {
    const packets = this.#random() < 0.02 && this.#late.length > 0 ? this.#late : this.#packets;
    const index = this.#below(packets.length);
    const packet = packets[index];
    const last = packets.pop();
    if (packet === undefined || last === undefined) return;
    if (index < packets.length) packets[index] = last;
    if (!this.#calm && this.#random() < this.#loss) {
      this.#count('lose');
      return;
    }
    if (!this.#calm && this.#random() < 0.05) {
      this.#packets.push(packet);
      this.#count('repeat');
    }
    this.#receive(packet);
  }

  #receive({ from, to, run, payload }: Packet): void {
    const { ring } = to;
    if (ring === undefined || to.run !== run) return;
    this.#count(payload.kind === 'message' ? payload.message.type : 'records');
    if (payload.kind === 'message') {
      ring.receive(from.peer, payload.message, this.#now(to));
    } else {
      ring.learnFounders(this.#founders());
      const news = ring.merge(payload.records, this.#now(to));
      if (news.length > 0) this.#spread(to, news, from);
    }
    this.#settle(to);
  }

  #allocateOrRelease(): void {
    const host = this.#anyUp();
    if (host?.ring === undefined) return;
    const used = [...host.used];
    const free = this.#below(3) === 0;
    if (free && used.length > 0) {
      const [address, owner] = this.#pick(used);
      host.used.delete(address);
      this.#count('release');
      this.#ids++;
      host.ring.release(this.#ids, releasesOf(host.ring, owner));
    } else {
      this.#count('allocate');
      const owner = host.nextOwner();
      this.#request(host, owner, (id) => host.ring?.allocate(id, owner, this.#subnet(), 24, IPV4));
    }
    this.#settle(host);
  }

  #claim(): void {
    const host = this.#anyUp();
    if (host?.ring === undefined) return;
    this.#count('claim');
    const owner = host.nextOwner();
    const { start, end } = this.#range;
    const address = start + 1 + this.#below(end - start - 2);
    this.#request(host, owner, (id) => host.ring?.claim(id, owner, address, 24, IPV4));
    this.#settle(host);
  }

  #request(host: Host, owner: string, ask: (id: number) => void): void {
    this.#ids++;
    host.waiting.set(this.#ids, owner);
    ask(this.#ids);
  }

  #tick(): void {
    const host = this.#anyUp();
    if (host?.ring === undefined) return;
    this.#count('tick');
    this.#time += 1 + this.#below(1_500);
    for (const id of host.waiting.keys()) {
      if (this.#random() < 0.05 || host.waiting.size > 8) host.ring.cancel(id);
    }
    host.ring.tick(this.#now(host));
    this.#settle(host);
  }

  /** A host sends all or some of the records that it knows to another one. */
  #gossip(): void {
    const host = this.#anyUp();
    const peers = this.#hosts.filter((other) => host !== undefined && this.#reaches(host, other));
    if (host?.ring?.ring === undefined || peers.length === 0) return;
    this.#count('gossip');
    const all = [...host.ring.ring.records()];
    const records = this.#random() < 0.2 ? all.filter(() => this.#random() < 0.5) : all;
    this.#post(host, this.#pick(peers), { kind: 'records', records });
  }

  #partition(): void {
    this.#count('partition');
    const groups = this.#pick([1, 1, 2, 2, 3]);
    for (const host of this.#hosts) host.group = this.#below(groups);
    this.#greet();
  }

  #greet(): void {
    for (const host of this.#hosts) {
      for (const other of this.#hosts) {
        if (host.ring === undefined || !this.#reaches(host, other) || this.#random() < 0.5) continue;
        host.ring.reached(other.peer, this.#now(host));
        this.#settle(host);
      }
    }
  }

  /**
   * Kills the router, perhaps between a write and its outputs, and starts it again from its disk: it goes on
   * in its incarnation.
   */
  #restartRouter(): void {
    const host = this.#anyUp();
    if (host?.ring === undefined) return;
    this.#count('restart');
    this.#stop(host, 'stopped');
    if (this.#random() < 0.8) this.#start(host);
  }

  #killHost(): void {
    const host = this.#anyUp();
    if (host === undefined || this.#hosts.filter(({ state }) => state === 'up').length < 2) return;
    this.#count('kill');
    this.#stop(host, 'dead');
    for (const address of host.used.keys()) host.used.delete(address);
  }

  #bringBack(): void {
    const down = this.#hosts.filter(({ state }) => state === 'stopped' || state === 'dead');
    if (down.length === 0) return;
    const host = this.#pick(down);
    if (host.state === 'stopped') {
      this.#start(host);
      return;
    }
    const backup = this.#random() < 0.5 ? this.#pick([host.disk, ...host.backups]) : host.disk;
    const { disk, successor } = host;
    const isOlder = backup !== disk;
    host.disk = backup;
    host.successor = undefined;
    if ((isOlder || successor !== undefined) && !this.#isEverybodyKnown()) {
      host.disk = disk;
      host.successor = successor;
      this.#count(isOlder ? 'backup too old' : 'back among strangers');
      return;
    }
    this.#count(isOlder ? 'restore' : 'boot');
    if (isOlder) host.backups.length = 0;
    this.#start(host);
  }

  #remove(): void {
    const dead = this.#hosts.filter(({ state, successor }) => state === 'dead' && successor === undefined);
    const host = this.#anyUp();
    if (host?.ring?.ring === undefined || dead.length === 0) return;
    const victim = this.#pick(dead);
    victim.successor = host;
    if (!this.#isEverybodyKnown()) {
      victim.successor = undefined;
      this.#count('removal that cuts off');
      return;
    }
    this.#count('remove');
    this.#trace?.(`${host.name} removes ${victim.name}`);
    this.#ids++;
    host.ring.remove(this.#ids, victim.peer);
    this.#settle(host);
  }

  /** Removes hosts as soon as they are dead, while their messages are still on the way. */
  #killAndRemove(): void {
    this.#killHost();
    for (let count = 0; count < 3; count++) this.#remove();
    this.#greet();
  }

  /**
   * Removes dead hosts again where they are believed to participate: a removal ends only the incarnations
   * that were known.
   */
  #removeDead(): void {
    const [host] = this.#hosts.filter(({ state }) => state === 'up');
    const ring = host?.ring?.ring;
    const owners = ring?.arcs.map(({ record }) => record.owner) ?? [];
    for (const peer of new Set([...owners, ...(ring?.participants ?? [])])) {
      const other = this.#byPeer.get(peer);
      if (host?.ring === undefined || (other?.state !== 'dead' && other?.state !== 'left')) continue;
      this.#ids++;
      host.ring.remove(this.#ids, peer);
      this.#settle(host);
    }
  }

  #leave(): void {
    const host = this.#anyUp();
    if (host?.ring === undefined || this.#hosts.filter(({ state }) => state === 'up').length < 3) return;
    this.#count('leave');
    for (const owner of host.used.values()) {
      this.#ids++;
      host.ring.release(this.#ids, releasesOf(host.ring, owner));
    }
    for (const address of host.used.keys()) host.used.delete(address);
    this.#ids++;
    host.waiting.set(this.#ids, LEAVING);
    host.ring.leave(this.#ids);
    this.#settle(host);
  }

  #join(): void {
    if (this.#hosts.filter(({ state }) => state !== 'left').length >= MAX_HOSTS) return;
    this.#count('join');
    const host = this.#addHost();
    this.#start(host);
  }

  /** Lets the next write of a router fail. */
  #fullDisk(): void {
    const host = this.#anyUp();
    if (host?.ring === undefined) return;
    this.#count('full disk');
    const owner = host.nextOwner();
    this.#request(host, owner, (id) => host.ring?.allocate(id, owner, this.#subnet(), 24, IPV4));
    host.writing ??= host.ring.save();
    if (host.writing !== undefined) {
      host.writing = undefined;
      host.ring.failed(new WeftError('disk-full', 'the disk is full'));
    }
    this.#settle(host);
  }

  // --- Hosts ----------------------------------------------------------------------------------------------

  #addHost(): Host {
    const index = this.#hosts.length;
    const id = (Math.floor(this.#random() * 2 ** 32) * 256 + index).toString(16).padStart(16, '0');
    const host = new Host(index, id as PeerId, this.#range, this.#pick([0, 0, 0, 10_000, 3_600_000]));
    host.group = this.#hosts[0]?.group ?? 0;
    this.#hosts.push(host);
    this.#byPeer.set(host.peer, host);
    return host;
  }

  #start(host: Host): void {
    const { disk: state, isFresh: continued } = host;
    this.#trace?.(`${host.name} starts${continued ? ' and goes on' : ''}, incarnation ${state.incarnation}`);
    host.run++;
    host.state = 'up';
    const reaches = (peer: PeerId) => {
      const other = this.#byPeer.get(peer);
      return other !== undefined && this.#reaches(host, other);
    };
    host.ring = new AddressRing({
      signer: host.signer,
      state,
      continued,
      now: this.#now(host),
      random: this.#random,
      reachable: reaches,
      neighbours: () => this.#hosts.map(({ peer }) => peer).filter(reaches),
      nameOf: (peer) => this.#byPeer.get(peer)?.name ?? peer,
    });
    this.#settle(host);
  }

  #stop(host: Host, state: HostState): void {
    this.#trace?.(`${host.name} is ${state}`);
    if (host.writing !== undefined && this.#random() < 0.5) this.#write(host, host.writing);
    host.writing = undefined;
    host.ring = undefined;
    host.state = state;
    host.isFresh &&= state === 'stopped';
    host.waiting.clear();
    this.#survey(host);
  }

  #write(host: Host, state: RingState): void {
    if (this.#random() < 0.1) {
      host.backups.push(host.disk);
      if (host.backups.length > BACKUPS) host.backups.splice(this.#below(BACKUPS), 1);
    }
    host.disk = state;
    host.isFresh = true;
    this.#survey(host);
  }

  /**
   * Does what the driver does after each input: it writes, then carries out what follows. A write may last
   * until the next input.
   */
  #settle(host: Host): void {
    for (;;) {
      if (host.writing !== undefined && (this.#calm || this.#random() < 0.7)) {
        this.#write(host, host.writing);
        host.writing = undefined;
        host.ring?.saved();
      }
      host.writing ??= host.ring?.save();
      const outputs = host.ring?.outputs() ?? [];
      for (const output of outputs) this.#do(host, output);
      if (host.writing === undefined ? outputs.length === 0 : !this.#calm && this.#random() < 0.1) return;
    }
  }

  #do(host: Host, output: Output): void {
    switch (output.kind) {
      case 'send': {
        const to = this.#byPeer.get(output.to);
        if (to !== undefined) this.#post(host, to, { kind: 'message', message: output.message });
        break;
      }
      case 'announce':
        this.#spread(host, output.records, undefined);
        break;
      case 'settle':
        this.#onSettled(host, output);
        break;
      case 'lost':
        this.#trace?.(`${host.name} lost ${output.allocation.address}`);
        host.used.delete(output.allocation.address);
        break;
      case 'warning':
        throw new Violation(`${host.name} warns: ${output.error.message}\n${this.#describe()}`);
    }
  }

  #onSettled(host: Host, { id, allocation, error }: Output & { kind: 'settle' }): void {
    const owner = host.waiting.get(id);
    host.waiting.delete(id);
    if (owner === LEAVING && host.ring !== undefined && error === undefined) this.#onLeft(host);
    if (allocation === undefined || owner === undefined) return;
    const { address } = allocation;
    for (const other of this.#hosts) {
      if (other !== host && other.used.has(address)) {
        throw new Violation(`${address} is given out by ${host.name} and by ${other.name}`);
      }
    }
    host.used.set(address, owner);
  }

  /** A host that never participated has no successor, and leaves nothing. */
  #onLeft(host: Host): void {
    const record = host.disk.ring?.participantRecords.get(host.peer);
    if (record?.ended === true) host.successor = this.#byPeer.get(record.successor);
    else if (host.disk.incarnation !== 0) return;
    this.#stop(host, 'left');
  }

  #post(from: Host, to: Host, payload: Payload): void {
    if (!this.#reaches(from, to)) return;
    const packets = !this.#calm && this.#random() < 0.05 ? this.#late : this.#packets;
    packets.push({ from, to, run: to.run, payload });
    if (this.#late.length > MAX_IN_FLIGHT) this.#late.splice(this.#below(MAX_IN_FLIGHT), 1);
  }

  #spread(from: Host, records: readonly RingRecord[], except: Host | undefined): void {
    for (const to of this.#hosts) {
      if (to !== except) this.#post(from, to, { kind: 'records', records });
    }
  }

  #reaches(from: Host, to: Host): boolean {
    return from !== to && to.state === 'up' && from.group === to.group;
  }

  // --- What must hold
  // ------------------------------------------------------------------------------------------------------

  /**
   * No address has two owners. A router that goes on when it is started owns its addresses even while it is
   * stopped.
   */
  #survey(host: Host): void {
    host.owned = host.isFresh ? ownArcsOf(host.disk, host.peer).owned : [];
    for (const other of this.#hosts) {
      if (other === host) continue;
      const twice = shared(host.owned, other.owned);
      if (twice !== undefined) {
        throw new Violation(`${twice} is owned by ${host.name} and by ${other.name}\n${this.#describe()}`);
      }
    }
  }

  /**
   * Assumption A4 of docs/protocol.md, section 12: a host that asks all participants that it knows, and all
   * that these know, and so on, finds every host that owns addresses or is to take some over. When an older
   * disk or a removal breaks this, no protocol can help.
   */
  #isEverybodyKnown(): boolean {
    if (this.#founders().length === 0) return false;
    const owners = new Set<Host>();
    for (const host of this.#hosts) {
      if (host.successor === undefined && ownArcsOf(host.disk, host.peer).pending.length > 0)
        owners.add(host);
      for (const { record } of host.disk.ring?.arcs ?? []) {
        const owner = this.#byPeer.get(record.owner);
        if (owner !== undefined && owner.successor === undefined && record.version > 0) owners.add(owner);
      }
    }
    return this.#hosts.every((host) => {
      if (host.disk.ring === undefined || host.successor !== undefined) return true;
      const found = this.#knownFrom(host);
      return [...owners].every((owner) => found.has(owner));
    });
  }

  /**
   * The hosts that a host asks in the end, as it learns from all that it asks. In place of a removed host it
   * asks the successor.
   */
  #knownFrom(host: Host): Set<Host> {
    const found = new Set<Host>([host]);
    let known = host.disk.ring;
    for (const each of found) {
      if (each.successor !== undefined) found.add(each.successor);
      else for (const record of each.disk.ring?.records() ?? []) known = known?.put(record);
      for (const peer of known?.participants ?? []) {
        const other = this.#byPeer.get(peer);
        if (other !== undefined) found.add(other);
      }
    }
    const asked = [...found].filter(({ peer }) => peer === host.peer || known?.participants.has(peer));
    return new Set(asked);
  }

  /** All hosts know the same ring, and each address is owned by one of them. */
  #isWhole(): boolean {
    const up = this.#hosts.filter(({ state }) => state === 'up');
    const [first] = up.flatMap(({ ring }) => (ring?.ring === undefined ? [] : [ring.ring]));
    if (first === undefined) return false;
    const isSame = up.every(
      ({ ring }) =>
        ring?.ring?.participantsHash === first.participantsHash &&
        ring.ring.arcs.length === first.arcs.length &&
        ring.ring.arcs.every(({ start, record }, index) => {
          const other = first.arcs[index];
          return (
            other?.start === start &&
            other.record.version === record.version &&
            other.record.owner === record.owner
          );
        }),
    );
    const owned = up.flatMap((host) => host.owned).reduce((sum, { start, end }) => sum + end - start, 0);
    return isSame && owned === this.#range.end - this.#range.start;
  }

  /** One host can get all the addresses that are left. */
  #fillUp(): void {
    const host = this.#anyUp();
    if (host === undefined) return;
    for (const { ring, waiting } of this.#hosts) for (const id of waiting.keys()) ring?.cancel(id);
    for (const each of this.#hosts) this.#settle(each);
    const used = this.#hosts.reduce((sum, each) => sum + each.used.size, 0);
    const left = this.#hosts.reduce((sum, { ring }) => sum + held(ring), 0);
    if (used > left) throw new Violation(`${used} addresses are in use, but only ${left} are noted`);
    if (this.#range.end - this.#range.start > 256) return;
    const { start, end } = this.#range;
    const span = { start: start + 1, end: end - 1 };
    const fixed = [start, end - 1].filter((address) => this.#hosts.some((each) => each.used.has(address)));
    const wanted = end - start - 2 - (left - fixed.length);
    for (let count = 0; count < wanted; count++) {
      const owner = host.nextOwner();
      const before = host.used.size;
      this.#request(host, owner, (id) => host.ring?.allocate(id, owner, span, 24, IPV4));
      this.#settle(host);
      for (let round = 0; round < 60 && host.used.size === before; round++) this.#settleAll();
      if (host.used.size === before) {
        throw new Violation(`${host.name} got ${count} of ${wanted} free addresses\n${this.#describe()}`);
      }
    }
    this.#count('fill', wanted);
  }

  #settleAll(): void {
    this.#time += 2_500;
    for (const host of this.#hosts) {
      host.ring?.tick(this.#now(host));
      this.#settle(host);
      const records = [...(host.ring?.ring?.records() ?? [])];
      if (records.length > 0)
        for (const to of this.#hosts) this.#post(host, to, { kind: 'records', records });
    }
    while (this.#packets.length > 0) {
      const packets = this.#packets;
      this.#packets = [];
      for (const packet of packets) this.#receive(packet);
    }
  }

  #describe(): string {
    return this.#hosts
      .map((host) => {
        const { ring, incarnation } = host.disk;
        const arcs = ring?.arcs.map(({ start, end, record }) => {
          const name = this.#byPeer.get(record.owner)?.name;
          const signer = this.#byPeer.get(record.signer)?.name;
          return `${start % 4096}-${end % 4096}:${name}@${record.ownerIncarnation}v${record.version}<${signer}`;
        });
        const participants = [...(ring?.participantRecords.values() ?? [])].map((record) => {
          const successor = record.ended ? `>${this.#byPeer.get(record.successor)?.name}` : '';
          return `${this.#byPeer.get(record.peer)?.name}@${record.incarnation}${successor}`;
        });
        const view = host.ring?.view();
        const waiting = view?.waitingFor.map((peer) => this.#byPeer.get(peer)?.name);
        return `${host.name} (${host.peer}) ${host.state} incarnation ${incarnation} pending ${view?.pending} waits ${waiting}\n   ${arcs?.join(' ')}\n   ${participants.join(' ')}`;
      })
      .join('\n');
  }

  // --- Chance ---------------------------------------------------------------------------------------------

  #founders(): readonly PeerId[] {
    return this.#hosts.map(({ disk }) => disk.founders).find(({ length }) => length > 0) ?? [];
  }

  #anyUp(): Host | undefined {
    const up = this.#hosts.filter(({ state }) => state === 'up');
    return up.length === 0 ? undefined : this.#pick(up);
  }

  /** The whole range, or a part of it. */
  #subnet() {
    const { start, end } = this.#range;
    const quarter = (end - start) / 4;
    const at = this.#below(8);
    const block = at < 4 ? { start: start + at * quarter, end: start + (at + 1) * quarter } : this.#range;
    return { start: block.start + 1, end: block.end - 1 };
  }

  #now({ skew }: Host): number {
    return this.#time + skew;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T;
  }

  #count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
    this.#trace?.(`${this.operations} ${what}`);
  }
}

const LEAVING = 'leaving';

/** Everything that an owner has. */
function releasesOf(ring: AddressRing, owner: string): Release[] {
  return ring.allocationsOf(owner).map((allocation) => ({ allocation, families: IPV4 }));
}

function held(ring: AddressRing | undefined): number {
  return ring?.view().allocated ?? 0;
}

/** An address that is in both lists. */
function shared(first: readonly Arc[], second: readonly Arc[]): number | undefined {
  let at = 0;
  for (const { start, end } of first) {
    while (at < second.length && (second[at]?.end ?? 0) <= start) at++;
    const other = second[at];
    if (other !== undefined && other.start < end) return Math.max(start, other.start);
  }
  return undefined;
}

/** Numbers from 0 to 1 that are determined by the seed (mulberry32, public domain). */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
