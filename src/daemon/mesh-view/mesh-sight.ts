import type { Readable } from 'node:stream';
import { setImmediate as otherWork } from 'node:timers/promises';
import type { AddressOwner, Connection, PeerPath } from '../../api/index.js';
import {
  type Found,
  type HostDetails,
  type HostView,
  type LinkView,
  type MeshSource,
  type MeshView,
  type Observe,
  pathOf,
  readiness,
} from '../../api/status/index.js';
import type { PeerId } from '../../identity/index.js';
import { labelTexts } from '../../labels.js';
import type { Mesh } from '../../mesh/index.js';
import type { Overlay } from '../../overlay/index.js';
import type { Addresses } from '../addresses/index.js';
import type { Happenings } from '../happenings/index.js';
import type { KernelPaths } from '../kernel-paths/index.js';
import type { Endpoints } from '../mac-routes/index.js';
import type { PeerPaths } from '../membership/index.js';
import type { Dns } from '../names/index.js';
import type { Networks } from '../segments/index.js';
import { connectionView, peerView } from '../views.js';
import { hostDetails } from './host-details.js';
import { LinksBetweenOthers, rounded } from './told-links.js';

/** Maximum number of routers that are shown, and of the endpoints and networks of each. */
const MAX_HOSTS = 2_000;
const MAX_OF_HOST = 16;
/** Whether this host is well is looked up with commands: so often, in milliseconds. */
const HEALTH_AGE = 10_000;
/** Number of events that are told of the past. */
const PAST_EVENTS = 50;
/** So many names or interfaces are looked through before other work goes on. */
const BATCH = 1_000;

type Owned = NonNullable<HostDetails['owned']>;

/** While the first look is not done. */
const UNKNOWN: MeshView['health'] = { ready: true, reasons: [], warnings: [] };

export interface MeshSightOptions {
  readonly self: string;
  readonly mesh: Mesh;
  readonly overlay: Overlay;
  readonly kernelPaths: KernelPaths | undefined;
  readonly paths: PeerPaths;
  readonly endpoints: Endpoints;
  readonly networks: Networks;
  readonly names: Dns;
  readonly addresses: Addresses;
  readonly happenings: Happenings;
  readonly observe: Observe;
}

/** What the page is told of the mesh, from what the parts know. */
export class MeshSight implements MeshSource {
  readonly #parts: MeshSightOptions;
  readonly #others = new LinksBetweenOthers();
  #health: MeshView['health'] | undefined;
  #healthAt = Number.NEGATIVE_INFINITY;

  constructor(parts: MeshSightOptions) {
    this.#parts = parts;
  }

