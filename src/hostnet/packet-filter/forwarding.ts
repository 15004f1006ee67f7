import { readdir } from 'node:fs/promises';
import { setSysctl, sysctl, sysctlNow } from '../kernel/index.js';
import type { ExposedSubnet } from './passage.js';

/** Lets the host forward. Where it has its own IPv6 way out from a router's advertisements, it goes on to take them. */
export async function forwardPackets(exposed: readonly ExposedSubnet[]): Promise<void> {
  for (const family of FAMILIES) {
    const subnets = exposed.filter((each) => each.masquerade && familyOf(each) === family);
    if (subnets.length === 0) continue;
    const everywhere = FORWARDING[family];
    if (family === 'ipv6' && (await sysctl(everywhere)) === '0') await keepRouterAdvertisements();
    for (const name of [everywhere, ...subnets.map(forwardingOf)]) await switchOn(name);
  }
}

async function keepRouterAdvertisements(): Promise<void> {
  for (const name of await readdir('/proc/sys/net/ipv6/conf').catch(() => [])) {
    const accept = `net/ipv6/conf/${name}/accept_ra`;
    if (name !== 'all' && (await sysctl(accept)) === '1') await setSysctl(accept, '2');
  }
}

/** The switches, in the writing of sysctl, of which somebody switched one off that what is masqueraded needs; one for all stands for those of bridges. */
export function forwardingFlaws(exposed: readonly ExposedSubnet[]): string[] {
  const isOff = (name: string) => sysctlNow(name) === '0';
  return FAMILIES.flatMap((family) => {
    const subnets = exposed.filter((each) => each.masquerade && familyOf(each) === family);
    if (subnets.length > 0 && isOff(FORWARDING[family])) return [FORWARDING[family]];
    return [...new Set(subnets.map(forwardingOf))].filter(isOff);
  }).map((name) => name.replaceAll('/', '.'));
}

const FAMILIES = ['ipv4', 'ipv6'] as const;
const FORWARDING = { ipv4: 'net/ipv4/ip_forward', ipv6: 'net/ipv6/conf/all/forwarding' };

function familyOf({ subnet }: ExposedSubnet): (typeof FAMILIES)[number] {
  return subnet.includes(':') ? 'ipv6' : 'ipv4';
}

function forwardingOf(subnet: ExposedSubnet): string {
  return `net/${familyOf(subnet)}/conf/${subnet.bridge}/forwarding`;
}

async function switchOn(name: string): Promise<void> {
  if ((await sysctl(name)) !== '1') await setSysctl(name, '1');
}
