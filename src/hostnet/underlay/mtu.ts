import { WeftError } from '../../errors.js';
import { isWeftLink, type Link, links, type Route, routes } from '../kernel/index.js';

/** Bytes around a container's packet on an IPv4 and an IPv6 wire: docs/protocol.md 2.4, the Ethernet header included. */
const OVERHEAD = { inet: 82, inet6: 102 };
/** Outer IPv4 and UDP headers, which are not in the UDP payload. */
const OUTER_HEADERS = 28;
/** What one UDP_SEGMENT send may carry (an IPv4 packet's 65,535 with room for headers), and into how many datagrams. */
const MAX_SEND = 65_000;
const MAX_SEGMENTS = 64;

/** IPv6 needs 1280 on every link (RFC 8200); the tunnel fragments where the wire has less than that and its overhead. */
export const MIN_MTU = 1280;
/** One frame must fit one datagram. */
export const MAX_MTU = MAX_SEND - OVERHEAD.inet + OUTER_HEADERS;

type Family = keyof typeof OVERHEAD;

/** An interface that carries packets to other routers. */
export interface UnderlayPath {
  readonly mtu: number;
  readonly family: Family;
}

/** The MTU of containers, such that their full-size packets fit every one of these paths in one datagram. */
export function overlayMtu(paths: readonly UnderlayPath[]): number {
  const fits = paths.map(({ mtu, family }) => mtu - OVERHEAD[family]);
  return Math.min(
    MAX_MTU,
    Math.max(MIN_MTU, Math.min(...fits, fits.length === 0 ? 1500 - OVERHEAD.inet : MAX_MTU)),
  );
}

/** How large a TCP superframe of this MTU may be so that it leaves in one UDP_SEGMENT send. */
export function superframe(mtu: number): { readonly segments: number; readonly bytes: number } {
  const datagram = mtu + OVERHEAD.inet - OUTER_HEADERS;
  const segments = Math.max(1, Math.min(MAX_SEGMENTS, Math.floor(MAX_SEND / datagram)));
  return { segments, bytes: segments * mtu };
}

/** Throws `bad-mtu` outside of 1280 to 64,946. */
export function checkMtu(mtu: number): void {
  if (Number.isInteger(mtu) && mtu >= MIN_MTU && mtu <= MAX_MTU) return;
  throw new WeftError('bad-mtu', `${mtu} cannot be the overlay's MTU: it goes from ${MIN_MTU} to ${MAX_MTU}`);
}

/**
 * Chooses the overlay's MTU from this host's interfaces: those that lead to the given peers (addresses), else those of the
 * default routes, else all that lead anywhere.
 */
export async function chooseMtu(peers: readonly string[]): Promise<number> {
  const [all, toPeers, defaults] = await Promise.all([
    links(),
    Promise.all(peers.map(routeTo)).then((found) => found.flat()),
    peers.length === 0 ? defaultRoutes() : undefined,
  ]);
  const mtus = new Map(all.map(({ ifname, mtu = 1500 }) => [ifname, mtu]));
  const real = (found: readonly FamilyRoute[]) =>
    found.filter(({ dev }) => dev !== undefined && dev !== 'lo');
  const chosen = preferred(real(real(toPeers).length > 0 ? toPeers : (defaults ?? (await defaultRoutes()))));
  if (chosen.length > 0) return overlayMtu(chosen.map((route) => pathOf(route, mtus)));
  return overlayMtu(all.filter(leadsSomewhere).map(({ mtu = 1500 }) => ({ mtu, family: 'inet' })));
}

/** Where both families lead to the peers, the data plane prefers IPv4; all routers must come to the same MTU. */
function preferred(ways: readonly FamilyRoute[]): readonly FamilyRoute[] {
  const four = ways.filter(({ family }) => family === 'inet');
  return four.length > 0 ? four : ways;
}

type FamilyRoute = Route & { readonly family: Family };

async function routeTo(address: string): Promise<FamilyRoute[]> {
  const family = address.includes(':') ? 'inet6' : 'inet';
  return (await routes(['route', 'get', address])).map((route) => ({ ...route, family }));
}

/** IPv6 counts only on a host that has no IPv4 way out: there the outer header is larger. */
async function defaultRoutes(): Promise<FamilyRoute[]> {
  const four = await routes(['-4', 'route', 'show', 'default']);
  if (four.length > 0) return four.map((route) => ({ ...route, family: 'inet' }));
  const six = await routes(['-6', 'route', 'show', 'default']);
  return six.map((route) => ({ ...route, family: 'inet6' }));
}

function pathOf(
  { dev = '', metrics = [], family }: FamilyRoute,
  mtus: ReadonlyMap<string, number>,
): UnderlayPath {
  const onRoute = metrics.flatMap(({ mtu }) => (mtu === undefined ? [] : [mtu]));
  return { mtu: Math.min(mtus.get(dev) ?? 1500, ...onRoute), family };
}

const LOCAL_KINDS = ['bridge', 'tun', 'dummy', 'ifb', 'vxlan', 'wireguard'];

/** Up, and neither part of a bridge nor a device that ends on this host. */
function leadsSomewhere(link: Link): boolean {
  const { flags = [], master, linkinfo } = link;
  return (
    flags.includes('UP') &&
    !flags.includes('LOOPBACK') &&
    master === undefined &&
    !isWeftLink(link) &&
    !LOCAL_KINDS.includes(linkinfo?.info_kind ?? '')
  );
}
