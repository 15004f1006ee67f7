import type { PeerId } from '../identity/index.js';
import { addressText } from './name.js';
import type { NameKey, NameRecord } from './records.js';

/** What is known under one name. */
export interface NameNode {
  /** Sorted, each once; a new array whenever they change. Both are empty for a name that only others are below of. */
  readonly ipv4: readonly Uint8Array[];
  readonly ipv6: readonly Uint8Array[];
}

/** A record and the host that published it. */
export interface NameEntry extends NameRecord {
  readonly owner: PeerId;
  /** Its host cannot be reached now: it is not answered. */
  readonly hidden: boolean;
}

interface Owned {
  readonly records: Map<string, NameRecord>;
  hidden: boolean;
}

/** All names of all hosts, by network. Names of a host that is down are kept, but hidden. Pure: no clock, no I/O. */
export class NameTable {
  readonly #owners = new Map<PeerId, Owned>();
  readonly #networks = new Map<number, NetworkNames>();
  #size = 0;

  /** Records, hidden ones included. */
  get size(): number {
    return this.#size;
  }

  /** Adds a record, or replaces the one of the same network, name and container. */
  set(owner: PeerId, record: NameRecord): void {
    const owned = this.#owned(owner);
    const key = keyOf(record);
    const former = owned.records.get(key);
    owned.records.set(key, record);
    if (former === undefined) this.#size += 1;
    if (owned.hidden) return;
    if (former !== undefined) this.network(former.network).remove(former);
    this.network(record.network).add(record);
  }

  remove(owner: PeerId, key: NameKey): void {
    const owned = this.#owners.get(owner);
    const former = owned?.records.get(keyOf(key));
    if (owned === undefined || former === undefined) return;
    owned.records.delete(keyOf(key));
    this.#size -= 1;
    if (!owned.hidden) this.network(former.network).remove(former);
    if (owned.records.size === 0 && !owned.hidden) this.#owners.delete(owner);
  }

  /** Answers the names of a host no longer, or again. */
  hide(owner: PeerId, hidden: boolean): void {
    if (!hidden && !this.#owners.has(owner)) return;
    const owned = this.#owned(owner);
    if (owned.hidden === hidden) return;
    owned.hidden = hidden;
    for (const record of owned.records.values()) {
      const names = this.network(record.network);
      if (hidden) names.remove(record);
      else names.add(record);
    }
  }

  /** What is answered on a network; stays up to date. */
  network(network: number): NetworkNames {
    let names = this.#networks.get(network);
    if (names === undefined) {
      names = new NetworkNames();
      this.#networks.set(network, names);
    }
    return names;
  }

  /** One record of a host. */
  get(owner: PeerId, key: NameKey): NameEntry | undefined {
    const owned = this.#owners.get(owner);
    const record = owned?.records.get(keyOf(key));
    return owned && record && { ...record, owner, hidden: owned.hidden };
  }

  /** All records, or those of one host. */
  *entries(owner?: PeerId): Iterable<NameEntry> {
    for (const [peer, { records, hidden }] of this.#owners) {
      if (owner !== undefined && owner !== peer) continue;
      for (const record of records.values()) yield { ...record, owner: peer, hidden };
    }
  }

  #owned(owner: PeerId): Owned {
    let owned = this.#owners.get(owner);
    if (owned === undefined) {
      owned = { records: new Map(), hidden: false };
      this.#owners.set(owner, owned);
    }
    return owned;
  }
}

/** The names of one network, indexed for questions. */
export class NetworkNames {
  readonly #nodes = new Map<string, Node>();
  /** By address: names, and how many records say so. */
  readonly #reverse = new Map<string, Map<string, number>>();

  /** By the lower-case wire format of a name below the domain, without the root, one character a byte (`wireKey`). */
  find(key: string): NameNode | undefined {
    return this.#nodes.get(key);
  }

  /** The names of an address (4 or 16 bytes, one character each), in order. */
  namesOf(address: string): readonly string[] {
    return [...(this.#reverse.get(address)?.keys() ?? [])].sort();
  }

  add(record: NameRecord): void {
    for (const [depth, key] of pathKeys(record.name).entries()) {
      let node = this.#nodes.get(key);
      if (node === undefined) {
        node = new Node();
        this.#nodes.set(key, node);
      }
      if (depth === 0) node.add(record);
      else node.below += 1;
    }
    for (const address of record.addresses) {
      const names = this.#reverse.get(latin1(address)) ?? new Map<string, number>();
      names.set(record.name, (names.get(record.name) ?? 0) + 1);
      this.#reverse.set(latin1(address), names);
    }
  }

  remove(record: NameRecord): void {
    for (const [depth, key] of pathKeys(record.name).entries()) {
      const node = this.#nodes.get(key);
      if (node === undefined) continue;
      if (depth === 0) node.remove(record);
      else node.below -= 1;
      if (node.isNeedless) this.#nodes.delete(key);
    }
    for (const address of record.addresses) {
      const names = this.#reverse.get(latin1(address));
      const count = names?.get(record.name) ?? 0;
      if (count > 1) names?.set(record.name, count - 1);
      else names?.delete(record.name);
      if (names?.size === 0) this.#reverse.delete(latin1(address));
    }
  }
}

class Node implements NameNode {
  readonly #records = new Set<NameRecord>();
  #ipv4: readonly Uint8Array[] | undefined;
  #ipv6: readonly Uint8Array[] | undefined;
  /** Records of names below this one. */
  below = 0;

  get ipv4(): readonly Uint8Array[] {
    this.#ipv4 ??= this.#addresses(4);
    return this.#ipv4;
  }

  get ipv6(): readonly Uint8Array[] {
    this.#ipv6 ??= this.#addresses(16);
    return this.#ipv6;
  }

  get isNeedless(): boolean {
    return this.#records.size === 0 && this.below === 0;
  }

  add(record: NameRecord): void {
    this.#records.add(record);
    this.#changed();
  }

  remove(record: NameRecord): void {
    this.#records.delete(record);
    this.#changed();
  }

  #changed(): void {
    this.#ipv4 = undefined;
    this.#ipv6 = undefined;
  }

  #addresses(length: number): readonly Uint8Array[] {
    const all = [...this.#records].flatMap(({ addresses }) => addresses);
    const wanted = all.filter((address) => address.length === length);
    return [...new Map(wanted.map((address) => [latin1(address), address])).values()].sort(Buffer.compare);
  }
}

/** The wire format (RFC 1035, 3.1) of a lower-case name, without the root, one character a byte. */
export function wireKey(name: string): string {
  return name
    .split('.')
    .map((label) => String.fromCharCode(label.length) + label)
    .join('');
}

/** The keys of the name itself and of all that it is below of, up to the domain. */
function pathKeys(name: string): string[] {
  const labels = name.split('.');
  return labels.map((_, depth) => wireKey(labels.slice(depth).join('.')));
}

function keyOf({ network, name, container }: NameKey): string {
  return `${network} ${name} ${container}`;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** As people read it. */
export function addressTexts({ addresses }: NameRecord): string[] {
  return addresses.map(addressText);
}
