import { EventEmitter } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import type { Attachment, AttachRequest, DetachRequest } from '../../api/index.js';
import { WeftError } from '../../errors.js';
import {
  type AttachedInterface,
  attach,
  bootId,
  DEFAULT_INTERFACE,
  detach,
  type HostEnd,
  hostEnd,
  hostEnds,
  interfaceMac,
  interfaceNames,
  type LinkStates,
  namespaceInode,
  parseCidr,
  parseMac,
  portFlaw,
  removeAddresses,
  removeLink,
  setInterfaceMac,
} from '../../hostnet/index.js';
import type { PeerId } from '../../identity/index.js';
import { DEFAULT_NETWORK } from '../../networks/index.js';
import { inParallel, once, SerialByKey } from '../../order.js';
import type { AddressSource, Holder } from '../addresses/index.js';
import { type AddressRequest, parseAddressRequest, parseWantedAddress } from '../addresses/index.js';
import type { Fault } from '../repairs/index.js';
import type { Networks } from '../segments/index.js';
import type { StateFiles, StoredAttachment } from '../state/index.js';
import { type AttachedEndpoint, AttachedEndpoints } from './attached-endpoints.js';
import { AttachmentBook } from './attachment-book.js';
import type { ContainerPort, Entry } from './attachment-entry.js';
import { calledBy, isMeant, isProcess, nameOf, onlyOne, renamed } from './called.js';
import { type Container, type Containers, type Fate, parseTarget } from './containers.js';
import { everybody, handedOn, holderOf, view, withoutSharer, withSharer } from './sharing.js';

/** So many containers are put back at the same time. */
const AT_ONCE = 8;
/** A named namespace that is gone for so long (ms) does not come back: its addresses are free. */
const GONE_FOR_GOOD = 30_000;

/** Of a namespace of an earlier boot of this host. */
const NO_INODE = 0;

export interface AttachmentsOptions {
  /** Peer id of this router. */
  readonly owner: PeerId;
  readonly mtu: number;
  readonly file: StateFiles['attachments'];
  readonly networks: Networks;
  readonly containers: Containers;
  readonly addresses: AddressSource;
  /** Another that is attached with this MAC, on any host, in words; undefined: nobody is. */
  readonly macHolder: (network: number, mac: string, entry: Entry) => string | undefined;
  /** Resolves when the forwarder knows everything that was told of the containers. */
  readonly told: () => Promise<void>;
  /** Keeps what was given to a container from others on this host. */
  readonly custody: {
    /** Whether what a container is to have may still be refused, because it was another's. */
    refuses(given: { network: number; mac: string; addresses: readonly string[] }): boolean;
    settle(): Promise<void>;
  };
  /** Something that had to be done by itself could not be done. */
  readonly onFailure: (what: string, error: unknown) => void;
}

export interface AttachmentsEvents {
  /** A container was attached, or its interface has other addresses now; the MAC says which one. */
  attached: [endpoint: AttachedEndpoint];
  detached: [endpoint: AttachedEndpoint];
  /** A container with this id that was attached in an earlier run is not there, or does not run. */
  missing: [id: string];
}

/** The containers on this router's bridges: what is attached, kept on disk, and put back when a container or the router comes back. */
export class Attachments extends EventEmitter<AttachmentsEvents> {
  readonly #options: AttachmentsOptions;
  readonly #book = new AttachmentBook();
  readonly #told: AttachedEndpoints;
  /** Since when a container is missing, by id. */
  readonly #missing = new Map<string, number>();
  /** One change at a time for each container. */
  readonly #changes = new SerialByKey();
  /** Until all that are on bridges which were made anew are attached to them. */
  #reattaching: Promise<unknown> = Promise.resolve();
  /** What is on the disk is in the book. */
  #isRestored = false;

