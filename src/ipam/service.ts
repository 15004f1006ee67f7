import { WeftError } from '../errors.js';
import type { Identity, PeerId } from '../identity/index.js';
import type { GossipChannel } from '../mesh/index.js';
import { AddressRing } from './address-ring.js';
import type { AddressAllocator } from './allocation/index.js';
import { RingGossip } from './gossip.js';
import { IPV4, IPV6, type Output, type RingState, type Slot } from './ownership/index.js';
import {
  addressNumber,
  addressText,
  type Block,
  checkFact,
  decodeMessage,
  encodeMessage,
  type Fact,
  factsIn,
  hashOfCharter,
  isWithin,
  type Message,
  notaryOf,
  parseBlock,
} from './ring/index.js';
import { embeddedLength, type Ula } from './ula.js';
import type { RingView } from './view.js';

/** How messages get to other routers. */
export interface RingTransport {
  /** What is lost is sent again. */
  send(peer: PeerId, bytes: Uint8Array): void;
  /** Whether messages get to this peer now. */
  reachable(peer: PeerId): boolean;
  /** All peers that messages get to now. */
  neighbours(): Iterable<PeerId>;
  /** How people call a peer. */
  nameOf(peer: PeerId): string;
  /** The gossip channel has something to tell. */
  changed(): void;
}

export interface AddressServiceOptions {
  readonly identity: Identity;
  readonly range: Block;
  /** Where addresses are taken from when nobody says from where; within the range. */
  readonly defaultSubnet: Block;
  /** Undefined where IPv6 is off. */
  readonly ula: Ula | undefined;
  /** As `RingFiles.load` gave it. */
  readonly state: RingState;
  readonly continued: boolean;
  /** Resolves when it is on the disk. Rejects with a WeftError when nothing was written. */
  readonly save: (state: RingState) => Promise<void>;
  readonly transport: RingTransport;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  /** An owner has this address no longer: the ring gave it to another router (after a restart with an older disk, or a removal). */
  readonly onLost: (owner: string, address: string, to: PeerId) => void;
  /** Something was refused or failed; `error.code` names the counter. */
  readonly onWarning: (error: WeftError, peer: PeerId | undefined) => void;
}

/** While something waits, lost messages are sent again so often, in milliseconds. */
const TICK = 1_000;

interface Pending {
  readonly resolve: (slot: Slot | undefined) => void;
  readonly reject: (error: WeftError) => void;
}

/** Drives the ring of a router: its disk, its messages, its timer, and whoever wants addresses. */
export class AddressService implements AddressAllocator {
  readonly channel: GossipChannel;
  readonly #options: AddressServiceOptions;
  readonly #ring: AddressRing;
  readonly #gossip: RingGossip;
  readonly #pending = new Map<number, Pending>();
  #ids = 0;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> | undefined;
  #stopped = false;

