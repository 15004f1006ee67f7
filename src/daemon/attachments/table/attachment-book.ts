import { withoutLength } from '../../../net/index.js';
import { attachmentKey, type Entry } from './attachment-entry.js';
import { everybody, holderOf } from './sharing.js';

/** All attachments of this host, found by container and interface, by namespace, and by address. */
export class AttachmentBook {
  readonly #entries = new Map<string, Entry>();
  /** Keys by network and address. */
  readonly #addresses = new Map<string, string>();
  /** How many are on each network. */
  readonly #networks = new Map<string, number>();
  /** Keys by namespace and interface, of what is present. */
  readonly #namespaces = new Map<string, string>();

  get size(): number {
    return this.#entries.size;
  }

  uses(network: string): boolean {
    return (this.#networks.get(network) ?? 0) > 0;
  }

  all(): Entry[] {
    return [...this.#entries.values()];
  }

  /** Those that are a container's own, or that it shares. */
  of(id: string): Entry[] {
    return this.all().filter((entry) => everybody(entry).some((called) => called.id === id));
  }

  /** Whether some addresses are a holder's by the ring. */
  holds(holder: string): boolean {
    return this.all().some((entry) => holderOf(entry) === holder);
  }

  find(id: string, inside: string): Entry | undefined {
    return this.#entries.get(attachmentKey({ id, interface: inside }));
  }

  /** One namespace may be named in several ways: by its name, its path, a process in it. */
  inNamespace(inode: number, inside: string): Entry | undefined {
    return this.#at(this.#namespaces.get(`${inode} ${inside}`));
  }

  /** Whose address it is. */
  withAddress(network: string, cidr: string): Entry | undefined {
    return this.#at(this.#addresses.get(`${network} ${withoutLength(cidr)}`));
  }

  /** Puts an entry in, in place of the former one of that container and interface. */
  put(entry: Entry): void {
    const key = attachmentKey(entry);
    const former = this.#entries.get(key);
    if (former !== undefined) this.remove(former);
    this.#entries.set(key, entry);
    this.#networks.set(entry.network, (this.#networks.get(entry.network) ?? 0) + 1);
    for (const cidr of entry.addresses) this.#addresses.set(`${entry.network} ${withoutLength(cidr)}`, key);
    if (entry.present) this.#namespaces.set(`${entry.inode} ${entry.interface}`, key);
  }

  remove(entry: Entry): void {
    const key = attachmentKey(entry);
    if (!this.#entries.delete(key)) return;
    this.#networks.set(entry.network, (this.#networks.get(entry.network) ?? 0) - 1);
    for (const cidr of entry.addresses)
      unset(this.#addresses, `${entry.network} ${withoutLength(cidr)}`, key);
    unset(this.#namespaces, `${entry.inode} ${entry.interface}`, key);
  }

  #at(key: string | undefined): Entry | undefined {
    return key === undefined ? undefined : this.#entries.get(key);
  }
}

function unset(map: Map<string, string>, name: string, key: string): void {
  if (map.get(name) === key) map.delete(name);
}