  constructor(options: AttachmentsOptions) {
    super();
    this.#options = options;
    const { containers, networks } = options;
    this.#told = new AttachedEndpoints({
      segment: (network) => networks.number(network),
      port: (entry) => this.#hostEnd(entry),
      onAttached: (endpoint) => this.emit('attached', endpoint),
      onDetached: (endpoint) => this.emit('detached', endpoint),
    });
    networks.on('moved', (name) => {
      this.#reattaching = Promise.all([this.#reattaching, this.#reattach(name)]);
    });
    containers.on(
      'changed',
      (id) => void this.#look(id === undefined ? this.#book.all() : this.#book.of(id)),
    );
    containers.on('removed', (id) => void this.#removed(id));
  }

  get size(): number {
    return this.#book.size;
  }

  /** True while a container of this host, running or stopped, is on the network. */
  uses(network: string): boolean {
    return this.#book.uses(network);
  }

  /** Everything that is attached now. */
  endpoints(): AttachedEndpoint[] {
    return this.#told.all();
  }

  /** The ports of all containers that are attached now. */
  ports(): ContainerPort[] {
    return this.#book.all().flatMap((entry) => {
      const { network, mac, present } = entry;
      return present && mac !== undefined ? [{ network, mac, port: this.#hostEnd(entry) }] : [];
    });
  }

  list(): Attachment[] {
    return this.#book.all().flatMap((entry) => everybody(entry).map(({ id }) => view(entry, id)));
  }

  /**
   * The id of the attached container of this host that a user means by its target, its id or its name; undefined when there is none. Throws
   * `ambiguous-target`.
   */
  idOf(text: string): string | undefined {
    const all = this.#book.all().flatMap(everybody);
    const meant = onlyOne(
      text,
      all.filter((called) => isMeant(called, text)),
    );
    return (meant ?? all.find(({ name }) => name === parseTarget(text).name))?.id;
  }

  /** Claims all addresses that are noted as attached, now or in earlier runs, so that nobody else is given them. */
  async reclaim(): Promise<void> {
    const { file, addresses } = this.#options;
    const noted = this.#isRestored ? this.#book.all() : (await file.read()).attachments;
    for (const entry of noted) addresses.reclaim(ringHolder(entry), entry.target, entry.addresses);
  }

  /** Attaches the containers of earlier runs that still exist. Gives those that do not, which are forgotten. */
  async restore(): Promise<StoredAttachment[]> {
    const { file, owner } = this.#options;
    const [stored, boot, ends] = await Promise.all([file.read(), bootId(), hostEnds(owner)]);
    const gone: StoredAttachment[] = [];
    const isThisBoot = stored.bootId === boot;
    await inParallel(stored.attachments, AT_ONCE, async (noted) => {
      const entry = isThisBoot ? noted : { ...noted, inode: NO_INODE };
      const mayReturn = isThisBoot || !isProcess(entry);
      const kept = mayReturn && (await this.#restored(entry, async () => ends));
      const there = new Set(this.endpoints().flatMap(({ containers }) => containers.map(({ id }) => id)));
      for (const { id } of everybody(asleep(entry))) if (!there.has(id)) this.emit('missing', id);
      if (kept) return;
      gone.push(entry);
      await this.#options.addresses.release(ringHolder(entry), entry.addresses);
    });
    this.#isRestored = true;
    await this.#removeStrays(ends);
    if (stored.attachments.length > 0) await this.#save();
    return gone;
  }

  /** A router that was killed while it attached a container left an interface that nobody knows of. */
  async #removeStrays(ends: ReadonlyMap<string, HostEnd>): Promise<void> {
    const known = new Set(this.#book.all().map((entry) => this.#hostEnd(entry)));
    const strays = [...ends.keys()].filter((name) => !known.has(name));
    await inParallel(strays, AT_ONCE, async (name) => void (await removeLink(name)));
  }

  /** Rejects with `address-used`, `other-network`, `disk-full`, or as hostnet's `attach` and `Containers.resolve` do: then nothing has changed. */
  async attach(request: AttachRequest): Promise<Attachment> {
    const requests = request.addresses.map(parseWantedAddress);
    const container = await this.#options.containers.resolve(request.target);
    const inside = request.interface ?? DEFAULT_INTERFACE;
    const mac = request.mac === undefined ? undefined : parseMac(request.mac, this.#options.owner);
    const key = this.#find(container, inside)?.id ?? container.id;
    return await this.#changes.run(key, async () => {
      const before = this.#find(container, inside);
      const network = request.network ?? before?.network ?? DEFAULT_NETWORK;
      if (before !== undefined && before.network !== network) throw otherNetwork(before);
      const holder = { id: before === undefined ? this.#newHolder(container) : holderOf(before), network };
      const isNew = before === undefined && requests.length === 0;
      const wanted = isNew ? [parseAddressRequest('net:default')] : requests;
      const addresses = await this.#options.addresses.take(holder, wanted);
      try {
        const called = calledBy(request, container, before);
        const isSharer = before !== undefined && before.id !== called.id;
        const whose = isSharer ? withSharer(before, called) : { sharing: [], ...before, ...called };
        const wanted = {
          ...whose,
          interface: inside,
          network,
          addresses,
          floating: floatingOf(request, before, addresses),
          multicastRoute: request.multicastRoute ?? before?.multicastRoute ?? true,
          ...(holder.id === whose.id ? {} : { holder: holder.id }),
        };
        const attached = await this.#attach(container, before, wanted, mac);
        await this.#save().catch(async (error: unknown) => {
          await this.#takeBack(attached, before, container);
          throw error;
        });
        this.#unshare(called.id, attached);
        return view(attached, called.id);
      } catch (error) {
        const kept = before?.addresses ?? [];
        await this.#options.addresses.release(
          holder,
          addresses.filter((address) => !kept.includes(address)),
        );
        throw error;
      }
    });
  }

  /** Rejects with `not-attached`, `ambiguous-target`, `bad-cidr`, `bad-subnet` or `disk-full`. */
  async detach(request: DetachRequest): Promise<Attachment | null> {
    const inside = request.interface ?? DEFAULT_INTERFACE;
    const requests = (request.addresses ?? []).map(parseAddressRequest);
    const find = () => this.#required(request.target, inside);
    const { entry } = await find();
    return await this.#changes.run(entry.id, async () => {
      const { entry, id } = await find();
      const others = requests.length > 0 ? undefined : without(entry, id);
      if (others !== undefined) return await this.#leave(entry, others, id);
      const left = await this.#detach(entry, requests);
      return left === undefined ? null : view(left, id);
    });
  }

  /** A container that is attached does not share another attachment any more. */
  #unshare(id: string, attached: Entry): void {
    for (const entry of this.#book.of(id)) {
      const isOther = entry.id !== attached.id && entry.interface === attached.interface;
      if (isOther && entry.id !== id) this.#put(withoutSharer(entry, id));
    }
  }

  /** Looks which containers came or went. Cheap while none did. */
  async check(interfaces: ReadonlySet<string>): Promise<void> {
    const suspects = this.#book.all().filter((entry) => {
      if (!entry.present) return entry.engine === null; // its engine tells when it starts
      return !interfaces.has(this.#hostEnd(entry)) || hasMoved(entry);
    });
    await this.#look(suspects);
  }

  /** The attachment whose host's end this is. */
  atPort(port: string): Entry | undefined {
    return this.present().find((entry) => this.#hostEnd(entry) === port);
  }

  /** Those whose interface is there. */
  present(): Entry[] {
    return this.#book.all().filter(({ present }) => present);
  }

  /** Looks which MAC a container's interface has now, and tells others when it is another one. True when it was. */
  async followMac({ id, interface: inside }: Entry): Promise<boolean> {
    return await this.#changes.run(id, async () => {
      const entry = this.#book.find(id, inside);
      if (entry?.present !== true) return false;
      const fate = await this.#options.containers.again(entry);
      if (fate.state !== 'running' || fate.container.namespace.inode !== entry.inode) return false;
      const mac = await interfaceMac(fate.container.namespace, inside);
      if (mac === undefined || mac === entry.mac) return false;
      this.#checkMac(entry, mac);
      this.#put({ ...entry, mac });
      await this.#note();
      return true;
    });
  }

  /** Throws `mac-used` for the MAC of somebody else who is attached. */
  #checkMac(entry: Entry, mac: string): void {
    const network = this.#options.networks.number(entry.network);
    const holder = network === undefined ? undefined : this.#options.macHolder(network, mac, entry);
    if (holder === undefined) return;
    throw new WeftError(
      'mac-used',
      `${holder} already has the MAC ${mac}: choose another one, or detach it there first`,
    );
  }

  /** Resolves once bridges that were made anew have their containers again. */
  async settled(): Promise<void> {
    await this.#reattaching;
  }

  /** Ports of containers that are there, but not as they should be. */
  faults(links: LinkStates): Fault[] {
    const flawed = new Map<string, Entry[]>();
    for (const entry of this.#book.all()) {
      const state = entry.present ? links.of(this.#hostEnd(entry)) : undefined;
      if (state === undefined) continue;
      const bridge = this.#options.networks.bridge(entry.network);
      const flaw = portFlaw(state, { bridge, mtu: this.#options.mtu, isIsolated: false });
      if (flaw !== undefined) flawed.set(flaw, [...(flawed.get(flaw) ?? []), entry]);
    }
    return [...flawed].map(([flaw, entries]) => ({
      key: `ports ${flaw}`,
      what: `the port of ${listed(entries.map(({ name, target }) => name ?? target))} is ${flaw}`,
      repair: () => this.#look(entries),
    }));
  }

  /** Follows what has become of containers: they run again, have ended, or are gone. */
  async #look(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    const ends = once(() => hostEnds(this.#options.owner));
    await inParallel(entries, AT_ONCE, async (entry) => {
      try {
        await this.#changes.run(entry.id, () => this.#lookAt(entry, ends));
      } catch (error) {
        this.#options.onFailure(`${entry.target} cannot be attached again`, error);
      }
    });
    await this.#note();
  }

  /** What is in the book now counts: the container may have been attached or detached since somebody wanted to look. */
  async #lookAt({ id, interface: inside }: Entry, ends: HostEnds): Promise<void> {
    const entry = this.#book.find(id, inside);
    if (entry === undefined) return;
    const fate = await this.#options.containers.again(entry);
    if (fate.state === 'running' && isSame(entry, fate.container)) {
      this.#missing.delete(entry.id);
      await this.#putBack(entry, fate.container, ends);
    } else if (fate.state === 'stopped' || this.#mayReturn(entry)) {
      const stopped = renamed({ ...entry, present: false }, nameOf(fate));
      if (entry.present || stopped.containerName !== entry.containerName) this.#put(stopped);
    } else {
      await this.#lose(entry);
    }
    await this.#lookAtSharers(id, inside);
  }

  /** Whether those who share an attachment run, and in its namespace. One that is gone for good does not share it any more. */
  async #lookAtSharers(id: string, inside: string): Promise<void> {
    const entry = this.#book.find(id, inside);
    if (entry?.sharers === undefined || entry.sharers.length === 0) return;
    const looked = await this.#sharersOf(entry);
    if (isDeepStrictEqual(looked, entry)) return;
    this.#put(looked);
    for (const { id } of entry.sharers) if (!looked.sharing.includes(id)) this.emit('missing', id);
  }

  /** The same attachment, as those who share it are now. */
  async #sharersOf(entry: Entry): Promise<Entry> {
    let looked: Entry = { ...entry, sharers: [], sharing: [] };
    for (const sharer of entry.sharers ?? []) {
      const fate = await this.#options.containers.again(sharer);
      if (fate.state === 'gone') continue;
      const isHere = fate.state === 'running' && fate.container.namespace.inode === entry.inode;
      const { sharing } = looked;
      looked = withSharer(looked, renamed(sharer, nameOf(fate)));
      if (!isHere) looked = { ...looked, sharing };
    }
    return looked;
  }

  /** A named namespace may be made again by whoever restarts the container. */
  #mayReturn(entry: Entry): boolean {
    if (isProcess(entry) || entry.engine !== null) return false;
    const since = this.#missing.get(entry.id) ?? performance.now();
    this.#missing.set(entry.id, since);
    return performance.now() - since < GONE_FOR_GOOD;
  }

  async #restored(stored: StoredAttachment, ends: HostEnds): Promise<boolean> {
    const entry = asleep(stored);
    try {
      const fate = await this.#options.containers.again(stored).catch((error: unknown): Fate => {
        this.#options.onFailure(`it cannot be told whether ${stored.target} runs`, error);
        return { state: 'stopped' };
      });
      if (fate.state === 'stopped') this.#put(renamed(entry, nameOf(fate)));
      if (fate.state === 'gone') return await this.#handOn(await this.#sharersOf(entry));
      if (fate.state === 'running') {
        if (!isSame(entry, fate.container)) return false;
        await this.#putBack(entry, fate.container, ends);
      }
      await this.#lookAtSharers(entry.id, entry.interface);
      return true;
    } catch (error) {
      this.#options.onFailure(`${stored.target} cannot be attached again`, error);
      return false;
    }
  }

  /** Attaches a container again as it was, unless everything is still in place. */
  async #putBack(entry: Entry, container: Container, ends: HostEnds): Promise<void> {
    const port = (await ends()).get(this.#hostEnd(entry));
    const now = renamed(entry, nameOf({ state: 'running', container }));
    const intact =
      entry.inode === container.namespace.inode &&
      entry.mac !== undefined &&
      port?.bridge === this.#options.networks.bridge(entry.network) &&
      port?.mtu === this.#options.mtu &&
      !port.isIsolated;
    if (!intact) await this.#attach(container, entry, now);
    else if (!entry.present || now !== entry) this.#put({ ...now, present: true });
  }

  #hostEnd({ network, inode, interface: inside }: Entry): string {
    return hostEnd(this.#options.networks.bridge(network), inode, inside);
  }

  /** Puts all interfaces back onto a bridge that was made anew. */
  async #reattach(network: string): Promise<void> {
    await this.#look(this.#book.all().filter((entry) => entry.network === network && entry.present));
  }

  /** `newMac`: the interface is to have it from now on. */
  async #attach(
    container: Container,
    before: Entry | undefined,
    wanted: Wanted,
    newMac?: string,
  ): Promise<Entry> {
    const { namespace } = container;
    const hasMoved = before !== undefined && before.inode !== namespace.inode;
    const entry = {
      ...wanted,
      inode: namespace.inode,
      addresses: [...new Set([...(before?.addresses ?? []), ...wanted.addresses])],
      sharing: hasMoved ? [] : wanted.sharing,
      present: false,
    };
    for (let rival = this.#rival(entry); rival !== undefined; rival = this.#rival(entry)) {
      await this.#evict(rival);
    }
    if (newMac !== undefined) this.#checkMac(entry, newMac);
    // A process may keep the former namespace alive: the same addresses must not be in both.
    if (hasMoved) await this.#unplug(before);
    this.#book.put(entry); // its addresses are taken from now on
    try {
      const { mac } = await this.#plug(container, entry, before?.mac, newMac);
      return { ...entry, mac, present: true };
    } catch (error) {
      if (before === undefined) {
        this.#book.remove(entry);
        this.#told.withdraw(entry);
      } else this.#put(before);
      throw error;
    }
  }

  async #plug(
    { namespace }: Container,
    entry: Entry,
    mac: string | undefined,
    newMac: string | undefined,
  ): Promise<AttachedInterface> {
    const { owner, mtu, networks, told, custody } = this.#options;
    const { bridge, number: network } = await networks.segment(entry.network);
    const cidrs = entry.addresses.map(parseCidr);
    return await attach({
      bridge,
      owner,
      mtu,
      namespace,
      interface: entry.interface,
      cidrs,
      mac,
      newMac,
      multicastRoute: entry.multicastRoute,
      onReady: async (found) => {
        this.#checkMac(entry, found);
        const wasOthers = custody.refuses({
          network,
          mac: found,
          addresses: cidrs.map(({ address }) => address),
        });
        this.#put({ ...entry, mac: found, present: true });
        await Promise.all([told(), wasOthers && custody.settle()]);
      },
    });
  }

  /** Undoes an attachment that could not be noted. */
  async #takeBack(attached: Entry, before: Entry | undefined, { namespace }: Container): Promise<void> {
    if (before === undefined) {
      await this.#unplug(attached);
      return this.#drop(attached);
    }
    const added = attached.addresses.filter((address) => !before.addresses.includes(address));
    await removeAddresses(namespace, attached.interface, added.map(parseCidr));
    const { inode } = attached;
    const { mac = attached.mac } = before;
    if (mac !== undefined && mac !== attached.mac) {
      await setInterfaceMac(namespace, attached.interface, mac);
    }
    const sharing = before.sharing.filter((id) => attached.sharing.includes(id));
    this.#put({ ...before, inode, sharing, present: true, ...(mac === undefined ? {} : { mac }) });
  }

  /** One of those whose attachment it is leaves it to the others. */
  async #leave(entry: Entry, others: Entry, id: string): Promise<null> {
    this.#replace(entry, others);
    await this.#save().catch((error: unknown) => {
      this.#replace(others, entry);
      throw error;
    });
    this.emit('missing', id);
    return null;
  }

  /** What is left is on the disk before anything is taken away: a detached container does not come back. */
  async #detach(entry: Entry, requests: readonly AddressRequest[]): Promise<Entry | undefined> {
    const { addresses: source } = this.#options;
    const leaving = requests.flatMap((request) => source.meant(request, entry.network, entry.addresses));
    const addresses =
      requests.length === 0 ? [] : entry.addresses.filter((address) => !leaving.includes(address));
    const fate = addresses.length === 0 ? undefined : await this.#options.containers.again(entry);
    const stays = fate?.state === 'running' && fate.container.namespace.inode === entry.inode;
    const floating = (entry.floating ?? []).filter((address) => addresses.includes(address));
    const left = stays ? { ...entry, addresses, floating } : undefined;
    if (left === undefined) this.#drop(entry);
    else this.#put(left);
    await this.#save().catch((error: unknown) => {
      this.#put(entry);
      throw error;
    });
    if (left === undefined) for (const { id } of entry.sharers ?? []) this.emit('missing', id);
    if (stays) await removeAddresses(fate.container.namespace, entry.interface, leaving.map(parseCidr));
    else await this.#unplug(entry);
    const free = entry.addresses.filter((address) => left?.addresses.includes(address) !== true);
    await source.release(ringHolder(entry), free);
    return left;
  }

  /** But not what somebody else has who is in a namespace with an inode that is used again. */
  async #unplug(entry: Entry): Promise<void> {
    const isOthers = this.#book
      .all()
      .some(
        ({ id, inode, interface: inside, network }) =>
          id !== entry.id && inode === entry.inode && inside === entry.interface && network === entry.network,
      );
    if (isOthers) return;
    await detach(this.#options.networks.bridge(entry.network), entry.inode, entry.interface);
  }

  /** What a container had that was removed is free, unless others share it. */
  async #removed(id: string): Promise<void> {
    for (const { id: owner, interface: inside } of this.#book.of(id)) {
      await this.#changes
        .run(owner, async () => {
          const entry = this.#book.find(owner, inside);
          if (entry?.id === id) await this.#lose(await this.#sharersOf(entry));
          else if (entry !== undefined) {
            this.#put(withoutSharer(entry, id));
            this.emit('missing', id);
          }
        })
        .catch((error: unknown) => this.#options.onFailure(`the addresses of ${id} are not free`, error));
    }
    await this.#note();
  }

  /** Its owner does not come back. */
  async #lose(entry: Entry): Promise<void> {
    if (!(await this.#handOn(entry))) await this.#forget(entry);
  }

  /** To the first of those who share it; false when there is none. */
  async #handOn(entry: Entry): Promise<boolean> {
    const heir = handedOn(entry);
    if (heir === undefined) return false;
    this.#replace(entry, heir);
    this.emit('missing', entry.id);
    await this.#lookAt(
      heir,
      once(() => hostEnds(this.#options.owner)),
    );
    return true;
  }

  /** Another container that has one of these addresses: an address may be on one interface of a network only. */
  #rival({ id, interface: inside, network, addresses }: Entry): Entry | undefined {
    return addresses
      .map((address) => this.#book.withAddress(network, address))
      .find((other) => other !== undefined && (other.id !== id || other.interface !== inside));
  }

  /** A container that is gone does not need its addresses any more. */
  async #evict(entry: Entry): Promise<void> {
    const { state } = await this.#options.containers.again(entry);
    if (state === 'gone') return await this.#forget(entry);
    throw new WeftError(
      'address-used',
      `${entry.target} already has ${entry.addresses.join(' ')}: choose another address, or detach it there first`,
    );
  }

  #find({ id, namespace }: Container, inside: string): Entry | undefined {
    return this.#book.find(id, inside) ?? this.#book.inNamespace(namespace.inode, inside);
  }

  /** A container that was here before may have left its addresses, under its id, to another. */
  #newHolder({ id }: Container): string {
    let holder = id;
    for (let i = 2; this.#book.holds(holder); i += 1) holder = `${id} ${i}`;
    return holder;
  }

  /** The attachment that the user means, and by which of those whose it is; the container may be gone by now. */
  async #required(target: string, inside: string): Promise<{ entry: Entry; id: string }> {
    const all = this.#book.all().filter((entry) => entry.interface === inside);
    const called = onlyOne(
      target,
      all.flatMap(everybody).filter((each) => isMeant(each, target)),
    );
    const named = called && all.find((entry) => everybody(entry).some(({ id }) => id === called.id));
    if (named !== undefined) return { entry: named, id: called?.id ?? named.id };
    const container = await this.#options.containers.resolve(target);
    const found = this.#find(container, inside);
    // Who is in the same namespace, but was never attached, has nothing to lose.
    const isTheirs =
      container.engine === null ||
      (found === undefined ? [] : everybody(found)).some(({ id }) => id === container.id);
    if (found !== undefined && isTheirs) {
      return { entry: found, id: everybody(found).find(({ id }) => id === container.id)?.id ?? found.id };
    }
    throw new WeftError(
      'not-attached',
      `${target} has no interface ${inside} of this router: \`weft ps\` shows what is attached`,
    );
  }

  /** Notes an attachment, and tells others what is new about it. */
  #put(entry: Entry): void {
    this.#replace(this.#book.find(entry.id, entry.interface), entry);
  }

  /** As `#put`, in place of one whose owner may be another. */
  #replace(former: Entry | undefined, entry: Entry): void {
    if (former !== undefined) this.#book.remove(former);
    this.#book.put(entry);
    this.#options.networks.settle(entry.network);
    this.#told.tell(entry, former);
  }

  /** The container does not come back: its addresses are free, and others hear of it. */
  async #forget(entry: Entry): Promise<void> {
    this.#drop(entry);
    for (const { id } of entry.sharers ?? []) this.emit('missing', id);
    // A process may keep its namespace alive.
    if ((await interfaceNames()).has(this.#hostEnd(entry))) await this.#unplug(entry);
    await this.#options.addresses.release(ringHolder(entry), entry.addresses);
  }

  #drop(entry: Entry): void {
    this.#book.remove(entry);
    this.#options.networks.settle(entry.network);
    this.#missing.delete(entry.id);
    this.#told.withdraw(entry);
  }

  /** What has happened has happened, even if the disk is full. */
  async #note(): Promise<void> {
    await this.#save().catch((error: unknown) => this.#options.onFailure('attachments are not saved', error));
  }

  async #save(): Promise<void> {
    const boot = await bootId();
    await this.#options.file.write(() => ({
      bootId: boot,
      attachments: this.#book.all().map(({ present, sharing, ...stored }) => stored),
    }));
  }
}