  async view(): Promise<MeshView> {
    const { self, overlay, kernelPaths } = this.#parts;
    const [connections, health] = await Promise.all([overlay.connections(), this.#healthNow()]);
    const interfaces = await this.#interfaces();
    const { hosts, omitted } = this.#hosts(interfaces);
    await otherWork();
    const others = await this.#others.of(overlay.linkStates(), self, (peer) => hosts.has(peer));
    const shown = connections.filter(({ peer }) => hosts.has(peer));
    return {
      self,
      health,
      hosts,
      links: new Map(
        shown.map((connection) => [connection.peer, linkView(connectionView(connection, kernelPaths))]),
      ),
      traffic: new Map(shown.map(({ peer, sentBytes, receivedBytes }) => [peer, [sentBytes, receivedBytes]])),
      others: others.links,
      omitted: { hosts: omitted, others: others.omitted },
    };
  }

  async host(name: string): Promise<HostDetails | undefined> {
    const { mesh, endpoints, names, addresses, networks } = this.#parts;
    const peer = name as PeerId;
    const member = mesh.member(peer);
    if (member === undefined) return undefined;
    const networkName = (number: number) => networks.nameOf(number);
    const owner = addresses.status().owners.find((each) => each.peer === peer && each.heir === null);
    await otherWork();
    return hostDetails({
      peer,
      endpoints: endpoints.all(),
      names: [...names.each(peer)].map((each) => ({ ...each, network: networkName(each.network) })),
      networkName,
      owned: owner === undefined ? null : { ...pick(owner), ...this.#ranges(peer) },
      ciphers: peerView(member).ciphers,
    });
  }

  path(peer: string): Promise<PeerPath | undefined> {
    return this.#parts.paths.of(peer as PeerId);
  }

  async find(text: string): Promise<Found> {
    const { endpoints, names } = this.#parts;
    const sought = text.toLowerCase();
    const has = (each: string) => each.toLowerCase().includes(sought);
    const peers = new Set<string>();
    const look = (peer: string, texts: readonly string[]) => {
      if (!peers.has(peer) && texts.some(has)) peers.add(peer);
    };
    await inBatches(endpoints.all(), ({ peer, mac, addresses, labels }) =>
      look(peer, [mac, ...addresses, ...labelTexts(labels)]),
    );
    await inBatches(names.each(), ({ peer, name, addresses }) => look(peer, [name, ...addresses]));
    return { peers: [...peers].slice(0, MAX_HOSTS) };
  }

  onPathNews(listener: () => void): () => void {
    const { overlay } = this.#parts;
    const news = ['peer-up', 'peer-down', 'next-hop'] as const;
    for (const event of news) overlay.on(event, listener);
    return () => {
      for (const event of news) overlay.off(event, listener);
    };
  }

  events(format: (line: string) => string): Readable {
    const { journal, streams } = this.#parts.happenings;
    const since = Math.max(journal.first - 1, journal.last - PAST_EVENTS);
    return streams.open({ since }, { format });
  }

  /** What was found last, so that nobody waits for commands who wants to see paths; only the first look waits. */
  async #healthNow(): Promise<MeshView['health']> {
    if (performance.now() - this.#healthAt > HEALTH_AGE) {
      this.#healthAt = performance.now();
      const found = this.#parts.observe().then((seen) => {
        this.#health = readiness(seen);
        return this.#health;
      });
      if (this.#health === undefined) return await found;
      found.catch(() => {}); // it is looked again
    }
    return this.#health ?? UNKNOWN;
  }

  async #interfaces(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    await inBatches(this.#parts.endpoints.all(), ({ peer }) => counts.set(peer, (counts.get(peer) ?? 0) + 1));
    return counts;
  }

  #hosts(interfaces: ReadonlyMap<string, number>): { hosts: Map<string, HostView>; omitted: number } {
    const members = this.#parts.mesh.members();
    const networksOf = this.#networksByUser();
    const hosts = members.slice(0, MAX_HOSTS).map((member): [string, HostView] => {
      const { peer, nickname, version, state, endpoints } = peerView(member);
      return [
        peer,
        {
          nickname,
          state,
          endpoints: endpoints.slice(0, MAX_OF_HOST),
          version,
          interfaces: interfaces.get(peer) ?? 0,
          networks: (networksOf.get(peer) ?? []).slice(0, MAX_OF_HOST),
        },
      ];
    });
    return { hosts: new Map(hosts), omitted: Math.max(0, members.length - MAX_HOSTS) };
  }

  #ranges(peer: PeerId): Pick<Owned, 'ranges' | 'moreRanges'> {
    const all = this.#parts.addresses.rangesOf(peer);
    return { ranges: all.slice(0, MAX_OF_HOST), moreRanges: Math.max(0, all.length - MAX_OF_HOST) };
  }

  #networksByUser(): Map<string, string[]> {
    const networks = new Map<string, string[]>();
    for (const { name, usedBy } of this.#parts.networks.list()) {
      for (const peer of usedBy) networks.set(peer, [...(networks.get(peer) ?? []), name]);
    }
    return networks;
  }
}

function pick({ addresses, share, free }: AddressOwner): Omit<Owned, 'ranges' | 'moreRanges'> {
  return { addresses, share, free };
}

function linkView(connection: Connection): LinkView {
  const { link, viaNickname, rtt, loss, cipher, pathMtu, endpoint, reason } = connection;
  return {
    kind: pathOf(connection),
    control: link === 'up',
    via: viaNickname,
    rtt: rtt === null ? null : rounded(rtt),
    loss: loss === null ? null : rounded(loss),
    cipher,
    pathMtu,
    endpoint,
    reason: reason ?? null,
  };
}

async function inBatches<T>(all: Iterable<T>, use: (each: T) => void): Promise<void> {
  let count = 0;
  for (const each of all) {
    use(each);
    count += 1;
    if (count % BATCH === 0) await otherWork();
  }
}
