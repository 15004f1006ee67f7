import { WeftError } from '../../errors.js';
import { type AttachedInterface, type Holding, parseCidr, randomMac } from '../../hostnet/index.js';
import type { PeerId } from '../../identity/index.js';
import type { AddressSource } from '../addresses/index.js';
import type { Networks } from '../segments/index.js';
import type { Container, Containers } from './containers.js';
import type { AttachmentPlumbing } from './plumbing.js';
import {
  type AttachmentTable,
  type Entry,
  fixedAddresses,
  isLoose,
  ownAddresses,
  ringHolder,
} from './table/index.js';

export interface PluggingOptions {
  /** Peer id of this router. */
  readonly owner: PeerId;
  readonly mtu: number;
  readonly networks: Pick<Networks, 'bridge' | 'number' | 'segment'>;
  readonly containers: Pick<Containers, 'again'>;
  readonly addresses: Pick<AddressSource, 'release'>;
  readonly host: AttachmentPlumbing;
  /** Another that is attached with this MAC, on any host, in words; undefined: nobody is. */
  readonly macHolder: (network: number, mac: string, entry: Entry) => string | undefined;
  /** Resolves when the forwarder knows everything that was told of the containers. */
  readonly told: () => Promise<void>;
  /** Keeps what was given to a container from others on this host, once it has `settle`d. */
  readonly custody: {
    put(given: Holding): void;
    remove(network: number, mac: string): void;
    settle(): Promise<void>;
  };
  /** A container with this id is not there any more. */
  readonly onMissing: (id: string) => void;
}

/** What an attachment is to become; addresses are added to those that are there. */
export type Wanted = Omit<Entry, 'inode' | 'mac' | 'present'>;

/** Gives containers their interfaces, and takes them away. */
export class Plugging {
  readonly #options: PluggingOptions;
  readonly #table: AttachmentTable;

  constructor(options: PluggingOptions, table: AttachmentTable) {
    this.#options = options;
    this.#table = table;
  }

  /** `newMac`: the interface is to have it from now on. */
  async attach(
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
    await this.makeRoom(entry);
    if (newMac !== undefined) this.checkMac(entry, newMac);
    // A process may keep the former namespace alive: the same addresses must not be in both.
    if (hasMoved) await this.unplug(before);
    this.#table.book.put(entry); // its addresses are taken from now on
    try {
      const { mac } = await this.#plug(container, entry, before?.mac, newMac);
      return { ...entry, mac, present: true };
    } catch (error) {
      if (before === undefined) {
        this.#table.book.remove(entry);
        this.#table.withdraw(entry);
      } else this.#table.put(before);
      throw error;
    }
  }

  /** Its port is guarded by the time that the container is heard first: the rules are written while the interface is made. */
  async #plug(
    { namespace }: Container,
    entry: Entry,
    mac: string = randomMac(),
    newMac: string | undefined = undefined,
  ): Promise<AttachedInterface> {
    const { owner, mtu, networks, told, custody, host } = this.#options;
    const { bridge, number: network } = await networks.segment(entry.network);
    const wanted = newMac ?? mac;
    this.checkMac(entry, wanted);
    const addresses = fixedAddresses(entry).map((cidr) => parseCidr(cidr).address);
    custody.put({ network, mac: wanted, addresses, ports: [this.#table.hostEnd(entry)] });
    const guarded = custody.settle();
    try {
      return await host.attach({
        port: this.#table.hostEnd(entry),
        bridge,
        owner,
        mtu,
        namespace,
        interface: entry.interface,
        cidrs: entry.addresses.map(parseCidr),
        mac,
        newMac,
        multicastRoute: entry.multicastRoute,
        routes: entry.routes ?? [],
        onReady: async (found) => {
          this.checkMac(entry, found);
          this.#table.put({ ...entry, mac: found, present: true });
          if (found !== wanted) custody.remove(network, wanted);
          await Promise.all([told(), guarded, found === wanted ? undefined : custody.settle()]);
        },
      });
    } catch (error) {
      custody.remove(network, wanted);
      throw error;
    }
  }

  /** Throws `mac-used` for the MAC of somebody else who is attached. */
  checkMac(entry: Entry, mac: string): void {
    const network = this.#options.networks.number(entry.network);
    const holder = network === undefined ? undefined : this.#options.macHolder(network, mac, entry);
    if (holder !== undefined) throw macUsed(holder, mac);
  }

  /** Undoes an attachment that could not be noted. */
  async takeBack(attached: Entry, before: Entry | undefined, { namespace }: Container): Promise<void> {
    if (before === undefined) {
      await this.unplug(attached);
      return this.#table.drop(attached);
    }
    const added = attached.addresses.filter((address) => !before.addresses.includes(address));
    await this.#options.host.removeAddresses(namespace, attached.interface, added.map(parseCidr));
    const { inode } = attached;
    const { mac = attached.mac } = before;
    if (mac !== undefined && mac !== attached.mac) {
      await this.#options.host.setInterfaceMac(namespace, attached.interface, mac);
    }
    const sharing = before.sharing.filter((id) => attached.sharing.includes(id));
    this.#table.put({ ...before, inode, sharing, present: true, ...(mac === undefined ? {} : { mac }) });
  }

  /** But not what somebody else has who is in a namespace with an inode that is used again. */
  async unplug(entry: Entry): Promise<void> {
    const port = this.#table.hostEnd(entry);
    const others = this.#table.book.all().filter(({ id }) => id !== entry.id);
    if (others.some((other) => this.#table.hostEnd(other) === port)) return;
    await this.#options.host.removeLink(port);
  }

  /** Sees to it that nobody else of this host has its addresses. Throws `address-used`. */
  async makeRoom(entry: Entry): Promise<void> {
    for (let rival = this.#rival(entry); rival !== undefined; rival = this.#rival(entry)) {
      await this.#evict(rival);
    }
  }

  /** Another container that has one of these addresses: an address may be on one interface of a network only. */
  #rival({ id, interface: inside, network, addresses }: Entry): Entry | undefined {
    return addresses
      .map((address) => this.#table.book.withAddress(network, address))
      .find((other) => other !== undefined && (other.id !== id || other.interface !== inside));
  }

  /** A container that is gone does not need its addresses any more. */
  async #evict(entry: Entry): Promise<void> {
    const isGone = !isLoose(entry) && (await this.#options.containers.again(entry)).state === 'gone';
    if (isGone) return await this.forget(entry);
    throw new WeftError(
      'address-used',
      `${entry.target} already has ${entry.addresses.join(' ')}: choose another address, or detach it there first`,
    );
  }

  /** The container does not come back: its addresses are free, and others hear of it. */
  async forget(entry: Entry): Promise<void> {
    this.#table.drop(entry);
    for (const { id } of entry.sharers ?? []) this.#options.onMissing(id);
    // A process may keep its namespace alive.
    if ((await this.#options.host.interfaceNames()).has(this.#table.hostEnd(entry))) await this.unplug(entry);
    await this.#options.addresses.release(ringHolder(entry), ownAddresses(entry));
  }
}

export function macUsed(holder: string, mac: string): WeftError {
  return new WeftError(
    'mac-used',
    `${holder} already has the MAC ${mac}: choose another one, or detach it there first`,
  );
}