/** What `#attach` is to bring about; addresses are added to those that are there. */
type Wanted = Omit<Entry, 'inode' | 'mac' | 'present'>;

type HostEnds = () => ReturnType<typeof hostEnds>;

/** Process ids are used again: such a container is the same only while its namespace is. */
function isSame(entry: Entry, container: Container): boolean {
  return !isProcess(entry) || entry.inode === container.namespace.inode;
}

/** So many are named in one line of the log. */
const NAMED = 5;

function listed(names: readonly string[]): string {
  const more = names.length - NAMED;
  return more > 0 ? `${names.slice(0, NAMED).join(', ')} and ${more} more` : names.join(', ');
}

/** True when a namespace of that name is another one now, though the one that was attached lives on. */
function hasMoved(entry: Entry): boolean {
  if (entry.engine !== null || isProcess(entry)) return false;
  const inode = namespaceInode(entry.target);
  return inode !== undefined && inode !== entry.inode;
}

/** Which addresses float once a request is done: those that it gives, or all if it gives none. */
function floatingOf(
  { floating, addresses: requested }: AttachRequest,
  before: Entry | undefined,
  added: readonly string[],
): string[] {
  const former = before?.floating ?? [];
  if (floating === undefined) return [...former];
  const meant = requested.length === 0 ? [...(before?.addresses ?? []), ...added] : added;
  const others = former.filter((address) => !meant.includes(address));
  return floating ? [...others, ...meant] : others;
}

function asleep(stored: StoredAttachment): Entry {
  return { ...stored, present: false, sharing: [] };
}

function ringHolder(entry: Pick<StoredAttachment, 'id' | 'holder' | 'network'>): Holder {
  return { id: holderOf(entry), network: entry.network };
}

/** What is left of an attachment without one of those whose it is; undefined when nobody is in the namespace then. */
function without(entry: Entry, id: string): Entry | undefined {
  return entry.id === id ? handedOn(entry) : withoutSharer(entry, id);
}

function otherNetwork({ target, interface: inside, network }: Entry): WeftError {
  return new WeftError(
    'other-network',
    `${target} has its interface ${inside} on the network ${network}: choose another name with --interface to be on a second network`,
  );
}