  constructor(options: AddressServiceOptions) {
    const { identity, range, state, continued, now, random, transport } = options;
    this.#options = options;
    this.#ring = new AddressRing({
      notary: notaryOf(identity),
      state,
      continued,
      now: now(),
      random,
      reachable: (peer) => transport.reachable(peer),
      neighbours: () => transport.neighbours(),
      nameOf: (peer) => transport.nameOf(peer),
    });
    this.#gossip = new RingGossip(range, this.#ring, now);
    this.channel = this.#watched(this.#gossip);
  }

  /** From now on time passes: lost messages are sent again. */
  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK);
    this.#advance();
  }

  /** Nothing is done any more. Resolves when nothing is being written; whoever waits is refused with `cancelled`. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#saving;
    for (const { reject } of this.#pending.values())
      reject(new WeftError('cancelled', 'the router is stopped'));
    this.#pending.clear();
  }

  /**
   * Splits the range between these routers: the one who made the network, the seeds, or those that were elected; the same list on all.
   * Not to be called where another router's ring is joined. Throws `ring-mismatch` when a ring that was split otherwise is known.
   */
  found(founders: readonly PeerId[]): void {
    this.#ring.found(founders);
    this.#advance();
  }

  /** A message that came from a peer with `RingTransport.send`. What cannot be used is dropped and told to `onWarning`. */
  receive(from: PeerId, bytes: Uint8Array): void {
    if (this.#ring.founders.length === 0) return; // Who asks will ask again when we know of a ring, too.
    try {
      const message = decodeMessage(bytes, this.#charterHash());
      for (const fact of factsIn(message)) checkFact(fact, this.#options.range);
      this.#ring.receive(from, message, this.#options.now());
    } catch (error) {
      if (!(error instanceof WeftError)) throw error;
      this.#options.onWarning(error, from);
    }
    this.#advance();
  }

  /** Messages get to this peer (again). */
  reached(peer: PeerId): void {
    this.#ring.reached(peer, this.#options.now());
    this.#advance();
  }

  async allocate(owner: string, subnet?: string, signal?: AbortSignal): Promise<readonly string[]> {
    const { ula } = this.#options;
    const block = this.#blockOf(subnet);
    const span = { start: block.start + 1, end: block.end - 1 };
    const families = ula === undefined ? IPV4 : IPV4 | IPV6;
    const slot = await this.#request(signal, (id) =>
      this.#ring.allocate(id, owner, span, block.length, families),
    );
    return slot === undefined ? [] : this.#texts(slot);
  }

  async claim(owner: string, address: string, signal?: AbortSignal): Promise<void> {
    const place = this.#placeOf(address);
    if (place === undefined) return;
    await this.#request(signal, (id) =>
      this.#ring.claim(id, owner, place.address, place.length, place.families),
    );
  }

  async release(owner: string, addresses?: readonly string[]): Promise<void> {
    const held = this.#ring.held(owner);
    const freed =
      addresses === undefined
        ? held.map((slot) => ({ slot, families: IPV4 | IPV6 }))
        : held.flatMap((slot) => {
            const places = addresses.map((address) => this.#placeOf(address));
            const families = places.reduce(
              (sum, place) => (place?.address === slot.address ? sum | place.families : sum),
              0,
            );
            return families === 0 ? [] : [{ slot, families }];
          });
    if (freed.length > 0) await this.#request(undefined, (id) => this.#ring.release(id, freed));
  }

  within(addresses: readonly string[], subnet?: string): readonly string[] {
    const block = this.#blockOf(subnet);
    return addresses.filter((text) => {
      const place = this.#placeOf(text);
      return place !== undefined && isWithin({ start: place.address, end: place.address + 1 }, block);
    });
  }

  lookup(owner: string): readonly string[] {
    return this.#ring.held(owner).flatMap((slot) => this.#texts(slot));
  }

  /** Resolves when there is a ring: somebody owns addresses. Rejects with `no-addresses` when the signal ends it. */
  async prime(signal?: AbortSignal): Promise<void> {
    await this.#request(signal, (id) => this.#ring.prime(id));
  }

  /** Takes back, without asking, what this router owned before it was restarted. Resolves when that is on the disk. */
  async force(): Promise<void> {
    await this.#request(undefined, (id) => this.#ring.force(id));
  }

  /**
   * Takes over what a dead peer owned. Resolves when that is done, by this router or by the one that removed it first.
   * Rejects with `peer-alive`, with `no-addresses` while no ring is known here, or with `cancelled` when the signal ends the wait: the message says whose answers are missing, and it is
   * done by itself when they come.
   */
  async remove(peer: PeerId, signal?: AbortSignal): Promise<void> {
    await this.#request(signal, (id) => this.#ring.remove(id, peer));
  }

  /** Gives all away, for good. Resolves when another router has it on its disk, or when there is none. Rejects with `cancelled`. */
  async leave(signal?: AbortSignal): Promise<void> {
    await this.#request(signal, (id) => this.#ring.leave(id));
  }

  view(): RingView {
    return this.#ring.view();
  }

  #request(signal: AbortSignal | undefined, ask: (id: number) => void): Promise<Slot | undefined> {
    if (this.#stopped) return Promise.reject(new WeftError('cancelled', 'the router is stopped'));
    this.#ids++;
    const id = this.#ids;
    const cancel = () => {
      this.#ring.cancel(id);
      this.#advance();
    };
    return new Promise<Slot | undefined>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      ask(id);
      this.#advance();
      if (signal?.aborted === true) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
    }).finally(() => signal?.removeEventListener('abort', cancel));
  }

  #tick(): void {
    if (this.#ring.busy) this.#ring.tick(this.#options.now());
    this.#advance();
  }

  /** Writes what is to be written and does what follows from what is written. */
  #advance(): void {
    if (this.#stopped) return;
    const state = this.#ring.save();
    if (state !== undefined) this.#saving = this.#write(state);
    for (const output of this.#ring.outputs()) this.#do(output);
  }

  async #write(state: RingState): Promise<void> {
    try {
      await this.#options.save(state);
      this.#ring.saved();
    } catch (error) {
      const known = error instanceof WeftError ? error : new WeftError('not-saved', String(error));
      this.#ring.failed(known);
      this.#options.onWarning(known, undefined);
    }
    this.#saving = undefined;
    this.#advance();
  }

  #do(output: Output): void {
    const { transport, onLost, onWarning } = this.#options;
    switch (output.kind) {
      case 'send':
        transport.send(output.to, this.#encode(output.message));
        break;
      case 'announce':
        this.#announce(output.facts);
        break;
      case 'settle':
        this.#settle(output.id, output.slot, output.error);
        break;
      case 'lost':
        for (const text of this.#texts(output.slot)) onLost(output.slot.owner, text, output.to);
        break;
      case 'warning':
        onWarning(output.error, output.peer);
        break;
    }
  }

  #announce(facts: readonly Fact[]): void {
    this.#gossip.announce(facts);
    this.#options.transport.changed();
  }

  #settle(id: number, slot: Slot | undefined, error: WeftError | undefined): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) pending?.resolve(slot);
    else pending?.reject(error);
  }

  #encode(message: Message): Uint8Array {
    return encodeMessage(message, this.#charterHash());
  }

  #charterHash(): Uint8Array {
    const { start, length } = this.#options.range;
    return hashOfCharter({ start, length, founders: this.#ring.founders });
  }

  /** What others gossip may be answered, or end somebody's wait. */
  #watched(gossip: RingGossip): GossipChannel {
    return {
      name: gossip.name,
      takeDeltas: () => gossip.takeDeltas(),
      merge: (delta, from) => {
        const news = gossip.merge(delta, from);
        this.#advance();
        return news;
      },
      digest: () => gossip.digest(),
      answer: (digest) => gossip.answer(digest),
      refine: (digest) => gossip.refine(digest),
    };
  }

  #texts({ address, length, families }: Slot): string[] {
    const { ula } = this.#options;
    const texts: string[] = [];
    if ((families & IPV4) !== 0) texts.push(`${addressText(address)}/${length}`);
    if ((families & IPV6) !== 0 && ula !== undefined) texts.push(ula.text(address, length));
    return texts;
  }

  /** A subnet of the range, or the default one. Throws `bad-subnet`. */
  #blockOf(subnet: string | undefined): Block {
    const { range, defaultSubnet } = this.#options;
    const block = subnet === undefined ? defaultSubnet : parseBlock(subnet);
    if (!isWithin(block, range)) throw outside(block.text, range.text);
    return block;
  }

  /** The place in the range of an address with or without the length of its subnet; undefined when it is not in it. */
  #placeOf(text: string): Pick<Slot, 'address' | 'length' | 'families'> | undefined {
    const { range, ula } = this.#options;
    const [host = '', lengthText] = text.split('/');
    const isIpv6 = host.includes(':');
    const address = isIpv6 ? ula?.embedded(host) : addressNumber(host);
    if (address === undefined || !isWithin({ start: address, end: address + 1 }, range)) return undefined;
    const given = lengthText === undefined ? range.length : Number(lengthText);
    const length = isIpv6 && lengthText !== undefined ? embeddedLength(given) : given;
    return { address, length: Math.min(32, Math.max(1, length)), families: isIpv6 ? IPV6 : IPV4 };
  }
}

function outside(subnet: string, range: string): WeftError {
  return new WeftError(
    'bad-subnet',
    `${subnet} is not within ${range}, whose addresses this network hands out: choose a subnet of it, or give an address`,
  );
}
