/** Meshes of any size that nobody has, told to the real page by the real routes. */
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import type { App } from '../../src/api/app.js';
import {
  type Found,
  type HostDetails,
  type HostView,
  type LinkView,
  type MeshSource,
  type MeshView,
  meshRoutes,
  type StatusServer,
  serveStatus,
  type Traffic,
} from '../../src/api/status/index.js';
import { type Clock, SystemClock } from '../../src/clock.js';
import { EVENTS_VERSION, type EventLine } from '../../src/events/index.js';
import { packageRoot } from '../../src/version.js';

const TOWNS = ['oslo', 'turin', 'porto', 'ghent', 'graz', 'lyon', 'bergen', 'delft'];
const KINDS = ['direct', 'direct', 'direct', 'direct', 'plain', 'direct', 'relay', 'direct', 'tcp'] as const;
const MEGABIT = 125_000;

/** A mesh of so many hosts, which changes a little whenever somebody looks. */
export class SyntheticMesh implements MeshSource {
  readonly hosts = new Map<string, HostView>();
  readonly links = new Map<string, LinkView>();
  readonly #traffic = new Map<string, Traffic>();
  readonly others = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  readonly #events = new Set<PassThrough>();
  readonly #random = generator(7);
  #seq = 0;
  /** How often somebody looked. */
  looks = 0;

  constructor(
    count: number,
    readonly interfaces = 6,
    /** Whether anything flows. */
    readonly isBusy = true,
  ) {
    for (let i = 0; i < count; i += 1) this.add(i);
    for (let i = 1; i < count; i += 1) this.#linkToOthers(i, count);
  }

  add(i: number, nickname = `${townOf(i)}-${Math.floor(i / TOWNS.length) + 1}`): string {
    const peer = idOf(i);
    const isDown = i > 3 && i % 23 === 11;
    this.hosts.set(peer, {
      nickname,
      state: i === 0 ? 'self' : isDown ? 'down' : 'linked',
      endpoints: [`198.51.100.${i % 250}:6783`],
      version: '0.1.0',
      interfaces: isDown ? 0 : Math.floor(this.#random() * 2 * this.interfaces),
      networks: i % 3 === 0 ? ['blue'] : [],
    });
    if (i === 0) return peer;
    this.links.set(peer, this.#link(i, isDown));
    this.#traffic.set(peer, [0, 0]);
    return peer;
  }

  #link(i: number, isDown: boolean): LinkView {
    const kind = isDown ? 'none' : (KINDS[i % KINDS.length] ?? 'direct');
    return {
      kind,
      control: !isDown,
      via: kind === 'relay' ? 'turin-1' : null,
      rtt: isDown ? null : distance(0, i) * (kind === 'relay' ? 2 : 1),
      loss: isDown ? 1 : i % 13 === 5 ? 0.03 : 0,
      cipher: kind === 'plain' ? 'plain' : 'aes-256-gcm',
      pathMtu: 1500,
      endpoint: `198.51.100.${i % 250}:6783`,
      reason:
        kind === 'direct' || kind === 'plain'
          ? null
          : `no direct answer over UDP (tried 198.51.100.${i % 250}:6783 12 times); is the UDP port open in both directions?`,
    };
  }

  #linkToOthers(i: number, count: number): void {
    const near = [i + TOWNS.length, i + 2 * TOWNS.length, i + 1, i + Math.floor(count / 3)];
    for (const j of near) {
      if (j < count && j !== i) this.others.set(`${idOf(i)} ${idOf(j)}`, distance(i, j));
    }
  }

