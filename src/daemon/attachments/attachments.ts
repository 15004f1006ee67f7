import { EventEmitter } from 'node:events';
import type { Attachment, AttachRequest, DetachRequest } from '../../api/index.js';
import { WeftError } from '../../errors.js';
import {
  DEFAULT_INTERFACE,
  type LinkStates,
  namespaceInode,
  parseCidr,
  parseMac,
  portFlaw,
} from '../../hostnet/index.js';
import { checkLabels } from '../../labels.js';
import { DEFAULT_NETWORK } from '../../networks/index.js';
import { SerialByKey } from '../../order.js';
import {
  type AddressRequest,
  type AddressSource,
  parseAddressRequest,
  parseWantedAddress,
} from '../addresses/index.js';
import type { Fault } from '../repairs/index.js';
import type { Networks, NetworksEvents } from '../segments/index.js';
import type { StateFiles, StoredAttachment } from '../state/index.js';
import { calledBy, isMeant, isProcess, onlyOne } from './called.js';
import { type Container, type Containers, type ContainersEvents, parseTarget } from './containers.js';
import { Fates } from './fates.js';
import { PlatformAttachments, type PlatformAttachmentsOptions } from './platform-attachments.js';
import { Plugging, type PluggingOptions } from './plugging.js';
import {
  type AttachedEndpoint,
  AttachmentTable,
  type ContainerPort,
  type Entry,
  everybody,
  handedOn,
  holderOf,
  isLoose,
  ringHolder,
  view,
  withoutSharer,
  withSharer,
} from './table/index.js';

export interface AttachmentsOptions extends Omit<PluggingOptions, 'onMissing'> {
  readonly file: StateFiles['attachments'];
  readonly networks: Pick<Networks, 'bridge' | 'number' | 'numberOf' | 'segment' | 'settle'> &
    Pick<EventEmitter<NetworksEvents>, 'on'>;
  readonly containers: Pick<Containers, 'resolve' | 'again'> & Pick<EventEmitter<ContainersEvents>, 'on'>;
  readonly addresses: Pick<AddressSource, 'take' | 'meant' | 'release' | 'reclaim'>;
  readonly addressHolder: PlatformAttachmentsOptions['addressHolder'];
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
  readonly #table: AttachmentTable;
  readonly #plugging: Plugging;
  readonly #fates: Fates;
  /** One change at a time for each container. */
  readonly #changes = new SerialByKey();
  readonly #platforms = new Map<string, PlatformAttachments>();
  /** Until all that are on bridges which were made anew are attached to them. */
  #reattaching: Promise<unknown> = Promise.resolve();
  /** What is on the disk is in the table. */
  #isRestored = false;

