import ipaddr from 'ipaddr.js';

/** A container's interface: the MAC and the addresses that only its own ports may claim. */
export interface Holding {
  /** Number of the Ethernet segment. */
  readonly network: number;
  readonly mac: string;
  readonly addresses: readonly string[];
  /** The host's ends of the container's interfaces; none while it is on another host. */
  readonly ports: readonly string[];
}

/** What is the host's own on all its segments, so that no container's port may claim it. */
export interface Reserved {
  readonly macs: readonly string[];
  readonly addresses: readonly string[];
  /** The MAC of the server that tells those who ask it apart by their addresses. */
  readonly server: string;
}

/** Maximum number of refusals that are remembered of each kind, and for how long after the last one. */
const REMEMBERED = 256;
const REMEMBERED_FOR = '10m';
/**
 * MACs that nobody was given, as of machines in a bridge inside of a container: how many of them may appear at a port at once, how many in a second after
 * that, and on all ports while a bridge remembers them (300 s).
 */
const NEW_AT_ONCE = 1_000;
const NEW_PER_SECOND = 10;
const REMEMBERED_MACS = 65_536;
/** What can be claimed. */
export const KINDS = ['mac', 'ipv4', 'ipv6'] as const;
/** Sets of who was refused, and counters of how often. */
export const REFUSED = KINDS.map((kind) => `refused_${kind}`);
export const COUNTERS = [...REFUSED, 'refused_new'];

/**
 * A router's probe for loops (docs/protocol.md 2.8), by its EtherType and the magic number behind it. What a container sends in a circle is cut at its port
 * already, where the frames of others come in; so its port has no probes to pass, and the container no way to make a loop believed.
 */
const LOOP_PROBE = 'ether type 0x88b6 @ll,112,64 0x776566746c6f6f70';

/**
 * What routers ask each other by kernel paths (docs/protocol.md 2.11), by its EtherType and the magic number behind it. The forwarder has it before the bridge
 * does, so nobody else needs it; and a container that sent such frames would have other routers open them in vain.
 */
const KERNEL_PROBE = 'ether type 0x88b5 @ll,112,64 0x776566746b726e6c';

/** Broadcast or multicast: the first bit on the wire, the lowest of the first byte (IEEE 802.3, section 3.2.3). */
const TO_SEVERAL = '@ll,0,8 & 1 == 1';

/** `SET ELEMENT` of everything that a holding has in the sets. */
export function elements({ network, mac, addresses, ports }: Holding): string[] {
  const claims = [macClaim(mac), ...addresses.map(addressClaim)];
  const own = ports.flatMap((port) => [
    ...claims.map(([kind, value]) => `own_${kind} "${port}" . ${value}`),
    `ports "${port}" : jump network_${network}`,
  ]);
  return [...claims.map((claim) => given(network, claim)), ...own];
}

export type Claim = readonly [kind: (typeof KINDS)[number], value: string];

export function macClaim(mac: string): Claim {
  return ['mac', mac];
}

export function addressClaim(address: string): Claim {
  return address.includes(':') ? ['ipv6', hexOf(address)] : ['ipv4', address];
}

/** It was given to somebody on a network. */
export function given(network: number, [kind, value]: Claim): string {
  return `${kind}_${network} ${value}`;
}

/**
 * IPv6 addresses are compared as numbers, since what a neighbour advertisement is about has no name in older versions of nft. A port may claim what it was
 * given whatever else is so; else a claim is refused of what was given to anybody. Who is refused is remembered by a rule of its own: where there is no room
 * for more, the next one drops all the same. MACs that were given to nobody are refused where too many of them are new: each takes a place in the bridge's
 * table. Only what is for the server is judged by the sender of IP packets, too. By kernel paths goes what is for one station, and nothing else.
 *
 * What the kernel forwards by itself pays for each rule it meets: the ways of most packets come first.
 */
export function portTable(table: string, networks: readonly number[], server: string): string {
  const keys = {
    mac: 'ether saddr',
    ipv4: 'arp saddr ip',
    ipv6: '@nh,64,128',
    target: '@th,64,128',
    sender: 'ip saddr',
  };
  const sets = KINDS.flatMap((kind) => [
    `set own_${kind} { typeof iifname . ${keys[kind]}; }`,
    `set refused_${kind} { typeof iifname . ${keys[kind]}; size ${REMEMBERED}; flags dynamic,timeout; timeout ${REMEMBERED_FOR}; }`,
    `counter refused_${kind} {}`,
    ...networks.map((network) => `set ${kind}_${network} { typeof ${keys[kind]}; }`),
  ]);
  const refuse = (name: keyof typeof keys, kind: (typeof KINDS)[number]) => `
    chain refuse_${name} {
      update @refused_${kind} { iifname . ${keys[name]} }
      counter name refused_${kind} drop
    }`;
  const judge = (network: number) => `
    chain network_${network} {
      ${LOOP_PROBE} drop
      ${KERNEL_PROBE} drop
      iifname . ${keys.mac} != @own_mac ${keys.mac} @mac_${network} goto refuse_mac
      ether type arp iifname . ${keys.ipv4} != @own_ipv4 ${keys.ipv4} @ipv4_${network} goto refuse_ipv4
      icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect } iifname . ${keys.ipv6} != @own_ipv6 ${keys.ipv6} @ipv6_${network} goto refuse_ipv6
      icmpv6 type nd-neighbor-advert iifname . ${keys.target} != @own_ipv6 ${keys.target} @ipv6_${network} goto refuse_target
      ether daddr ${server} ether type ip iifname . ${keys.sender} != @own_ipv4 ${keys.sender} @ipv4_${network} goto refuse_sender
      ether daddr ${server} ether type ip6 iifname . ${keys.ipv6} != @own_ipv6 ${keys.ipv6} @ipv6_${network} goto refuse_ipv6
      iifname . ${keys.mac} @own_mac accept
      goto strangers
    }`;
  return `table bridge ${table} {
    ${sets.join('\n    ')}
    ${refuse('mac', 'mac')} ${refuse('ipv4', 'ipv4')} ${refuse('ipv6', 'ipv6')} ${refuse('target', 'ipv6')} ${refuse('sender', 'ipv4')}
    ${networks.map(judge).join('')}
    set strangers { typeof iifname . ether saddr; size ${REMEMBERED_MACS}; flags dynamic,timeout; timeout 5m; }
    set newcomers { typeof iifname; size ${REMEMBERED_MACS}; flags dynamic,timeout; timeout 5m; }
    counter refused_new {}
    chain strangers {
      iifname . ether saddr @strangers accept
      update @newcomers { iifname limit rate over ${NEW_PER_SECOND}/second burst ${NEW_AT_ONCE} packets } counter name refused_new drop
      update @strangers { iifname . ether saddr } accept
      counter name refused_new drop
    }
    map ports { type ifname : verdict; }
    chain kernel_path {
      ${TO_SEVERAL} drop
      ${KERNEL_PROBE} drop
      accept
    }
    chain prerouting {
      type filter hook prerouting priority dstnat; policy accept;
      meta iifkind "vxlan" goto kernel_path
      meta protocol ip iifname . ${keys.mac} @own_mac ether daddr != ${server} accept
      meta protocol ip6 meta l4proto != icmpv6 iifname . ${keys.mac} @own_mac ether daddr != ${server} accept
      meta iifkind "tun" accept
      iifname vmap @ports
    }
  }`;
}

function hexOf(address: string): string {
  return `0x${Buffer.from(ipaddr.parse(address).toByteArray()).toString('hex')}`;
}
