import type { WeftError } from '../../errors.js';
import type { PeerId } from '../../identity/index.js';
import type { Message, RingRecord } from '../ring/index.js';
import type { Allocation } from './allocations.js';
import type { Move } from './moves.js';

/** What the driver of the ring is to do, in this order. */
export type Output =
  | { readonly kind: 'send'; readonly to: PeerId; readonly message: Message }
  /** Records that this router signed, to be gossiped to all. */
  | { readonly kind: 'announce'; readonly records: readonly RingRecord[] }
  /** A request is over: with its allocation if it asked for an address, or refused. */
  | {
      readonly kind: 'settle';
      readonly id: number;
      readonly allocation?: Allocation | undefined;
      readonly error?: WeftError | undefined;
    }
  /** A container of this host loses its address, which belongs to another router. */
  | { readonly kind: 'lost'; readonly allocation: Allocation; readonly to: PeerId }
  /** Addresses that were this router's belong to another one, or the other way round. */
  | { readonly kind: 'moved'; readonly moves: readonly Move[] }
  /** Something was refused or is wrong; the code of the error names a counter. */
  | { readonly kind: 'warning'; readonly error: WeftError; readonly peer: PeerId };

/**
 * Holds outputs back until the state from which they follow is on the disk.
 *
 * @typeParam S the state, immutable
 */
export class Outbox<S> {
  #state: S;
  #durable: S;
  #dirty = false;
  #saving: { readonly state: S; readonly outputs: Output[] } | undefined;
  #waiting: Output[] = [];
  #ready: Output[] = [];

  constructor(state: S) {
    this.#state = state;
    this.#durable = state;
  }

  get state(): S {
    return this.#state;
  }

  /** The state on the disk, with later changes that need not be there. */
  get durable(): S {
    return this.#durable;
  }

  /** `isEssential`: the change must be on the disk before any output that follows from it is released. */
  set(state: S, isEssential: boolean): void {
    this.#state = state;
    if (isEssential) this.#dirty = true;
    else if (!this.#dirty && this.#saving === undefined) this.#durable = state;
  }

  put(output: Output): void {
    this.#waiting.push(output);
  }

  /** The state to write now, if there is a new one and none is being written. */
  save(): S | undefined {
    if (!this.#dirty || this.#saving !== undefined) return undefined;
    this.#saving = { state: this.#state, outputs: this.#waiting };
    this.#waiting = [];
    this.#dirty = false;
    return this.#state;
  }

  saved(): void {
    if (this.#saving === undefined) return;
    this.#ready.push(...this.#saving.outputs);
    this.#durable = this.#dirty ? this.#saving.state : this.#state;
    this.#saving = undefined;
  }

  /** The write failed: the state is the one on the disk again. Returns the outputs that are void. */
  failed(): readonly Output[] {
    const undone = [...(this.#saving?.outputs ?? []), ...this.#waiting];
    this.#saving = undefined;
    this.#waiting = [];
    this.#dirty = false;
    this.#state = this.#durable;
    return undone;
  }

  /** The outputs that are released, each once. */
  take(): readonly Output[] {
    if (!this.#dirty && this.#saving === undefined) {
      this.#ready.push(...this.#waiting);
      this.#waiting = [];
    }
    if (this.#ready.length === 0) return NONE;
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }
}

const NONE: readonly Output[] = [];