  async view(): Promise<MeshView> {
    this.looks += 1;
    let i = 0;
    for (const [peer, [sent, received]] of this.#traffic) {
      i += 1;
      const busy =
        this.isBusy && i % 4 === 1 && this.links.get(peer)?.kind !== 'none' ? 10 ** (i % 5) / 100 : 0;
      const now = busy * MEGABIT * (0.7 + 0.6 * this.#random());
      this.#traffic.set(peer, [Math.round(sent + now), Math.round(received + now * (i % 3))]);
    }
    for (const [peer, link] of this.links) {
      if (!this.isBusy || link.rtt === null || this.#random() < 0.7) continue;
      const rtt = Number((link.rtt * (0.96 + 0.08 * this.#random())).toPrecision(2));
      this.links.set(peer, { ...link, rtt });
    }
    return {
      self: idOf(0),
      health: { ready: true, reasons: [], warnings: [] },
      hosts: new Map(this.hosts),
      links: new Map(this.links),
      traffic: new Map(this.#traffic),
      others: new Map(this.others),
      omitted: { hosts: 0, others: 0 },
    };
  }

  async host(peer: string): Promise<HostDetails | undefined> {
    const host = this.hosts.get(peer);
    if (host === undefined) return undefined;
    const interfaces = Array.from({ length: host.interfaces }, (_, i) => ({
      names: [`web-${i + 1}.weft.local`],
      network: i % 3 === 0 ? 'default' : 'blue',
      mac: `02:00:00:00:${peer.slice(14)}:${i.toString(16).padStart(2, '0')}`,
      addresses: [`10.32.${Number.parseInt(peer.slice(14), 16)}.${i + 1}`],
      labels: ['app=<b>shop</b>'],
    }));
    return {
      interfaces,
      names: interfaces.map(({ names, network, addresses }) => ({ name: `${names}`, network, addresses })),
      omitted: { interfaces: 0, names: 0 },
      owned: {
        addresses: 4096,
        share: 0.0039,
        free: 4000,
        ranges: ['10.32.16.0-10.32.23.255', '10.40.0.0-10.40.7.255'],
        moreRanges: 0,
      },
      ciphers: ['aes-256-gcm', 'chacha20-poly1305'],
    };
  }

  async path(peer: string) {
    const link = this.links.get(peer);
    const host = this.hosts.get(peer);
    if (link === undefined || host === undefined) return undefined;
    const { kind, rtt, loss, cipher, pathMtu, endpoint, via, reason } = link;
    return {
      peer,
      nickname: host.nickname,
      link: 'up' as const,
      udp: kind === 'none' ? ('down' as const) : ('up' as const),
      path: kind === 'plain' || kind === 'kernel' ? ('direct' as const) : kind,
      kernel: null,
      via: via === null ? null : idOf(1),
      viaNickname: via,
      ...{ endpoint, rtt, loss, pathMtu, udpPorts: null, cipher },
      ...{ sentBytes: 1, receivedBytes: 1, sentPackets: 1, receivedPackets: 1 },
      ...(reason === null ? {} : { reason }),
      nat: { here: 'none', there: 'steady' },
      candidates: [
        { endpoint: endpoint ?? '', learned: false, probes: 40, answers: 39, rtt, lastAnswer: 1 },
        { endpoint: '10.0.0.7:6783', learned: false, probes: 12, answers: 0, rtt: null, lastAnswer: null },
      ],
      relays: [{ peer: idOf(1), nickname: 'turin-1', cost: 900, hops: 1 }],
    };
  }

  async find(text: string): Promise<Found> {
    const found = [...this.hosts.keys()].filter((peer) =>
      `10.32.${Number.parseInt(peer.slice(14), 16)}.1`.includes(text),
    );
    return { peers: found };
  }

  onPathNews(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get watched(): boolean {
    return this.#listeners.size > 0;
  }

  /** A link to a host is another one from now on. */
  relink(peer: string, change: Partial<LinkView>): void {
    const link = this.links.get(peer);
    if (link !== undefined) this.links.set(peer, { ...link, ...change });
    for (const listener of this.#listeners) listener();
  }

  events(format: (line: string) => string): Readable {
    const stream = new PassThrough();
    for (let i = 1; i < 9 && i < this.hosts.size; i += 1) stream.write(format(this.#joined(i)));
    this.#events.add(stream);
    stream.on('close', () => this.#events.delete(stream));
    return stream;
  }

  #joined(i: number): string {
    this.#seq += 1;
    const peer = idOf(i);
    const event: EventLine = {
      version: EVENTS_VERSION,
      run: 'aa',
      seq: this.#seq,
      time: new Date(Date.now() - 60_000 + i * 7000).toISOString(),
      kind: 'peer-joined',
      subject: `peer:${peer}`,
      details: { peer, nickname: this.hosts.get(peer)?.nickname ?? '' },
    };
    return JSON.stringify(event);
  }
}

/** Serves the page for a mesh, on a port that is free. */
export async function servePage(
  source: MeshSource,
  port = 0,
  clock: Clock = new SystemClock(),
): Promise<StatusServer & { readonly url: string }> {
  const onFault = (error: unknown) => console.error(error);
  const page = pathToFileURL(join(packageRoot(), 'dist/ui/'));
  let app: App | undefined;
  const keep = (made: App) => {
    app = made;
  };
  const server = await serveStatus({
    at: { kind: 'ipv4', host: '127.0.0.1', port },
    routes: [meshRoutes({ source, page, onFault, clock }), keep],
    onFault,
  });
  return { ...server, url: `${app?.listeningOrigin}/` };
}

export function idOf(i: number): string {
  const mixed = Math.imul(i + 1, 0x9e3779b1) >>> 0;
  const other = Math.imul(i + 17, 0x85ebca6b) >>> 0;
  return mixed.toString(16).padStart(8, '0') + other.toString(16).padStart(8, '0');
}

function townOf(i: number): string {
  return TOWNS[i % TOWNS.length] ?? '';
}

/** Microseconds: hosts of a town are near each other. */
function distance(i: number, j: number): number {
  const towns = Math.abs((i % TOWNS.length) - (j % TOWNS.length));
  return towns === 0 ? 280 : 2400 + 3900 * towns;
}

/** Numbers from 0 to 1, the same in each run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** What routers tell of their links: each of 256, as many as it may. */
export function fullMesh(ids: readonly string[]): ReadonlyMap<string, ReadonlyMap<string, number>> {
  return new Map(
    ids.map((peer, i) => [peer, new Map(near(ids, i).map((other, cost) => [other, cost * 7 + i]))]),
  );
}

function near(ids: readonly string[], i: number): string[] {
  const half = Math.min(128, Math.floor((ids.length - 1) / 2));
  return Array.from({ length: half }, (_, k) => [k + 1, -k - 1])
    .flat()
    .map((step) => ids[(i + step + ids.length) % ids.length] ?? '');
}
