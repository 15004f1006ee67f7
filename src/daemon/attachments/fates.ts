import { isDeepStrictEqual } from 'node:util';
import { systemCode } from '../../errors.js';
import type { HostEnd } from '../../hostnet/index.js';
import { inParallel, once, type SerialByKey } from '../../order.js';
import type { StateFiles, StoredAttachment } from '../state/index.js';
import { isProcess, nameOf, renamed } from './called.js';
import type { Container, Fate } from './containers.js';
import type { Plugging, PluggingOptions } from './plugging.js';
import {
  type AttachmentTable,
  type Entry,
  everybody,
  handedOn,
  isLoose,
  NO_INODE,
  ownAddresses,
  ringHolder,
  withoutSharer,
  withSharer,
} from './table/index.js';

/** Maximum number of containers that are put back in parallel. */
const AT_ONCE = 8;
/** A named namespace that is gone for so long (ms) does not come back: its addresses are free. */
const GONE_FOR_GOOD = 30_000;

export interface FatesOptions extends PluggingOptions {
  readonly file: Pick<StateFiles['attachments'], 'read'>;
  /** One change at a time for each container. */
  readonly changes: SerialByKey;
  readonly onFailure: (what: string, error: unknown) => void;
}

/** Follows what becomes of containers that were attached: they run again, are somewhere else, have ended, or are gone for good. */
export class Fates {
  readonly #options: FatesOptions;
  readonly #table: AttachmentTable;
  readonly #plugging: Plugging;

  constructor(options: FatesOptions, table: AttachmentTable, plugging: Plugging) {
    this.#options = options;
    this.#table = table;
    this.#plugging = plugging;
  }

