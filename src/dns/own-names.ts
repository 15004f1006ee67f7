import { WeftError } from '../errors.js';
import { MAX_ADDRESSES, type NameKey, type NameRecord } from './records.js';

export interface OwnNamesOptions {
  /** A name has these addresses now; none: it is gone. */
  readonly publish: (key: NameKey, addresses: readonly Uint8Array[]) => void;
}

/** Brings a name back to what it was before a change. */
export type Undo = () => void;

/**
 * The names of this host's containers: what attachment registers, and what users add to that. A name has the addresses of both.
 * Pure: what comes of it is published by somebody else.
 */
export class OwnNames {
  readonly #options: OwnNamesOptions;
  readonly #registered = new Layer();
  readonly #added = new Layer();

  constructor(options: OwnNamesOptions) {
    this.#options = options;
  }

  /** What users added. */
  get added(): NameRecord[] {
    return this.#added.records();
  }

  /** Replaces everything that was registered for this container. Records of one name and network are joined. */
  register(container: string, records: readonly NameRecord[]): void {
    const former = this.#registered.drop(container);
    for (const record of records) this.#registered.add(record);
    for (const key of [...former, ...records]) this.#publish(key);
  }

  /** Adds addresses to what there is. Throws `bad-name` when they are too many. */
  add(record: NameRecord): Undo {
    const undo = this.#undoing(record);
    this.#added.add(record);
    this.#publish(record);
    return undo;
  }

  /** Takes these addresses from the name, all if none are given. Undefined when there was nothing to take. */
  remove(key: NameKey, addresses: readonly Uint8Array[]): Undo | undefined {
    const undo = this.#undoing(key);
    const removed = [this.#registered, this.#added].map((layer) => layer.take(key, addresses));
    if (!removed.includes(true)) return undefined;
    this.#publish(key);
    return undo;
  }

  /** Everything that the container was called is gone. False when it was called nothing that a user added. */
  unregister(container: string): boolean {
    const added = this.#added.drop(container);
    for (const key of [...this.#registered.drop(container), ...added]) this.#publish(key);
    return added.length > 0;
  }

  /** The names of this container, each once. */
  of(container: string): NameKey[] {
    const both = [...this.#registered.ofContainer(container), ...this.#added.ofContainer(container)];
    return [...new Map(both.map((key) => [`${key.network} ${key.name}`, key])).values()];
  }

  #undoing(key: NameKey): Undo {
    const before = [this.#registered, this.#added].map((layer) => [layer, layer.get(key)] as const);
    return () => {
      for (const [layer, record] of before) {
        if (record === undefined) layer.delete(key);
        else layer.set(record);
      }
      this.#publish(key);
    };
  }

  #publish(key: NameKey): void {
    const both = [this.#registered, this.#added].flatMap((layer) => layer.get(key)?.addresses ?? []);
    const { network, name, container } = key;
    this.#options.publish({ network, name, container }, distinct(both).slice(0, MAX_ADDRESSES));
  }
}

/** Records of one origin, by container. */
class Layer {
  readonly #containers = new Map<string, Map<string, NameRecord>>();

  get({ container, network, name }: NameKey): NameRecord | undefined {
    return this.#containers.get(container)?.get(`${network} ${name}`);
  }

  set(record: NameRecord): void {
    const { container, network, name } = record;
    const names = this.#containers.get(container) ?? new Map<string, NameRecord>();
    names.set(`${network} ${name}`, record);
    this.#containers.set(container, names);
  }

  delete({ container, network, name }: NameKey): void {
    const names = this.#containers.get(container);
    names?.delete(`${network} ${name}`);
    if (names?.size === 0) this.#containers.delete(container);
  }

  /** Joined with the addresses that are there. */
  add(record: NameRecord): void {
    const addresses = distinct([...(this.get(record)?.addresses ?? []), ...record.addresses]);
    if (addresses.length > MAX_ADDRESSES) {
      throw new WeftError(
        'bad-name',
        `${record.name} cannot have more than ${MAX_ADDRESSES} addresses of one host`,
      );
    }
    this.set({ ...record, addresses });
  }

  /** Forgets the names of a container, and gives what they were. */
  drop(container: string): NameRecord[] {
    const former = this.ofContainer(container);
    this.#containers.delete(container);
    return former;
  }

  take(key: NameKey, addresses: readonly Uint8Array[]): boolean {
    const found = this.get(key);
    if (found === undefined) return false;
    const left = found.addresses.filter(
      (one) => !addresses.some((other) => Buffer.compare(one, other) === 0),
    );
    if (addresses.length > 0 && left.length === found.addresses.length) return false;
    if (addresses.length > 0 && left.length > 0) this.set({ ...found, addresses: left });
    else this.delete(key);
    return true;
  }

  ofContainer(container: string): NameRecord[] {
    return [...(this.#containers.get(container)?.values() ?? [])];
  }

  records(): NameRecord[] {
    return [...this.#containers.values()].flatMap((names) => [...names.values()]);
  }
}

function distinct(addresses: readonly Uint8Array[]): readonly Uint8Array[] {
  const known = new Map(addresses.map((address) => [Buffer.from(address).toString('latin1'), address]));
  return [...known.values()];
}
