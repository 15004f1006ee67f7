import type { WeftError } from '../../errors.js';
import type { PeerId } from '../../identity/index.js';
import type { Fact, Message } from '../ring/index.js';
import type { Slot } from './allocations.js';

/** What the ring wants done, in this order. */
export type Output =
  | { readonly kind: 'send'; readonly to: PeerId; readonly message: Message }
  /** Facts of ours, for everybody. */
  | { readonly kind: 'announce'; readonly facts: readonly Fact[] }
  /** A request is over: with its address if it asked for one, or refused. */
  | {
      readonly kind: 'settle';
      readonly id: number;
      readonly slot?: Slot | undefined;
      readonly error?: WeftError | undefined;
    }
  /** Somebody here has this address no longer: it belongs to another router. */
  | { readonly kind: 'lost'; readonly slot: Slot; readonly to: PeerId }
  /** Something was refused or is wrong; the code names a counter. */
  | { readonly kind: 'warning'; readonly error: WeftError; readonly peer: PeerId };

/**
 * Holds back what the ring wants done until the state that it follows from is on the disk.
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

  /** What is on the disk, but for what need not be there. */
  get durable(): S {
    return this.#durable;
  }

  /** `essential`: it must be on the disk before anything follows from it. */
  set(state: S, essential: boolean): void {
    this.#state = state;
    if (essential) this.#dirty = true;
    else if (!this.#dirty && this.#saving === undefined) this.#durable = state;
  }

  put(output: Output): void {
    this.#waiting.push(output);
  }

  /** The state to write now, if there is one and none is being written. */
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

  /** Nothing was written: all is as it was before. Gives back what would have been done. */
  failed(): readonly Output[] {
    const undone = [...(this.#saving?.outputs ?? []), ...this.#waiting];
    this.#saving = undefined;
    this.#waiting = [];
    this.#dirty = false;
    this.#state = this.#durable;
    return undone;
  }

  /** What may be done now. */
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