  constructor(options: AttachmentsOptions) {
    super();
    this.#options = options;
    const { containers, networks } = options;
    const parts = {
      ...options,
      changes: this.#changes,
      onMissing: (id: string) => this.emit('missing', id),
    };
    this.#table = new AttachmentTable({
      ...options,
      onAttached: (endpoint) => this.emit('attached', endpoint),
      onDetached: (endpoint) => this.emit('detached', endpoint),
    });
    this.#plugging = new Plugging(parts, this.#table);
    this.#fates = new Fates(parts, this.#table, this.#plugging);
    networks.on('moved', (name) => {
      this.#reattaching = Promise.all([this.#reattaching, this.#reattach(name)]);
    });
    containers.on('changed', (id) => {
      void this.#fates.look(id === undefined ? this.#table.book.all() : this.#table.book.of(id));
    });
    containers.on('removed', (id) => void this.#fates.removed(id));
  }

  get size(): number {
    return this.#table.book.size;
  }

  /** True while a container of this host, running or stopped, is on the network. */
  uses(network: string): boolean {
    return this.#table.book.uses(network);
  }

  /** Everything that is attached now. */
  endpoints(): AttachedEndpoint[] {
    return this.#table.endpoints();
  }

  /** The ports of all containers that are attached now. */
  ports(): ContainerPort[] {
    return this.#table.book.all().flatMap((entry) => {
      const { network, mac, present } = entry;
      return present && mac !== undefined ? [{ network, mac, port: this.#table.hostEnd(entry) }] : [];
    });
  }

  list(): Attachment[] {
    return this.#table.book.all().flatMap((entry) => everybody(entry).map(({ id }) => view(entry, id)));
  }

  /**
   * The id of the attached container of this host that a user means by its target, its id or its name; undefined when there is none. Throws
   * `ambiguous-target`.
   */
  idOf(text: string): string | undefined {
    const all = this.#table.book.all().flatMap(everybody);
    const meant = onlyOne(
      text,
      all.filter((called) => isMeant(called, text)),
    );
    return (meant ?? all.find(({ name }) => name === parseTarget(text).name))?.id;
  }

  /** A container with this id is attached, whether it runs or not. */
  isAttached(id: string): boolean {
    return this.#table.book.of(id).length > 0;
  }

  /** Claims all addresses that are noted as attached, now or in earlier runs, so that nobody else is given them. */
  async reclaim(): Promise<void> {
    const { file, addresses } = this.#options;
    const noted = this.#isRestored ? this.#table.book.all() : (await file.read()).attachments;
    for (const entry of noted) addresses.reclaim(ringHolder(entry), entry.target, entry.addresses);
  }

  /** Attaches the containers of earlier runs that still exist. Gives those that do not, which are forgotten. */
  restore(): Promise<StoredAttachment[]> {
    return this.#fates.restore(() => {
      this.#isRestored = true;
    });
  }

  /** Looks which MAC a container's interface has now, and tells others when it is another one. True when it was. */
  followMac(entry: Entry): Promise<boolean> {
    return this.#fates.followMac(entry);
  }

  /** Rejects with `bad-label`, `address-used`, `interface-elsewhere`, `disk-full`, or as hostnet's `attach` and `Containers.resolve` do: then nothing has changed. */
  async attach(request: AttachRequest): Promise<Attachment> {
    const requests = request.addresses.map(parseWantedAddress);
    checkLabels(request.labels ?? {});
    const container = await this.#options.containers.resolve(request.target);
    const inside = request.interface ?? DEFAULT_INTERFACE;
    const mac = request.mac === undefined ? undefined : parseMac(request.mac, this.#options.owner);
    await this.#fates.noticeEnd(container, inside);
    const key = this.#find(container, inside)?.id ?? container.id;
    return await this.#changes.run(key, async () => {
      const before = this.#find(container, inside);
      const network = request.network ?? before?.network ?? DEFAULT_NETWORK;
      if (before?.platform !== undefined) throw ofPlatform(before);
      if (before !== undefined && before.network !== network) throw interfaceElsewhere(before);
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
        const attached = await this.#plugging.attach(container, before, wanted, mac);
        await this.#table.save().catch(async (error: unknown) => {
          await this.#plugging.takeBack(attached, before, container);
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

  /** The interfaces that a platform of this name asks for and moves into containers by itself. */
  ofPlatform(name: string): PlatformAttachments {
    const known = this.#platforms.get(name);
    if (known !== undefined) return known;
    const options = { ...this.#options, changes: this.#changes };
    const parts = { table: this.#table, plugging: this.#plugging, fates: this.#fates };
    const platform = new PlatformAttachments(name, options, parts);
    this.#platforms.set(name, platform);
    return platform;
  }

  /** Rejects with `not-attached`, `of-platform`, `ambiguous-target`, `bad-cidr`, `bad-subnet` or `disk-full`. */
  async detach(request: DetachRequest): Promise<Attachment | null> {
    const inside = request.interface ?? DEFAULT_INTERFACE;
    const requests = (request.addresses ?? []).map(parseAddressRequest);
    const find = () => this.#required(request.target, inside);
    const { entry } = await find();
    return await this.#changes.run(entry.id, async () => {
      const { entry, id } = await find();
      if (entry.platform !== undefined && entry.id === id) throw ofPlatform(entry);
      const others = requests.length > 0 ? undefined : without(entry, id);
      if (others !== undefined) return await this.#leave(entry, others, id);
      const left = await this.#detach(entry, requests);
      return left === undefined ? null : view(left, id);
    });
  }

  /** A container that is attached does not share another attachment any more. */
  #unshare(id: string, attached: Entry): void {
    for (const entry of this.#table.book.of(id)) {
      const isOther = entry.id !== attached.id && entry.interface === attached.interface;
      if (isOther && entry.id !== id) this.#table.put(withoutSharer(entry, id));
    }
  }

  /** Looks which containers came or went. Cheap while none did. */
  async check(interfaces: ReadonlySet<string>): Promise<void> {
    const suspects = this.#table.book.all().filter((entry) => {
      if (!entry.present) return entry.engine === null && !isLoose(entry); // its engine tells when it starts
      return !interfaces.has(this.#table.hostEnd(entry)) || hasMoved(entry);
    });
    await this.#fates.look(suspects);
  }

  /** The attachment whose host's end this is. */
  atPort(port: string): Entry | undefined {
    return this.present().find((entry) => this.#table.hostEnd(entry) === port);
  }

  /** Those whose interface is there. */
  present(): Entry[] {
    return this.#table.book.all().filter(({ present }) => present);
  }

  /** Resolves once bridges that were made anew have their containers again. */
  async settled(): Promise<void> {
    await this.#reattaching;
  }

  /** Those of which nothing is being changed now. */
  calm(): ReadonlySet<Entry> {
    return new Set(this.#table.book.all().filter(({ id }) => !this.#changes.isBusy(id)));
  }

  /** Ports of containers that are there, but not as they should be. `calm`: before the links were looked at; what was changed since may be half done there. */
  faults(links: LinkStates, calm: ReadonlySet<Entry>): Fault[] {
    const flawed = new Map<string, Entry[]>();
    for (const entry of this.#table.book.all().filter((each) => calm.has(each))) {
      const state = entry.present ? links.of(this.#table.hostEnd(entry)) : undefined;
      if (state === undefined) continue;
      const bridge = this.#options.networks.bridge(entry.network);
      const flaw = portFlaw(state, { bridge, mtu: this.#options.mtu, isIsolated: false });
      if (flaw !== undefined) flawed.set(flaw, [...(flawed.get(flaw) ?? []), entry]);
    }
    return [...flawed].map(([flaw, entries]) => ({
      key: `ports ${flaw}`,
      what: `the port of ${listed(entries.map(({ name, target }) => name ?? target))} is ${flaw}`,
      repair: () => this.#fates.look(entries),
    }));
  }

  /** Puts all interfaces back onto a bridge that was made anew. */
  async #reattach(network: string): Promise<void> {
    await this.#fates.look(
      this.#table.book.all().filter((entry) => entry.network === network && entry.present),
    );
  }

  /** One of those whose attachment it is leaves it to the others. */
  async #leave(entry: Entry, others: Entry, id: string): Promise<null> {
    this.#table.replace(entry, others);
    await this.#table.save().catch((error: unknown) => {
      this.#table.replace(others, entry);
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
    if (left === undefined) this.#table.drop(entry);
    else this.#table.put(left);
    await this.#table.save().catch((error: unknown) => {
      this.#table.put(entry);
      throw error;
    });
    if (left === undefined) for (const { id } of entry.sharers ?? []) this.emit('missing', id);
    if (stays)
      await this.#options.host.removeAddresses(
        fate.container.namespace,
        entry.interface,
        leaving.map(parseCidr),
      );
    else await this.#plugging.unplug(entry);
    const free = entry.addresses.filter((address) => left?.addresses.includes(address) !== true);
    await source.release(ringHolder(entry), free);
    return left;
  }

  #find({ id, namespace }: Container, inside: string): Entry | undefined {
    return this.#table.book.find(id, inside) ?? this.#table.book.inNamespace(namespace.inode, inside);
  }

  /** A container that was here before may have left its addresses, under its id, to another. */
  #newHolder({ id }: Container): string {
    let holder = id;
    for (let i = 2; this.#table.book.holds(holder); i += 1) holder = `${id} ${i}`;
    return holder;
  }

  /** The attachment that the user means, and by which of those whose it is; the container may be gone by now. */
  async #required(target: string, inside: string): Promise<{ entry: Entry; id: string }> {
    const all = this.#table.book.all().filter((entry) => entry.interface === inside);
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
    const made = this.#table.book.all().find((each) => each.platform !== undefined && isMeant(each, target));
    if (made !== undefined) throw ofPlatform(made);
    throw new WeftError(
      'not-attached',
      `${target} has no interface ${inside} of this router: \`weft ps\` shows what is attached`,
    );
  }
}

/** Maximum number of containers that one line of the log names. */
const NAMED = 5;

function listed(names: readonly string[]): string {
  const more = names.length - NAMED;
  return more > 0 ? `${names.slice(0, NAMED).join(', ')} and ${more} more` : names.join(', ');
}

/** True when a namespace of that name is another one now, though the one that was attached lives on. */
function hasMoved(entry: Entry): boolean {
  if (entry.engine !== null || isLoose(entry) || isProcess(entry)) return false;
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

/** What is left of an attachment without one of those whose it is; undefined when nobody is in the namespace then. */
function without(entry: Entry, id: string): Entry | undefined {
  return entry.id === id ? handedOn(entry) : withoutSharer(entry, id);
}

function ofPlatform({ target, interface: inside, platform }: Entry): WeftError {
  return new WeftError(
    'of-platform',
    `${target} has its interface ${inside} from ${platform?.name}: take it off the network there`,
  );
}

function interfaceElsewhere({ target, interface: inside, network }: Entry): WeftError {
  return new WeftError(
    'interface-elsewhere',
    `${target} has its interface ${inside} on the network ${network}: choose another name with --interface to be on a second network`,
  );
}
