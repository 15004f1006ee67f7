import Type from 'typebox';
import { validator } from '../../validate.js';

/** Why a packet was denied: a policy of whom it is for, or of whom it is from, or it is from an address that its sender was not given. */
export const DENIAL_REASONS = ['ingress', 'egress', 'source'] as const;
export type DenialReason = (typeof DENIAL_REASONS)[number];

export const DENIED_PROTOCOLS = ['tcp', 'udp', 'sctp', 'icmp', 'other'] as const;
export type DeniedProtocol = (typeof DENIED_PROTOCOLS)[number];

/** Packets that were denied since the table was made. */
export type Denied = Readonly<Record<DenialReason, Readonly<Record<DeniedProtocol, number>>>>;

/** Packets of one kind that were denied, the last of them a moment ago. */
export interface Denial {
  readonly reason: DenialReason;
  /** The port of the bridge whose container was not to be sent them, or not to send them. */
  readonly port: string;
  readonly source: string;
  readonly destination: string;
  /** As nft calls it: `tcp`, `ipv6-icmp`, or a number. */
  readonly protocol: string;
  /** Of the destination; undefined for a protocol without ports. */
  readonly destinationPort: number | undefined;
  readonly packets: number;
  /** Time since the last of them, in seconds. */
  readonly ago: number;
}

/** How many kinds of packets are remembered of each reason and family, and for how long after the last one, in seconds: whoever is denied chooses what they are. */
const REMEMBERED = 1_024;
const REMEMBERED_FOR = 600;

const FAMILIES = [
  { ip: 'ip', type: 'ipv4_addr', digit: 4 },
  { ip: 'ip6', type: 'ipv6_addr', digit: 6 },
] as const;
const WITH_PORTS: readonly string[] = ['tcp', 'udp', 'sctp'];

/**
 * What counts and remembers what is denied: counters, sets, and a chain for each reason. A set without room remembers nothing more: the rule does not match then, and
 * the packet is dropped by a later one. Of protocols without ports the first two bytes stand for a port, which are ICMP's type and code.
 */
export const DENIALS = DENIAL_REASONS.map((reason) => {
  const end = reason === 'ingress' ? 'oifname' : 'iifname';
  const kind = (ip: string) => `${end} . ${ip} saddr . ${ip} daddr . meta l4proto`;
  const ported = `{ ${WITH_PORTS.join(', ')} }`;
  return `${DENIED_PROTOCOLS.map((protocol) => `counter ${counterName(reason, protocol)} {}`).join('\n    ')}
    ${FAMILIES.map(
      ({ type, digit }) =>
        `set denied_${reason}${digit} { type ifname . ${type} . ${type} . inet_proto . inet_service; size ${REMEMBERED}; flags dynamic,timeout; timeout ${REMEMBERED_FOR}s; }`,
    ).join('\n    ')}
    chain deny_${reason} {
      ${FAMILIES.map(
        ({
          ip,
          digit,
        }) => `meta l4proto ${ported} update @denied_${reason}${digit} { ${kind(ip)} . th dport counter }
      meta l4proto != ${ported} update @denied_${reason}${digit} { ${kind(ip)} . th sport counter }`,
      ).join('\n      ')}
      counter name meta l4proto map { ${counted(reason)} }
      meta l4proto != { tcp, udp, sctp, icmp, ipv6-icmp } counter name ${counterName(reason, 'other')}
      drop
    }`;
}).join('\n    ');

/** Sets of what was denied for a reason. */
export function denialSets(reason: DenialReason): string[] {
  return FAMILIES.map(({ digit }) => `denied_${reason}${digit}`);
}

const parseCounters = validator(
  'nft-output',
  'the counters of nft',
  Type.Object({
    nftables: Type.Array(
      Type.Object({
        counter: Type.Optional(Type.Object({ name: Type.String(), packets: Type.Number() })),
      }),
    ),
  }),
);

/** What `nft --json list counters` printed. */
export function deniedOf(printed: string): Denied {
  const { nftables } = parseCounters(JSON.parse(printed));
  const counts = new Map(nftables.map(({ counter }) => [counter?.name, counter?.packets ?? 0]));
  return eachReason((reason) => eachProtocol((protocol) => counts.get(counterName(reason, protocol)) ?? 0));
}

/** Nothing was denied. */
export const NOTHING_DENIED: Denied = eachReason(() => eachProtocol(() => 0));

const parseSet = validator(
  'nft-output',
  'a set of nft',
  Type.Object({
    nftables: Type.Array(
      Type.Object({
        set: Type.Optional(
          Type.Object({
            elem: Type.Optional(
              Type.Array(
                Type.Object({
                  elem: Type.Object({
                    val: Type.Object({
                      concat: Type.Tuple([
                        Type.String(),
                        Type.String(),
                        Type.String(),
                        Type.Union([Type.String(), Type.Number()]),
                        Type.Union([Type.String(), Type.Number()]),
                      ]),
                    }),
                    expires: Type.Number(),
                    counter: Type.Object({ packets: Type.Number() }),
                  }),
                }),
              ),
            ),
          }),
        ),
      }),
    ),
  }),
);

/** What `nft --json list set` printed of a set of what was denied for this reason. */
export function denialsOf(reason: DenialReason, printed: string): Denial[] {
  const { nftables } = parseSet(JSON.parse(printed));
  return nftables.flatMap(({ set }) =>
    (set?.elem ?? []).map(({ elem: { val, expires, counter } }) => {
      const [port, source, destination, protocol, destinationPort] = val.concat;
      return {
        ...{ reason, port, source, destination, protocol: String(protocol) },
        destinationPort: WITH_PORTS.includes(String(protocol)) ? Number(destinationPort) : undefined,
        packets: counter.packets,
        ago: Math.max(0, REMEMBERED_FOR - expires),
      };
    }),
  );
}

function counted(reason: DenialReason): string {
  const plain = [...WITH_PORTS, 'icmp'].map((protocol) => `${protocol} : "denied_${reason}_${protocol}"`);
  return [...plain, `ipv6-icmp : "denied_${reason}_icmp"`].join(', ');
}

function counterName(reason: DenialReason, protocol: DeniedProtocol): string {
  return `denied_${reason}_${protocol}`;
}

function eachReason<T>(of: (reason: DenialReason) => T): Record<DenialReason, T> {
  return { ingress: of('ingress'), egress: of('egress'), source: of('source') };
}

function eachProtocol(of: (protocol: DeniedProtocol) => number): Record<DeniedProtocol, number> {
  return { tcp: of('tcp'), udp: of('udp'), sctp: of('sctp'), icmp: of('icmp'), other: of('other') };
}
