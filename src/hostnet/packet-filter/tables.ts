import { HOST_ENDS } from '../segment/index.js';
import type { ExposedSubnet, HairpinPort } from './passage.js';

/**
 * Marks what a container sends to another one while the kernel hands bridged frames to the packet filter (br_netfilter). Answers pass the
 * packet filter then, too. A bit that Kubernetes, CNI's plugins and Docker leave alone.
 */
const BRIDGED = '0x1000000';

/**
 * A port in hairpin mode sends back to its container whatever goes to everybody, and what no port is known for: duplicate address detection
 * would find the container itself, and a bridge inside of it would learn its own machines at the wrong side.
 */
export function hairpinTable(table: string, ports: readonly HairpinPort[]): string {
  const same = ports.map(({ port }) => `"${port}" . "${port}"`);
  const own = ports.map(({ port, mac }) => `"${port}" . ${mac}`);
  return `table bridge ${table} {
    set same {
      type ifname . ifname
      elements = { ${same.join(', ')} }
    }
    set own {
      type ifname . ether_addr
      elements = { ${own.join(', ')} }
    }
    chain forward {
      type filter hook forward priority filter; policy accept;
      iifname . oifname @same iifname . ether daddr != @own drop
      iifname . oifname @same accept
      iifname "${HOST_ENDS}*" meta mark set meta mark | ${BRIDGED}
    }
  }`;
}

/** Our table: masquerading, and the networks kept apart that the host is on. */
export function tableOf(table: string, exposed: readonly ExposedSubnet[]): string {
  const bridges = [...new Set(exposed.map(({ bridge }) => bridge))];
  const apart = bridges.flatMap((bridge) =>
    bridges.filter((other) => other !== bridge).map((other) => `iifname "${bridge}" oifname "${other}" drop`),
  );
  const masquerades = exposed.filter(({ masquerade }) => masquerade).flatMap(masqueradeRules);
  return `table inet ${table} {
    chain forward {
      type filter hook forward priority filter; policy accept;
      ${apart.join('\n')}
    }
    chain postrouting {
      type nat hook postrouting priority srcnat; policy accept;
      ${masquerades.join('\n')}
    }
  }`;
}

/** Both ways: the outside has no way to the subnet, and its containers need have none to the outside but by the host. */
function masqueradeRules({ bridge, subnet }: ExposedSubnet): string[] {
  const [ip, multicast] = subnet.includes(':') ? ['ip6', 'ff00::/8'] : ['ip', '224.0.0.0/4'];
  return [
    `oifname != "${bridge}" ${ip} saddr ${subnet} ${ip} daddr != { ${subnet}, ${multicast} } masquerade`,
    `oifname "${bridge}" ${ip} daddr ${subnet} ${ip} saddr != ${subnet} masquerade`,
    // To a neighbour by an address that the host leads there (a published port, a service): the answer must come back this way. That of
    // what is bridged does so by itself, but for what a container sends to itself; so the neighbour sees who asks.
    `oifname "${bridge}" ${ip} daddr ${subnet} ${ip} saddr ${subnet} ct status dnat meta mark & ${BRIDGED} == 0 masquerade`,
  ];
}
