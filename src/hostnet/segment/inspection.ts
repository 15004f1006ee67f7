import { link, type Namespace, parseCidr, routes } from '../kernel/index.js';

/** What somebody would see who looks at a container's interface from inside. */
export interface InspectedInterface {
  readonly mac: string | undefined;
  readonly mtu: number | undefined;
  readonly isUp: boolean;
  /** Those that were given to it, with prefix length. */
  readonly addresses: readonly string[];
  /** To where the container has a way, through whatever interface: subnets, in canonical text. */
  readonly destinations: readonly string[];
}

/** Looks at an interface of a namespace; undefined when it is not there. */
export async function inspectInterface(
  { path }: Namespace,
  inside: string,
): Promise<InspectedInterface | undefined> {
  const found = await link(inside, path);
  if (found === undefined) return undefined;
  const [ways4, ways6] = await Promise.all([
    routes(['-4', 'route', 'show'], path),
    routes(['-6', 'route', 'show'], path),
  ]);
  const { address, mtu, flags = [], addr_info = [] } = found;
  return {
    mac: address,
    mtu,
    isUp: flags.includes('UP'),
    addresses: addr_info.flatMap(({ local, prefixlen, scope }) =>
      local === undefined || scope === 'link' ? [] : [parseCidr(`${local}/${prefixlen}`).text],
    ),
    destinations: [
      ...ways4.flatMap(({ dst }) => (dst === undefined ? [] : [subnetText(dst, '0.0.0.0/0', 32)])),
      ...ways6.flatMap(({ dst }) => (dst === undefined ? [] : [subnetText(dst, '::/0', 128)])),
    ],
  };
}

/** `ip` writes `default`, and leaves the length of a single address out. */
function subnetText(destination: string, everything: string, length: number): string {
  if (destination === 'default') return everything;
  return destination.includes('/') ? destination : `${destination}/${length}`;
}
