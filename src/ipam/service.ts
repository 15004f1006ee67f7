import { WeftError } from '../errors.js';
import type { GossipChannel } from '../gossip/index.js';
import type { Identity, PeerId } from '../identity/index.js';
import { AddressFormat } from './address-format.js';
import { AddressRing } from './address-ring.js';
import type { AddressAllocator } from './allocation/index.js';
import { RingGossip } from './gossip.js';
import { type Allocation, IPV4, IPV6, type Move, type Output, type RingState } from './ownership/index.js';
import {
  type Block,
  checkRecord,
  decodeMessage,
  encodeMessage,
  hashOfConfig,
  isWithin,
  type Message,
  type RingRecord,
  recordSignerOf,
  recordsIn,
  ringError,
  spanText,
} from './ring/index.js';
import type { Ula } from './ula.js';
import type { RingView } from './view.js';

/** How messages reach other routers. */
export interface RingTransport {
  /** A message may be lost: it is sent again when its answer is missing. */
  send(peer: PeerId, bytes: Uint8Array): void;
  /** Whether messages reach this peer now. */
  reachable(peer: PeerId): boolean;
  /** All peers that messages reach now. */
  neighbours(): Iterable<PeerId>;
  /** The name by which people know a peer. */
  nameOf(peer: PeerId): string;
  /** The gossip channel has deltas to send. */
  changed(): void;
}

export interface AddressServiceOptions {
  readonly identity: Identity;
  readonly range: Block;
  /** The subnet of requests that name none; within the range. */
  readonly defaultSubnet: Block;
  /** Undefined where IPv6 is off. */
  readonly ula: Ula | undefined;
  /** As `RingFiles.load` returned it, like `continued`. */
  readonly state: RingState;
  readonly continued: boolean;
  /** Resolves once the state is on the disk. Rejects with a WeftError if nothing was written. */
  readonly save: (state: RingState) => Promise<void>;
  readonly transport: RingTransport;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  /**
   * An owner has lost this address because it belongs to another router (`to`): this one was restarted with
   * an older disk, or it had been removed.
   */
  readonly onLost: (owner: string, address: string, to: PeerId) => void;
  /** Addresses came to this router or went from it; the new owners are on the disk. */
  readonly onMoved: (moves: readonly Move[]) => void;
  /** Something was refused or failed; `error.code` names a counter. */
  readonly onWarning: (error: WeftError, peer: PeerId | undefined) => void;
}

/** Milliseconds between two ticks of the ring. */
const TICK = 1_000;

interface Pending {
  readonly resolve: (allocation: Allocation | undefined) => void;
  readonly reject: (error: WeftError) => void;
}

/**
 * Drives a router's part in the ring: its disk, its messages, its timer, and the requests of those who want
 * addresses.
 */
export class AddressService implements AddressAllocator {
  readonly channel: GossipChannel;
  readonly #options: AddressServiceOptions;
  readonly #format: AddressFormat;
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
    this.#format = new AddressFormat(options);
    this.#ring = new AddressRing({
      signer: recordSignerOf(identity),
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

