/** Where this host's routes lead. */
import ipaddr from 'ipaddr.js';
import { link, ownerOf, type Route, routesTo } from '../kernel/index.js';

/** Where packets for an address go: to this host itself, into an interface that a router of ours made, or out over another one. */
export interface Way {
  readonly to: 'host' | 'segment' | 'out';
  readonly device: string;
}

/** The ways to these IP addresses, as the kernel would take them now; none for those to which there is no route. `owner`: peer id of the router. */
export async function waysTo(addresses: readonly string[], owner: string): Promise<ReadonlyMap<string, Way>> {
  const found = await routesTo(addresses);
  const devices = new Set(found.flatMap(({ dev }) => dev ?? []));
  const segments = new Set<string>();
  for (const device of devices) {
    const own = await link(device);
    if (own !== undefined && ownerOf(own) === owner) segments.add(device);
  }
  return new Map(
    found.flatMap((route) => {
      const { dst, dev: device } = route;
      if (dst === undefined || device === undefined || !ipaddr.isValid(dst)) return [];
      return [[ipaddr.parse(dst).toString(), { to: leadsTo(route, segments), device }]];
    }),
  );
}

/** The addresses that packets of this host to these IP addresses come from; none for those to which there is no route. */
export async function sourcesTo(addresses: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = await routesTo(addresses);
  return new Map(
    found.flatMap(({ dst, prefsrc }) => (dst === undefined || prefsrc === undefined ? [] : [[dst, prefsrc]])),
  );
}

function leadsTo({ type, dev = '' }: Route, segments: ReadonlySet<string>): Way['to'] {
  if (type === 'local') return 'host';
  return segments.has(dev) ? 'segment' : 'out';
}
