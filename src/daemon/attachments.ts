import type { Attachment, AttachRequest, DetachRequest } from '../api/index.js';
import { WeftError } from '../errors.js';
import {
  attach,
  bootId,
  type Cidr,
  DEFAULT_INTERFACE,
  detach,
  inspect,
  type Namespace,
  parseCidr,
  removeAddresses,
  resolveNamespace,
} from '../hostnet/index.js';
import type { StateFiles, StoredAttachment } from './state.js';

export interface AttachmentsOptions {
  readonly bridge: string;
  readonly mtu: number;
  readonly file: StateFiles['attachments'];
}

/** The containers on this router's bridge: what is attached, kept on disk, and put back after a restart. */
export class Attachments {
  readonly #options: AttachmentsOptions;
  readonly #entries = new Map<string, StoredAttachment>();
  readonly #queues = new Map<number, Promise<unknown>>();

  constructor(options: AttachmentsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Attaches the containers of earlier runs that still exist. Gives those that do not, which are forgotten. */
  async restore(): Promise<StoredAttachment[]> {
    const [stored, boot] = await Promise.all([this.#options.file.read(), bootId()]);
    const sameBoot = stored.bootId === boot;
    const gone: StoredAttachment[] = [];
    await Promise.all(
      stored.attachments.map(async (entry) => {
        const namespace = await stillThere(entry, sameBoot);
        if (namespace === undefined) gone.push(entry);
        else await this.#putBack(namespace, entry).catch(() => gone.push(entry));
      }),
    );
    await this.#save();
    return gone;
  }

  /** Puts all interfaces back onto a bridge that was made anew. */
  async reattach(): Promise<void> {
    for (const entry of [...this.#entries.values()]) {
      const namespace = await stillThere(entry, true);
      if (namespace !== undefined) await this.#putBack(namespace, entry);
    }
  }

  /** Rejects with `address-used`, or as hostnet's `attach` does. */
  async attach(request: AttachRequest): Promise<Attachment> {
    const cidrs = request.addresses.map(parseCidr);
    const namespace = await resolveNamespace(request.target);
    const attached = await this.#attach(namespace, request.interface ?? DEFAULT_INTERFACE, cidrs);
    await this.#save();
    return attached;
  }

  /** Rejects with `not-attached`. */
  async detach(request: DetachRequest): Promise<Attachment | null> {
    const inside = request.interface ?? DEFAULT_INTERFACE;
    const cidrs = (request.addresses ?? []).map(parseCidr);
    const namespace = await resolveNamespace(request.target).catch((error: unknown) => {
      if (this.#named(request.target, inside) === undefined) throw error;
      return undefined; // the container is gone, and its interface with it
    });
    const entry =
      namespace === undefined
        ? this.#named(request.target, inside)
        : this.#entries.get(keyOf(namespace.inode, inside));
    if (entry === undefined) throw notAttached(request.target, inside);
    const left = await this.#queued(entry.inode, () => this.#detach(entry, namespace, cidrs));
    await this.#save();
    return left;
  }

  async list(): Promise<Attachment[]> {
    return await Promise.all([...this.#entries.values()].map(view));
  }

  #putBack(
    namespace: Namespace,
    { interface: inside, addresses, mac }: StoredAttachment,
  ): Promise<Attachment> {
    return this.#attach(namespace, inside, addresses.map(parseCidr), mac);
  }

  #attach(namespace: Namespace, inside: string, cidrs: readonly Cidr[], mac?: string): Promise<Attachment> {
    return this.#queued(namespace.inode, async () => {
      const key = keyOf(namespace.inode, inside);
      const before = this.#entries.get(key);
      await this.#refuseUsed(cidrs, key);
      const addresses = [...new Set([...(before?.addresses ?? []), ...cidrs.map(({ text }) => text)])];
      const entry = { target: namespace.target, inode: namespace.inode, interface: inside, addresses };
      this.#replaceNamed(entry);
      try {
        const { bridge, mtu } = this.#options;
        const known = mac ?? before?.mac;
        const attached = await attach({ bridge, mtu, namespace, interface: inside, cidrs, mac: known });
        this.#entries.set(key, { ...entry, mac: attached.mac });
        return { target: namespace.target, ...attached, addresses: [...attached.addresses], present: true };
      } catch (error) {
        if (before === undefined) this.#entries.delete(key);
        else this.#entries.set(key, before);
        throw error;
      }
    });
  }

  /** A name that now means another namespace was that of a container which is gone. */
  #replaceNamed(entry: StoredAttachment): void {
    for (const [key, other] of this.#entries) {
      if (other.target === entry.target && other.interface === entry.interface) this.#entries.delete(key);
    }
    this.#entries.set(keyOf(entry.inode, entry.interface), entry);
  }

  async #detach(
    entry: StoredAttachment,
    namespace: Namespace | undefined,
    cidrs: readonly Cidr[],
  ): Promise<Attachment | null> {
    const key = keyOf(entry.inode, entry.interface);
    const leaving = new Set(cidrs.map(({ text }) => text));
    const addresses = cidrs.length === 0 ? [] : entry.addresses.filter((address) => !leaving.has(address));
    if (addresses.length === 0 || namespace === undefined) {
      await detach(this.#options.bridge, entry.inode, entry.interface);
      this.#entries.delete(key);
      return null;
    }
    await removeAddresses(namespace, entry.interface, cidrs);
    const left = { ...entry, addresses };
    this.#entries.set(key, left);
    return await view(left);
  }

  /** An address may be on one interface only. One whose container is gone does not count. */
  async #refuseUsed(cidrs: readonly Cidr[], key: string): Promise<void> {
    for (const { address } of cidrs) {
      const other = [...this.#entries].find(
        ([otherKey, { addresses }]) =>
          otherKey !== key && addresses.some((text) => parseCidr(text).address === address),
      );
      if (other === undefined) continue;
      const [otherKey, entry] = other;
      if ((await view(entry)).present) {
        throw new WeftError(
          'address-used',
          `${address} is the address of ${entry.target} already: choose another, or detach it there first`,
        );
      }
      this.#entries.delete(otherKey);
    }
  }

  #named(target: string, inside: string): StoredAttachment | undefined {
    return [...this.#entries.values()].find((entry) => entry.target === target && entry.interface === inside);
  }

  /** One change at a time for each container. */
  #queued<T>(inode: number, work: () => Promise<T>): Promise<T> {
    const result = (this.#queues.get(inode) ?? Promise.resolve()).then(work);
    const settled = result.then(
      () => {},
      () => {},
    );
    this.#queues.set(inode, settled);
    void settled.then(() => {
      if (this.#queues.get(inode) === settled) this.#queues.delete(inode);
    });
    return result;
  }

  async #save(): Promise<void> {
    await this.#options.file.write({ bootId: await bootId(), attachments: [...this.#entries.values()] });
  }
}

function keyOf(inode: number, inside: string): string {
  return `${inode}/${inside}`;
}

/** The namespace of an entry. One that was named by a process id must be the same: ids are used again. */
async function stillThere(entry: StoredAttachment, sameBoot: boolean): Promise<Namespace | undefined> {
  const byProcess = /^\d+$/.test(entry.target) || entry.target.startsWith('/proc/');
  if (byProcess && !sameBoot) return undefined;
  const namespace = await resolveNamespace(entry.target).catch(() => undefined);
  return byProcess && namespace?.inode !== entry.inode ? undefined : namespace;
}

async function view(entry: StoredAttachment): Promise<Attachment> {
  const namespace = await stillThere(entry, true);
  const there = namespace?.inode === entry.inode ? await inspect(namespace, entry.interface) : undefined;
  const { target, interface: inside } = entry;
  if (there === undefined) {
    return { target, interface: inside, mac: null, addresses: entry.addresses, present: false };
  }
  return { target, interface: inside, mac: there.mac, addresses: [...there.addresses], present: true };
}

function notAttached(target: string, inside: string): WeftError {
  return new WeftError(
    'not-attached',
    `${target} has no interface ${inside} of this router: \`weft ps\` shows what is attached`,
  );
}
