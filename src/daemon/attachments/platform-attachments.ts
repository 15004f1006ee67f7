import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { systemCode, WeftError } from '../../errors.js';
import {
  checkHostAddress,
  checkInterfaceName,
  DEFAULT_INTERFACE,
  loosePair,
  macOfAddress,
  type Namespace,
  parseCidr,
  parseMac,
  randomMac,
} from '../../hostnet/index.js';
import { allEnded, SerialByKey } from '../../order.js';
import type {
  PlacedEndpoint,
  PlatformContainer,
  PlatformEndpoint,
  PlatformEndpointRequest,
  PlatformEndpoints,
  PlatformPlace,
} from '../../plugins/platform/index.js';
import { shortId } from '../../text/index.js';
import type { Networks } from '../segments/index.js';
import type { Fates } from './fates.js';
import { flawsOf } from './interface-flaws.js';
import { macUsed, type Plugging, type PluggingOptions } from './plugging.js';
import { type AttachmentTable, type Entry, isLoose, NO_INODE, platformKey } from './table/index.js';

/** Maximum number of names that an endpoint has besides its container's own. */
const MAX_ALIASES = 64;
/** What a container had that just ended on another host may be announced for so long after, ms. */
const PATIENCE = 1_000;
const POLL = 50;

export interface PlatformAttachmentsOptions extends Omit<PluggingOptions, 'networks' | 'onMissing'> {
  readonly networks: Pick<Networks, 'bridge' | 'number' | 'numberOf' | 'segment'>;
  /** One change at a time for each container. */
  readonly changes: SerialByKey;
  /** Who has an address on a network, on any host, in words; undefined: nobody has. */
  readonly addressHolder: (network: number, address: string) => string | undefined;
  readonly onFailure: (what: string, error: unknown) => void;
}

/** What a platform asked for, understood. */
type Noted = Entry & { readonly mac: string };

/** Where an endpoint is in its container. */
interface Place {
  /** Of the network namespace. */
  readonly inode: number;
  readonly interface: string;
  /** Its interface is there, and need not be put back. */
  readonly isThere: boolean;
}

/** Who does what is the same for all attachments. */
export interface AttachmentParts {
  readonly table: AttachmentTable;
  readonly plugging: Plugging;
  readonly fates: Fates;
}

/**
 * The interfaces that a platform asks for. One that is made in its container is an attachment like any other. So is one that the platform
 * moves there by itself, once its container is known; until then it has no name, and is there while the host's end of its interface is.
 */
export class PlatformAttachments implements PlatformEndpoints {
  readonly #name: string;
  readonly #options: PlatformAttachmentsOptions;
  readonly #parts: AttachmentParts;
  /** One thing at a time for each endpoint; within it, for whose it is by then. */
  readonly #work = new SerialByKey();

  constructor(name: string, options: PlatformAttachmentsOptions, parts: AttachmentParts) {
    this.#name = name;
    this.#options = options;
    this.#parts = parts;
  }

