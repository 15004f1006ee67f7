import { DENIALS } from './denials.js';

/**
 * How many flows are remembered of each kind, and for how long after the last packet of whoever began them. Where there is no room, what begins a flow passes
 * if it is allowed, and its replies do not.
 */
const FLOWS = 131_072;
const REMEMBERED_FOR = '15m';
/** So often, at least, a flow is judged again, though no rule has changed. */
const JUDGED_FOR = '1m';
const FRAGMENTS = 16_384;
const FRAGMENTS_FOR = '30s';

/** With which a host finds its neighbours, and tells which groups it wants: policies are not about it. */
const HOUSEKEEPING = `icmpv6 type {
      nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect,
      mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report }`;

/** What tells somebody that a packet of his did not arrive. */
const ERRORS = {
  ip: 'icmp type { destination-unreachable, time-exceeded, parameter-problem }',
  ip6: 'icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem }',
};

const FAMILIES = [
  { ip: 'ip', type: 'ipv4_addr', digit: 4 },
  { ip: 'ip6', type: 'ipv6_addr', digit: 6 },
] as const;

/**
 * The table without what follows from policies: chains of theirs are entered by two maps, from the port of a bridge to the chain, which allows by `return`.
 *
 * Many kernels have no connection tracking for bridges, so the table does its own, and does it alike everywhere: who begins a flow is judged, and what goes
 * the other way passes for as long as the flow is alive (`replies`). What was judged is remembered (`judged`) until any rule changes, which makes a
 * policy hold for connections that are there already: the way of who began them is closed at once.
 *
 * A container sends from addresses that it was given and from no others (`genuine`), else whoever pretends to be another, or somebody of a block of addresses,
 * would be allowed what that one is. What comes out of the tunnel was judged by the router at whose port it came in.
 *
 * `server` is the MAC of the DNS server of the host, which is part of the host; the host and its own containers always reach each other. The host is what its
 * processes send: what it forwards for others with an address of its own has no socket here, and is judged.
 */
export function baseTable(table: string, server: string): string {
  const each = (text: (family: (typeof FAMILIES)[number]) => string) => FAMILIES.map(text).join('\n    ');
  const flow = (ip: string) => `${ip} saddr . ${ip} daddr . meta l4proto . th sport . th dport`;
  const reply = (ip: string) => `${ip} daddr . ${ip} saddr . meta l4proto . th dport . th sport`;
  const flows = 'meta l4proto { tcp, udp, sctp }';
  return `table bridge ${table} {
    ${DENIALS}
    ${each(
      ({ type, digit }) => `set host${digit} { type ${type}; }
    set own${digit} { type ifname . ${type}; }
    set replies${digit} { type ${type} . ${type} . inet_proto . inet_service . inet_service; size ${FLOWS}; flags dynamic,timeout; timeout ${REMEMBERED_FOR}; }
    set judged${digit} { type ${type} . ${type} . inet_proto . inet_service . inet_service; size ${FLOWS}; flags dynamic,timeout; timeout ${JUDGED_FOR}; }
    set pairs${digit} { type ${type} . ${type} . inet_proto; size ${FLOWS}; flags dynamic,timeout; timeout ${REMEMBERED_FOR}; }`,
    )}
    set ports { type ifname; }
    set fragments4 { typeof ip saddr . ip daddr . ip id; size ${FRAGMENTS}; flags dynamic,timeout; timeout ${FRAGMENTS_FOR}; }
    set fragments6 { typeof ip6 saddr . ip6 daddr . frag id; size ${FRAGMENTS}; flags dynamic,timeout; timeout ${FRAGMENTS_FOR}; }
    map ingress { type ifname : verdict; }
    map egress { type ifname : verdict; }
    chain genuine {
      iifname != @ports return
      ${each(({ ip, digit }) => `iifname . ${ip} saddr @own${digit} return`)}
      ip saddr 0.0.0.0 return
      ip6 saddr { ::, fe80::/10 } return
      goto deny_source
    }
    chain note_fragments {
      ip frag-off & 0x3fff == 0x2000 update @fragments4 { ip saddr . ip daddr . ip id }
      frag frag-off 0 update @fragments6 { ip6 saddr . ip6 daddr . frag id }
      accept
    }
    chain go_on {
      ${each(
        ({ ip, digit }) => `${flows} update @replies${digit} { ${reply(ip)} }
      meta l4proto != { tcp, udp, sctp } update @pairs${digit} { ${ip} daddr . ${ip} saddr . meta l4proto }`,
      )}
      goto note_fragments
    }
    chain allow {
      ${each(({ ip, digit }) => `${flows} add @judged${digit} { ${flow(ip)} }`)}
      goto go_on
    }
    chain known_flows {
      ${each(
        ({ ip, digit }) => `tcp flags & (syn | ack) != syn ${flow(ip)} @replies${digit} goto note_fragments
      meta l4proto { udp, sctp } ${flow(ip)} @replies${digit} goto note_fragments
      ${flow(ip)} @judged${digit} goto go_on`,
      )}
    }
    chain known {
      ${flows} goto known_flows
      ${HOUSEKEEPING} accept
      ip protocol igmp accept
      ${each(
        ({ ip, digit }) => `${ERRORS[ip]} accept
      meta l4proto != { icmp, ipv6-icmp } ${ip} saddr . ${ip} daddr . meta l4proto @pairs${digit} goto note_fragments`,
      )}
      icmp type { echo-reply, timestamp-reply } ip saddr . ip daddr . meta l4proto @pairs4 goto note_fragments
      icmpv6 type echo-reply ip6 saddr . ip6 daddr . meta l4proto @pairs6 goto note_fragments
    }
    chain later_fragments {
      ip frag-off & 0x1fff != 0 ip saddr . ip daddr . ip id @fragments4 accept
      frag frag-off != 0 ip6 saddr . ip6 daddr . frag id @fragments6 accept
    }
    chain forward {
      type filter hook forward priority filter; policy accept;
      meta protocol != { ip, ip6 } accept
      ether saddr ${server} accept
      ether daddr ${server} accept
      jump genuine
      jump known
      jump later_fragments
      iifname vmap @egress
      oifname vmap @ingress
      goto allow
    }
    chain input {
      type filter hook input priority filter; policy accept;
      meta protocol != { ip, ip6 } accept
      jump genuine
      meta pkttype != host accept
      ${each(({ ip, digit }) => `${ip} daddr @host${digit} goto go_on`)}
      jump known
      jump later_fragments
      iifname vmap @egress
      goto allow
    }
    chain output {
      type filter hook output priority filter; policy accept;
      meta protocol != { ip, ip6 } accept
      ${each(({ ip, digit }) => `${ip} saddr @host${digit} meta skuid >= 0 accept`)}
      jump known
      jump later_fragments
      oifname vmap @ingress
      goto allow
    }
  }`;
}