  /** Attaches the containers of earlier runs that still exist. Gives those that do not, which are forgotten. */
  async restore(onRestored: () => void): Promise<StoredAttachment[]> {
    const { file, owner, host } = this.#options;
    const [stored, boot, ends] = await Promise.all([file.read(), host.bootId(), host.hostEnds(owner)]);
    const gone: StoredAttachment[] = [];
    const isThisBoot = stored.bootId === boot;
    await inParallel(stored.attachments, AT_ONCE, async (noted) => {
      const entry = isThisBoot ? noted : { ...noted, inode: NO_INODE };
      const mayReturn = isThisBoot || !isProcess(entry);
      const kept = isLoose(entry)
        ? await this.#restoredLoose(entry, async () => ends)
        : mayReturn && (await this.#restored(entry, async () => ends));
      const there = new Set(
        this.#table.endpoints().flatMap(({ containers }) => containers.map(({ id }) => id)),
      );
      for (const { id } of everybody(asleep(entry))) if (!there.has(id)) this.#options.onMissing(id);
      if (kept) return;
      gone.push(entry);
      await this.#options.addresses.release(ringHolder(entry), ownAddresses(entry));
    });
    onRestored();
    await this.#removeStrays(ends);
    if (stored.attachments.length > 0) await this.#table.save();
    return gone;
  }

  /** A router that was killed while it attached a container left an interface that nobody knows of. */
  async #removeStrays(ends: ReadonlyMap<string, HostEnd>): Promise<void> {
    const known = new Set(this.#table.book.all().map((entry) => this.#table.hostEnd(entry)));
    const strays = [...ends.keys()].filter((name) => !known.has(name));
    await inParallel(strays, AT_ONCE, async (name) => void (await this.#options.host.removeLink(name)));
  }

  /** Looks which MAC a container's interface has now, and tells others when it is another one. True when it was. */
  async followMac({ id, interface: inside }: Entry): Promise<boolean> {
    const known = this.#table.book.find(id, inside);
    if (known?.present !== true || isLoose(known)) return false;
    const fate = await this.#options.containers.again(known);
    return await this.#options.changes.run(id, async () => {
      const entry = this.#table.book.find(id, inside);
      if (entry?.present !== true || entry.inode !== known.inode) return false;
      if (fate.state !== 'running' || fate.container.namespace.inode !== entry.inode) return false;
      const mac = await this.#options.host.interfaceMac(fate.container.namespace, inside);
      if (mac === undefined || mac === entry.mac) return false;
      this.#plugging.checkMac(entry, mac);
      this.#table.put({ ...entry, mac });
      await this.#table.note();
      return true;
    });
  }

  /** The kernel gives the inode of a namespace that ended to a new one, at once: who was in it is not in the one of this container. */
  async noticeEnd({ id, namespace }: Container, inside: string): Promise<void> {
    const entry = this.#table.book.inNamespace(namespace.inode, inside);
    if (entry === undefined || everybody(entry).some((called) => called.id === id)) return;
    const ends = await this.#options.host.hostEnds(this.#options.owner);
    if (ends.has(this.#table.hostEnd(entry))) return;
    await this.#options.changes.run(entry.id, async () => {
      const now = this.#table.book.inNamespace(namespace.inode, inside);
      if (now?.id === entry.id) this.#table.put({ ...now, present: false, sharing: [] });
    });
  }

  /** Follows what has become of containers: they run again, have ended, or are gone. */
  async look(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    const ends = once(() => this.#options.host.hostEnds(this.#options.owner));
    await inParallel(entries, AT_ONCE, async (entry) => {
      try {
        await this.#look(entry, ends);
      } catch (error) {
        // An engine that is taking a container away says nothing of it meanwhile; then its platform tells.
        const isBusy = entry.platform !== undefined && systemCode(error) === 'engine-failed';
        if (!isBusy) this.#options.onFailure(`${entry.target} cannot be attached again`, error);
      }
    });
    await this.#table.note();
  }

  /**
   * An engine is asked before it is the container's turn: while it takes one off a platform's network it says nothing of it until we have done
   * our part. Who was attached, detached or looked at meanwhile is looked at again, since what is in the book now counts.
   */
  async #look(entry: Entry, ends: HostEnds): Promise<void> {
    for (let seen: Entry | undefined = entry; seen !== undefined; ) {
      const { id, interface: inside }: Entry = seen;
      const known: Entry | undefined = this.#table.book.find(id, inside);
      if (known === undefined) return;
      const fate = isLoose(known) ? undefined : await this.#options.containers.again(known);
      seen = await this.#options.changes.run(id, async () => {
        const now = this.#table.book.find(id, inside);
        if (now === known) await this.#lookAt(known, fate, ends);
        return now === known ? undefined : now;
      });
    }
  }

  /** What a container had that was removed is free, unless others share it. */
  async removed(id: string): Promise<void> {
    for (const { id: owner, interface: inside } of this.#table.book.of(id)) {
      await this.#options.changes
        .run(owner, async () => {
          const entry = this.#table.book.find(owner, inside);
          if (entry?.id === id) await this.#lose(await this.#sharersOf(entry));
          else if (entry !== undefined) {
            this.#table.put(withoutSharer(entry, id));
            this.#options.onMissing(id);
          }
        })
        .catch((error: unknown) => this.#options.onFailure(`the addresses of ${id} are not free`, error));
    }
    await this.#table.note();
  }

  /** `fate`: of its container; undefined while none is known. */
  async #lookAt(entry: Entry, fate: Fate | undefined, ends: HostEnds): Promise<void> {
    if (fate === undefined) return await this.#lookAtLoose(entry, ends);
    await this.#follow(entry, placeOf(entry, fate), ends);
    await this.#lookAtSharers(entry.id, entry.interface);
  }

  async #follow(entry: Entry, fate: Fate, ends: HostEnds): Promise<void> {
    if (fate.state === 'running' && isSame(entry, fate.container)) {
      this.#table.missing.delete(entry.id);
      await this.#putBack(entry, fate.container, ends);
    } else if (fate.state === 'stopped' || this.#mayReturn(entry)) {
      const stopped = renamed({ ...entry, present: false }, nameOf(fate));
      if (entry.present || stopped.containerName !== entry.containerName) this.#table.put(stopped);
    } else {
      await this.#lose(entry);
    }
  }

  /** One that no container is known of is there while the host's end of its interface is. */
  async #lookAtLoose(entry: Entry, ends: HostEnds): Promise<void> {
    const { networks, host, mtu } = this.#options;
    const port = this.#table.hostEnd(entry);
    const end = (await ends()).get(port);
    if (end !== undefined) {
      const { bridge } = await networks.segment(entry.network);
      if (!this.#isInPlace(entry, end)) await host.plugPort({ port, bridge, mtu });
    }
    const present = end !== undefined;
    if (entry.present !== present) this.#table.put({ ...entry, present });
  }

  async #restoredLoose(stored: StoredAttachment, ends: HostEnds): Promise<true> {
    const entry = asleep(stored);
    this.#table.put(entry);
    await this.#lookAtLoose(entry, ends).catch((error: unknown) =>
      this.#options.onFailure(`${entry.target} cannot be attached again`, error),
    );
    return true;
  }

  /** Whether those who share an attachment run, and in its namespace. One that is gone for good does not share it any more. */
  async #lookAtSharers(id: string, inside: string): Promise<void> {
    const entry = this.#table.book.find(id, inside);
    if (entry?.sharers === undefined || entry.sharers.length === 0) return;
    const looked = await this.#sharersOf(entry);
    if (isDeepStrictEqual(looked, entry)) return;
    this.#table.put(looked);
    for (const { id } of entry.sharers) if (!looked.sharing.includes(id)) this.#options.onMissing(id);
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
    const since = this.#table.missing.get(entry.id) ?? performance.now();
    this.#table.missing.set(entry.id, since);
    return performance.now() - since < GONE_FOR_GOOD;
  }

  async #restored(stored: StoredAttachment, ends: HostEnds): Promise<boolean> {
    const entry = asleep(stored);
    try {
      const found = await this.#options.containers.again(stored).catch((error: unknown): Fate => {
        this.#options.onFailure(`it cannot be told whether ${stored.target} runs`, error);
        return { state: 'stopped' };
      });
      const fate = placeOf(entry, found);
      if (fate.state === 'stopped') this.#table.put(renamed(entry, nameOf(fate)));
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
    const port = (await ends()).get(this.#table.hostEnd(entry));
    const now = renamed(entry, nameOf({ state: 'running', container }));
    const intact =
      entry.inode === container.namespace.inode && entry.mac !== undefined && this.#isInPlace(entry, port);
    if (!intact) return void (await this.#plugging.attach(container, entry, now));
    await this.#options.networks.segment(entry.network); // what is on its bridge is told of by its number
    if (!entry.present || now !== entry) this.#table.put({ ...now, present: true });
  }

  #isInPlace({ network }: Entry, port: HostEnd | undefined): boolean {
    const { networks, mtu } = this.#options;
    return port?.bridge === networks.bridge(network) && port.mtu === mtu && !port.isIsolated;
  }

  /** Its owner does not come back. */
  async #lose(entry: Entry): Promise<void> {
    if (!(await this.#handOn(entry))) await this.#plugging.forget(entry);
  }

  /** To the first of those who share it; false when there is none. */
  async #handOn(entry: Entry): Promise<boolean> {
    const heir = handedOn(entry);
    if (heir === undefined) return false;
    this.#table.replace(entry, heir);
    this.#options.onMissing(entry.id);
    const ends = once(() => this.#options.host.hostEnds(this.#options.owner));
    await this.#lookAt(heir, await this.#options.containers.again(heir), ends);
    return true;
  }
}

type HostEnds = () => Promise<ReadonlyMap<string, HostEnd>>;

/** Process ids are used again: such a container is the same only while its namespace is. */
function isSame(entry: Entry, container: Container): boolean {
  return !isProcess(entry) || entry.inode === container.namespace.inode;
}

/**
 * What has become of a container, for an attachment of it. A platform makes another interface when a container starts again: the one that
 * it made before has no place there.
 */
function placeOf({ platform, inode, engine }: Entry, fate: Fate): Fate {
  if (platform === undefined || fate.state !== 'running' || fate.container.namespace.inode === inode)
    return fate;
  if (engine === null) return { state: 'gone' }; // another has the name of its namespace now
  const name = nameOf(fate);
  return { state: 'stopped', ...(name === undefined ? {} : { name }) };
}

function asleep(stored: StoredAttachment): Entry {
  return { ...stored, present: false, sharing: [] };
}