  create(request: PlatformEndpointRequest): Promise<PlatformEndpoint> {
    return this.#work.run(request.id, async () => {
      const { table, plugging } = this.#parts;
      const entry = this.#noted(request);
      const former = this.#find(request.id);
      if (former !== undefined && isSame(former, entry, request)) return viewOf(former);
      if (former !== undefined) await this.#forget(request.id);
      await plugging.makeRoom(entry);
      await this.#patience(entry);
      const refusal = this.#refusal(entry);
      if (refusal !== undefined) throw refusal;
      table.put(entry);
      await table.save().catch((error: unknown) => {
        table.drop(entry);
        throw error;
      });
      return viewOf(entry);
    });
  }

  plug(id: string): Promise<{ readonly interface: string }> {
    return this.#work.run(id, () => this.#change(id, (entry) => this.#plug(entry)));
  }

  /** An engine is asked while nothing waits for us: it says nothing of a container that it takes off a network until `remove` is done. */
  async bind(id: string, container: PlatformContainer): Promise<void> {
    try {
      const place = await this.#place(id, container);
      if (place === undefined) return;
      const bound = await this.#work.run(id, () => this.#bind(id, container, place));
      if (bound !== undefined && !(place.isThere && bound.present)) await this.#parts.fates.look([bound]);
    } catch (error) {
      this.#options.onFailure(`${container.name} is not followed`, error);
    }
  }

  async route(id: string): Promise<void> {
    const { containers, host, onFailure } = this.#options;
    const entry = this.#find(id);
    if (entry?.present !== true || isLoose(entry)) return;
    try {
      const fate = await containers.again(entry);
      if (fate.state === 'running') await host.addRoutes(fate.container.namespace, entry.interface);
    } catch (error) {
      onFailure(`${entry.target} reaches no multicast groups and no DNS server`, error);
    }
  }

  attach(request: PlatformEndpointRequest, place: PlatformPlace): Promise<PlacedEndpoint> {
    return this.#work.run(request.id, async () => {
      checkInterfaceName(place.interface);
      const entry = placed(this.#noted(request), place);
      if (this.#find(request.id) !== undefined) await this.#forget(request.id);
      const namespace = await this.#options.host.resolveNamespace(place.namespace);
      const container = { ...entry, namespace };
      await this.#parts.fates.noticeEnd(container, entry.interface);
      return await this.#options.changes.run(entry.id, () => this.#attach(entry, namespace));
    });
  }

  async flaws(id: string): Promise<readonly string[]> {
    const { host, mtu } = this.#options;
    const entry = this.#required(id);
    const namespace = await host.resolveNamespace(entry.target);
    return flawsOf(entry, mtu, await host.inspectInterface(namespace, entry.interface));
  }

  unplug(id: string): Promise<void> {
    return this.#work.run(id, async () => {
      if (this.#find(id) !== undefined) await this.#change(id, (entry) => this.#unplug(entry));
    });
  }

  remove(id: string): Promise<void> {
    return this.#work.run(id, async () => {
      if (this.#find(id) === undefined) return;
      await this.#forget(id);
      await this.#parts.table.note();
    });
  }

  list(): readonly PlatformEndpoint[] {
    return this.#parts.table.book.all().flatMap((entry) => {
      return entry.platform?.name === this.#name ? [viewOf(entry)] : [];
    });
  }

  #find(id: string): Entry | undefined {
    return this.#parts.table.book.all().find(({ platform }) => {
      return platform?.name === this.#name && platform.endpoint === id;
    });
  }

  #required(id: string): Entry {
    const entry = this.#find(id);
    if (entry !== undefined) return entry;
    throw new WeftError(
      'no-such-endpoint',
      `${this.#name} has no endpoint ${id} here: start the container again`,
    );
  }

  /** What is in the book when it is our turn counts. */
  async #change<T>(id: string, work: (entry: Entry) => Promise<T>): Promise<T> {
    return await this.#options.changes.run(this.#required(id).id, () => work(this.#required(id)));
  }

  /** Throws `no-such-network`, `bad-cidr` or `bad-mac`. */
  #noted({ id, network, addresses, mac }: PlatformEndpointRequest): Noted {
    const platform = { name: this.#name, endpoint: id };
    const cidrs = addresses.map(parseCidr);
    for (const cidr of cidrs) checkHostAddress(cidr);
    const number = this.#options.networks.numberOf(network);
    const [first] = cidrs;
    const own = first === undefined ? randomMac() : macOfAddress(number, first.address);
    return {
      ...looseOf(platform),
      network,
      addresses: cidrs.map(({ text }) => text),
      mac: mac === undefined ? own : parseMac(mac, this.#options.owner),
      multicastRoute: true,
    };
  }

  /** On the disk once its interface is there: one that nobody knows of is removed when the router starts. */
  async #attach(entry: Noted, namespace: Namespace): Promise<PlacedEndpoint> {
    const { table, plugging } = this.#parts;
    await this.#clear(entry, namespace);
    await this.#patience(entry);
    const refusal = this.#refusal(entry);
    if (refusal !== undefined) throw refusal;
    const container = { ...entry, namespace };
    const attached = await plugging.attach(container, undefined, entry, entry.mac);
    await table.save().catch(async (error: unknown) => {
      await plugging.takeBack(attached, undefined, container);
      throw error;
    });
    return { ...viewOf(attached), port: table.hostEnd(attached) };
  }

  /** What the container had under that name before is in a namespace that ended; else it is in the way. */
  async #clear({ id, interface: inside, target }: Entry, { inode }: Namespace): Promise<void> {
    const { book } = this.#parts.table;
    const former = book.find(id, inside) ?? book.inNamespace(inode, inside);
    if (former === undefined) return;
    if (!former.present || former.inode !== inode) return await this.#parts.plugging.forget(former);
    throw new WeftError('interface-taken', `${target} has an interface ${inside} already`);
  }

  /** What a container had that just ended elsewhere will be free in a moment. */
  async #patience(entry: Noted): Promise<void> {
    for (let waited = 0; waited < PATIENCE && this.#refusal(entry) !== undefined; waited += POLL) {
      await delay(POLL);
    }
  }

  /** Why it cannot have what it is to have: somebody on its network has it, on any host. */
  #refusal(entry: Noted): WeftError | undefined {
    const { network, addresses, mac } = entry;
    const { networks, addressHolder, macHolder } = this.#options;
    const number = networks.numberOf(network);
    const { book } = this.#parts.table;
    for (const { address, text } of addresses.map(parseCidr)) {
      const ours = book.withAddress(network, text);
      const holder = ours?.name ?? ours?.target ?? addressHolder(number, address);
      if (holder !== undefined) return addressUsed(holder, address, network);
    }
    const rival = book.all().find((other) => other.network === network && other.mac === mac);
    const holder = rival?.name ?? rival?.target ?? macHolder(number, mac, entry);
    return holder === undefined ? undefined : macUsed(holder, mac);
  }

  /** All that must be done before a container is heard is done while its interface is made. */
  async #plug(entry: Entry): Promise<{ readonly interface: string }> {
    const { networks, custody, told, host, owner, mtu } = this.#options;
    const { platform, mac } = entry;
    if (platform === undefined || mac === undefined) throw new TypeError('no endpoint of a platform');
    const { bridge, number: network } = await networks.segment(entry.network);
    const pair = loosePair(platformKey(platform));
    const addresses = entry.addresses.map((cidr) => parseCidr(cidr).address);
    custody.put({ network, mac, addresses, ports: [pair.port] });
    try {
      this.#parts.table.put({ ...entry, present: true });
      const made = host.ensureLoosePair({ ...pair, bridge, owner, mtu, mac });
      await allEnded([made, custody.settle(), told()]);
    } catch (error) {
      this.#parts.table.put({ ...entry, present: false });
      custody.remove(network, mac);
      await host.removeLink(pair.port).catch(() => {}); // a half-made one is seen to by the next try
      throw error;
    }
    return { interface: pair.loose };
  }

  /** It is in no container any more. */
  async #unplug(entry: Entry): Promise<void> {
    const { platform, network, addresses, mac, multicastRoute } = entry;
    if (platform === undefined || mac === undefined) throw new TypeError('no endpoint of a platform');
    const loose = { ...looseOf(platform), network, addresses, mac, multicastRoute };
    this.#parts.table.replace(entry, loose);
    await this.#parts.plugging.unplug(loose);
  }

  /** Where in a container an endpoint is, or is to be; undefined for one that is not on its way there any more, or waits to be moved still. */
  async #place(id: string, container: PlatformContainer): Promise<Place | undefined> {
    const { host } = this.#options;
    const { platform, mac } = this.#find(id) ?? {};
    if (platform === undefined || mac === undefined) return undefined;
    const namespace = await host.resolveNamespace(String(container.pid)).catch(unlessEnded);
    if (namespace === undefined) return undefined;
    const inside = await host.interfaceWithMac(namespace, mac);
    const { loose } = loosePair(platformKey(platform));
    if (inside === undefined && (await host.interfaceNames()).has(loose)) return undefined;
    return {
      inode: namespace.inode,
      interface: inside ?? DEFAULT_INTERFACE,
      isThere: inside !== undefined,
    };
  }

  async #bind(id: string, container: PlatformContainer, place: Place): Promise<Entry | undefined> {
    const loose = this.#find(id);
    if (loose === undefined) return undefined;
    const { inode, interface: inside } = place;
    const change = () =>
      this.#change(id, async (entry) => {
        const now = { ...entry, ...calledAs(container), inode, interface: inside };
        if (!isDeepStrictEqual(entry, now)) await this.#replace(entry, now);
        return now;
      });
    return await (loose.id === container.id ? change() : this.#options.changes.run(container.id, change));
  }

  /** What the container had under that name before is in a namespace that ended. */
  async #replace(entry: Entry, now: Entry): Promise<void> {
    const { table, plugging } = this.#parts;
    const former = table.book.find(now.id, now.interface);
    if (former !== undefined && former !== entry) await plugging.forget(former);
    table.replace(entry, now);
    await table.note();
  }

  async #forget(id: string): Promise<void> {
    await this.#change(id, (entry) => this.#parts.plugging.forget(entry));
  }
}