  /** Starts the timer, by which lost messages are sent again. */
  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK);
    this.#advance();
  }

  /**
   * Stops all work. Resolves once nothing is being written; waiting requests are rejected with `cancelled`.
   */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#saving;
    for (const { reject } of this.#pending.values()) reject(stopped());
    this.#pending.clear();
  }

  /**
   * Splits the range between the founders: the router that made the network, the seeds, or the elected ones;
   * the list is the same on all of them. Must not be called where another router's ring is joined. Throws
   * `ring-mismatch` if other founders are known.
   */
  found(founders: readonly PeerId[]): void {
    this.#ring.found(founders);
    this.#advance();
  }

  /**
   * Handles a message that a peer sent with `RingTransport.send`. An unusable one is dropped and reported to
   * `onWarning`.
   */
  receive(from: PeerId, bytes: Uint8Array): void {
    if (this.#ring.founders.length === 0) return; // The peer asks again when this router knows the ring, too.
    try {
      const message = decodeMessage(bytes, this.#configHash());
      for (const record of recordsIn(message)) checkRecord(record, this.#options.range);
      this.#ring.receive(from, message, this.#options.now());
    } catch (error) {
      if (!(error instanceof WeftError)) throw error;
      this.#options.onWarning(error, from);
    }
    this.#advance();
  }

  /** Messages reach this peer (again). */
  reached(peer: PeerId): void {
    this.#ring.reached(peer, this.#options.now());
    this.#advance();
  }

  async allocate(owner: string, subnet?: string, signal?: AbortSignal): Promise<readonly string[]> {
    const block = this.#format.subnet(subnet);
    const span = { start: block.start + 1, end: block.end - 1 };
    const { families } = this.#format;
    const allocation = await this.#request(signal, (id) =>
      this.#ring.allocate(id, owner, span, block.length, families),
    );
    return allocation === undefined ? [] : this.#format.format(allocation);
  }

  async allocateOne(owner: string, subnet: string, signal?: AbortSignal): Promise<string> {
    const { start, end, length, families } = this.#format.familySubnet(subnet);
    const span = { start: start + 1, end: end - 1 };
    const allocation = await this.#request(signal, (id) =>
      this.#ring.allocateMore(id, owner, span, length, families),
    );
    const [address] = allocation === undefined ? [] : this.#format.format(allocation);
    if (address === undefined) throw ringError.notGranted();
    return address;
  }

  async claim(owner: string, address: string, signal?: AbortSignal): Promise<void> {
    const place = this.#format.parse(address);
    if (place === undefined) return;
    await this.#request(signal, (id) =>
      this.#ring.claim(id, owner, place.address, place.length, place.families),
    );
  }

  async release(owner: string, addresses?: readonly string[]): Promise<void> {
    const places = addresses?.map((address) => this.#format.parse(address));
    const releases = this.#ring.allocationsOf(owner).flatMap((allocation) => {
      const here = places?.filter((place) => place?.address === allocation.address);
      const families = here?.reduce((sum, place) => sum | (place?.families ?? 0), 0) ?? IPV4 | IPV6;
      return families === 0 ? [] : [{ allocation, families }];
    });
    if (releases.length > 0) await this.#request(undefined, (id) => this.#ring.release(id, releases));
  }

  within(addresses: readonly string[], subnet?: string): readonly string[] {
    const block = this.#format.subnet(subnet);
    return addresses.filter((text) => {
      const place = this.#format.parse(text);
      return place !== undefined && isWithin({ start: place.address, end: place.address + 1 }, block);
    });
  }

  lookup(owner: string): readonly string[] {
    return this.#ring.allocationsOf(owner).flatMap((allocation) => this.#format.format(allocation));
  }

  /**
   * Resolves once there is a ring, so that some router owns addresses. Rejects with `no-addresses` when the
   * signal ends the wait.
   */
  async prime(signal?: AbortSignal): Promise<void> {
    await this.#request(signal, (id) => this.#ring.prime(id));
  }

  /**
   * Takes back, without asking, what this router owned before it was restarted. Resolves once that is on the
   * disk.
   */
  async force(): Promise<void> {
    await this.#request(undefined, (id) => this.#ring.force(id));
  }

  /**
   * Takes over what a dead peer owned. Resolves once that is done, by this router or by the one that removed
   * the peer first. Rejects with `peer-alive`, with `no-addresses` while no ring is known here, or with
   * `cancelled` when the signal ends the wait: the message names the routers that have not answered, and the
   * takeover goes on by itself when they do.
   */
  async remove(peer: PeerId, signal?: AbortSignal): Promise<void> {
    await this.#request(signal, (id) => this.#ring.remove(id, peer));
  }

  /**
   * Hands everything over, for good. Resolves once another router has it on its disk, or if there is none.
   * Rejects with `cancelled`.
   */
  async leave(signal?: AbortSignal): Promise<void> {
    await this.#request(signal, (id) => this.#ring.leave(id));
  }

  view(): RingView {
    return this.#ring.view();
  }

  /** What a peer owns in its present incarnation, as people write it, in order. */
  rangesOf(peer: PeerId): readonly string[] {
    return this.#ring.arcsOf(peer).map(spanText);
  }

  #request(signal: AbortSignal | undefined, ask: (id: number) => void): Promise<Allocation | undefined> {
    if (this.#stopped) return Promise.reject(stopped());
    this.#ids++;
    const id = this.#ids;
    const cancel = () => {
      this.#ring.cancel(id);
      this.#advance();
    };
    return new Promise<Allocation | undefined>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      ask(id);
      this.#advance();
      if (signal?.aborted === true) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
    }).finally(() => signal?.removeEventListener('abort', cancel));
  }

  #tick(): void {
    if (this.#ring.isBusy) this.#ring.tick(this.#options.now());
    this.#advance();
  }

  /** Writes a new state, and carries out the outputs that follow from states on the disk. */
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
    const { onLost, onMoved, onWarning } = this.#options;
    switch (output.kind) {
      case 'send':
        this.#send(output.to, output.message);
        break;
      case 'announce':
        this.#announce(output.records);
        break;
      case 'settle':
        this.#settle(output.id, output.allocation, output.error);
        break;
      case 'lost':
        for (const text of this.#format.format(output.allocation)) {
          onLost(output.allocation.owner, text, output.to);
        }
        break;
      case 'moved':
        onMoved(output.moves);
        break;
      case 'warning':
        onWarning(output.error, output.peer);
        break;
    }
  }

  /** A message that is too long is as good as lost: what it was to bring about does not happen. */
  #send(to: PeerId, message: Message): void {
    const { transport, onWarning } = this.#options;
    try {
      transport.send(to, encodeMessage(message, this.#configHash()));
    } catch (error) {
      if (!(error instanceof WeftError)) throw error;
      onWarning(error, to);
    }
  }

  #announce(records: readonly RingRecord[]): void {
    this.#gossip.announce(records);
    this.#options.transport.changed();
  }

  #settle(id: number, allocation: Allocation | undefined, error: WeftError | undefined): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) pending?.resolve(allocation);
    else pending?.reject(error);
  }

  #configHash(): Uint8Array {
    const { start, length } = this.#options.range;
    return hashOfConfig({ start, length, founders: this.#ring.founders });
  }

  /** The gossip channel; what it merges may have to be answered, or may settle a request. */
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
}

function stopped(): WeftError {
  return new WeftError('cancelled', 'the request was not served because the router is being stopped');
}
