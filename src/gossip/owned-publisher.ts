import type { Encoder } from 'compact-encoding';
import { encode } from '../codec.js';
import { WeftError } from '../errors.js';
import type { Identity } from '../identity/index.js';
import { IncarnationBackoff } from './incarnation-backoff.js';
import { type HeldEntry, heldEntry, OwnedSet } from './owned-set.js';
import * as wire from './owned-wire.js';

/**
 * Maximum number of removed keys that are kept, or as many as there are records if those are more, before the owner begins a new
 * incarnation without them.
 */
const MAX_REMOVED = 64;

export interface OwnedPublisherOptions<T> {
  /** Of the channel. */
  readonly name: string;
  readonly identity: Identity;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  readonly value: Encoder<T>;
  /** Bytes of memory that a value takes elsewhere. */
  readonly weigh: (value: T) => number;
  /** Maximum memory that our records may take, in bytes, about. */
  readonly limit: number;
  readonly onChange: (key: string, value: T | undefined) => void;
  /** There is something to take. */
  readonly onPending: () => void;
}

/** Signs this router's own records of one channel: their changes and removals, and new incarnations of all of them. */
export class OwnedPublisher<T> {
  /** All records that this router publishes. */
  readonly records: OwnedSet<T>;
  readonly #options: OwnedPublisherOptions<T>;
  /** Keys that changed and were not taken yet. */
  readonly #pending = new Set<string>();
  #headPending = true;
  /** Others may know our head: it must not change within the incarnation any more. */
  #isPublished = false;
  #sequence = 0;
  readonly #backoff = new IncarnationBackoff();

  constructor(options: OwnedPublisherOptions<T>) {
    this.#options = options;
    this.records = new OwnedSet(this.#signHead(options.now(), 0));
  }

  /** Publishes a value. Throws `too-many-records`, or RangeError when key or value is too long. */
  set(key: string, value: T): void {
    const bytes = encode(this.#options.value, value);
    const known = this.records.get(key);
    if (known?.content.value !== undefined && Buffer.compare(known.content.value, bytes) === 0) return;
    this.#change(key, value, bytes);
  }

  /** Takes a value back, if there is one. */
  remove(key: string): void {
    if (this.records.get(key)?.value === undefined) return;
    this.#change(key, undefined, undefined);
    const { size, removed, head } = this.records;
    if (removed > Math.max(MAX_REMOVED, size - removed)) this.#beginIncarnation(head.content.incarnation + 1);
  }

  /** What changed since the last call; undefined when nothing did. */
  take(): wire.Group | undefined {
    this.publish();
    if (!this.#headPending && this.#pending.size === 0) return undefined;
    const entries = [...this.records.entries()].filter(({ content }) => this.#pending.has(content.key));
    this.#headPending = false;
    this.#pending.clear();
    return { head: this.records.head, entries };
  }

  /** From now on others may know our records: the head says how many there were. */
  publish(): void {
    if (this.#isPublished) return;
    this.#isPublished = true;
    this.records.begin(this.#signHead(this.records.head.content.incarnation, this.records.size));
  }

  /** Somebody holds a head of ours that counts before the present one, from an earlier run or from a clone: ours must count before it. */
  supersede({ content: { incarnation } }: wire.SignedHead): void {
    if (this.#backoff.allows(this.#options.now())) this.#beginIncarnation(incarnation + 1);
  }

  #change(key: string, value: T | undefined, bytes: Uint8Array | undefined): void {
    const { name, limit, onChange, onPending } = this.#options;
    const entry = this.#held(key, bytes, value);
    if (value !== undefined && this.records.cost + entry.cost > limit) {
      throw new WeftError(
        'too-many-records',
        `this router cannot publish more in "${name}": other routers would not keep it`,
      );
    }
    this.records.put(entry);
    this.#pending.add(key);
    onChange(key, value);
    onPending();
  }

  /** Signs all our records for another incarnation, which makes void whatever others hold of us. */
  #beginIncarnation(incarnation: number): void {
    const records = [...this.records.shown()];
    this.#isPublished = true;
    this.records.begin(this.#signHead(incarnation, records.length));
    this.#pending.clear();
    for (const { content, value } of records) {
      this.records.put(this.#held(content.key, content.value, value));
      this.#pending.add(content.key);
    }
    this.records.dropStale();
    this.#headPending = true;
    this.#options.onPending();
  }

  #signHead(incarnation: number, initial: number): wire.SignedHead {
    const { name, identity } = this.#options;
    return wire.signHead(name, identity, { publicKey: identity.publicKey, incarnation, initial });
  }

  #held(key: string, bytes: Uint8Array | undefined, value: T | undefined): HeldEntry<T> {
    const { name, identity, weigh } = this.#options;
    const { incarnation } = this.records.head.content;
    this.#sequence += 1;
    const entry = wire.signEntry(name, identity, incarnation, {
      sequence: this.#sequence,
      key,
      value: bytes,
    });
    return heldEntry(entry, value, value === undefined ? 0 : weigh(value));
  }
}