function addressUsed(holder: string, address: string, network: string): WeftError {
  return new WeftError(
    'address-used',
    `${holder} already has ${address} on the network ${network}: choose another address, or take it off there first`,
  );
}

/** Many containers end as soon as they started. */
function unlessEnded(error: unknown): undefined {
  if (systemCode(error) !== 'no-such-namespace') throw error;
}

/** As one is noted of which nobody knows in which container it is, if in any. */
function looseOf(platform: NonNullable<Entry['platform']>) {
  return {
    ...{ id: platformKey(platform), platform, name: null, hostname: null, dns: false, engine: null },
    target: `${platform.name} endpoint ${shortId(platform.endpoint)}`,
    interface: loosePair(platformKey(platform)).loose,
    ...{ inode: NO_INODE, present: false, sharing: [] },
  };
}

function calledAs({ id, engine, name, hostname, aliases, labels }: PlatformContainer) {
  return {
    ...{ id, engine, name, hostname, target: name, containerName: name, dns: true },
    ...{ aliases: aliases.slice(0, MAX_ALIASES), labels },
  };
}

/** As one that is made where it is to be. */
function placed(entry: Noted, place: PlatformPlace): Noted {
  const { container: id, namespace: target, interface: inside, name, aliases, labels, routes } = place;
  return {
    ...entry,
    ...{ id, target, interface: inside, name, dns: true, labels: { ...labels }, routes: [...routes] },
    aliases: aliases.slice(0, MAX_ALIASES),
  };
}

/** Whether it is what was asked for before. */
function isSame(former: Entry, { network, addresses, mac }: Entry, asked: PlatformEndpointRequest): boolean {
  const isMac = asked.mac === undefined || former.mac === mac;
  return former.network === network && isMac && isDeepStrictEqual(former.addresses, addresses);
}

function viewOf(entry: Entry): PlatformEndpoint {
  const { id, network, addresses, mac = '', platform, present } = entry;
  return {
    id: platform?.endpoint ?? id,
    network,
    addresses,
    mac,
    container: isLoose(entry) ? null : id,
    present,
  };
}
