import { type Link, links, routes } from './ip.js';
import { isWeftLink } from './ownership.js';

const MAX_ADDRESSES = 8;
/** Bridges that container platforms make: their addresses mean another host on every host. */
const PRIVATE_BRIDGES = /^(docker|br-[0-9a-f]{12}$|virbr|cni|podman|lxcbr|lxdbr)/;

/**
 * The addresses under which other hosts may reach this one: of global scope, not of weft's or a container platform's own
 * interfaces, those of the default route first, at most 8.
 */
export async function hostAddresses(): Promise<string[]> {
  const [all, defaults] = await Promise.all([links(), routes(['route', 'show', 'default'])]);
  const preferred = new Set(defaults.map(({ dev }) => dev));
  const outward = all.filter((link) => !isWeftLink(link) && !PRIVATE_BRIDGES.test(link.ifname));
  const ordered = [...outward].sort((a, b) => rank(a, preferred) - rank(b, preferred));
  return ordered.flatMap(globalAddresses).slice(0, MAX_ADDRESSES);
}

function rank({ ifname }: Link, preferred: ReadonlySet<string | undefined>): number {
  return preferred.has(ifname) ? 0 : 1;
}

function globalAddresses({ flags = [], addr_info = [] }: Link): string[] {
  if (!flags.includes('UP')) return [];
  return addr_info.flatMap(({ local, scope, temporary, deprecated }) =>
    local !== undefined && scope === 'global' && !temporary && !deprecated ? [local] : [],
  );
}

/** IPv4 routes of this host as `10.0.0.0/8` or `10.0.0.1`, but those through weft's own interfaces, among them the bridges of this name. */
export async function ipv4Routes(bridge: string): Promise<string[]> {
  const [all, found] = await Promise.all([links(), routes(['-4', 'route', 'show'])]);
  const own = new Set(all.filter(isWeftLink).map(({ ifname }) => ifname));
  return found.flatMap(({ dst, dev = '' }) =>
    dst === undefined || dst === 'default' || own.has(dev) || dev === bridge ? [] : [dst],
  );
}
