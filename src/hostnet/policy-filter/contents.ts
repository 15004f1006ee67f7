/** What a rule set is in the words of nft: sets, chains, and which port of a bridge enters which chain. */
import {
  type Allowance,
  addressOf,
  type Chain,
  type Direction,
  type Interval,
  type PortMatch,
  type RuleSet,
  type Socket,
} from '../../policy/index.js';

/** What of the table follows from policies and from the host. Equal names have equal declarations and rules. */
export interface Contents {
  /** Elements, by the name of the set. */
  readonly sets: ReadonlyMap<string, ReadonlySet<string>>;
  /** Rules, by the name of the chain. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Chains, by the port. */
  readonly entries: { readonly [D in Direction]: ReadonlyMap<string, string> };
}

export const EMPTY: Contents = {
  sets: new Map(),
  chains: new Map(),
  entries: { ingress: new Map(), egress: new Map() },
};

/** Sets that the table has whatever the policies are. */
export const FIXED_SETS: readonly string[] = ['host4', 'host6', 'own4', 'own6', 'ports'];

const FAMILIES = [
  { ip: 'ip', family: 'ipv4', type: 'ipv4_addr', digit: 4 },
  { ip: 'ip6', family: 'ipv6', type: 'ipv6_addr', digit: 6 },
] as const;

/** `host`: addresses of the host itself. */
export function contentsOf(rules: RuleSet, host: readonly string[]): Contents {
  const groups = [...rules.groups].flatMap(([name, addresses]) => byFamily(`group_${name}_`, [...addresses]));
  const sockets = [...rules.sockets].flatMap(([name, found]) =>
    byFamily(`sockets_${name}_`, found.map(socketText)),
  );
  const own = [...rules.sources].flatMap(([port, addresses]) =>
    addresses.map((address) => `"${port}" . ${address}`),
  );
  const fixed: [string, Set<string>][] = [
    ...byFamily('host', host),
    ...byFamily('own', own),
    ['ports', new Set([...rules.sources.keys()].map((port) => `"${port}"`))],
  ];
  const entries = (direction: Direction) =>
    new Map(
      [...rules.interfaces].flatMap(([port, isolation]): [string, string][] => {
        const chain = isolation[direction];
        return chain === undefined ? [] : [[port, chainName(direction, chain)]];
      }),
    );
  return {
    sets: new Map([...fixed, ...groups, ...sockets]),
    chains: new Map(
      [...rules.chains].map(([name, chain]) => [chainName(chain.direction, name), rulesOf(chain)]),
    ),
    entries: { ingress: entries('ingress'), egress: entries('egress') },
  };
}

/** How nft is to make a set of ours, by its name. */
export function setType(name: string): string {
  const address = name.endsWith('4') ? 'ipv4_addr' : 'ipv6_addr';
  return name.startsWith('sockets_') ? `${address} . inet_proto . inet_service` : address;
}

function chainName(direction: Direction, name: string): string {
  return `${direction}_${name}`;
}

function byFamily(prefix: string, elements: readonly string[]): [name: string, elements: Set<string>][] {
  const isIpv6 = (element: string) => element.includes(':');
  return [
    [`${prefix}4`, new Set(elements.filter((element) => !isIpv6(element)))],
    [`${prefix}6`, new Set(elements.filter(isIpv6))],
  ];
}

function socketText({ address, protocol, port }: Socket): string {
  return `${address} . ${protocol.toLowerCase()} . ${port}`;
}

function rulesOf({ direction, allowances }: Chain): string[] {
  const end = direction === 'ingress' ? 'saddr' : 'daddr';
  return [...allowances.flatMap((allowance) => allowanceRules(allowance, end)), `goto deny_${direction}`];
}

function allowanceRules(allowance: Allowance, end: string): string[] {
  if (allowance.kind === 'sockets') {
    return FAMILIES.map(
      ({ ip, digit }) =>
        `${ip} daddr . meta l4proto . th dport @sockets_${allowance.sockets}_${digit} return`,
    );
  }
  return peerTexts(allowance, end).flatMap((peers) =>
    portTexts(allowance.ports).map((ports) => [peers, ports, 'return'].filter(Boolean).join(' ')),
  );
}

function peerTexts({ peers }: Extract<Allowance, { kind: 'peers' }>, end: string): string[] {
  switch (peers.kind) {
    case 'everybody':
      return [''];
    case 'group':
      return FAMILIES.map(({ ip, digit }) => `${ip} ${end} @group_${peers.group}_${digit}`);
    case 'blocks':
      return FAMILIES.flatMap(({ ip, family }) => {
        const own = peers.intervals.filter((interval) => interval.family === family);
        return own.length === 0 ? [] : [`${ip} ${end} { ${own.map(intervalText).join(', ')} }`];
      });
  }
}

function intervalText({ family, first, last }: Interval): string {
  return first === last ? addressOf(family, first) : `${addressOf(family, first)}-${addressOf(family, last)}`;
}

/** One text for each protocol; a single empty one where ports do not matter. */
function portTexts(ports: readonly PortMatch[] | undefined): string[] {
  if (ports === undefined) return [''];
  const protocols = [...new Set(ports.map(({ protocol }) => protocol))];
  return protocols.map((protocol) => {
    const own = ports.filter((match) => match.protocol === protocol);
    const ranges = own.flatMap(({ range }) => (range === undefined ? [] : [range]));
    const name = protocol.toLowerCase();
    if (ranges.length < own.length) return `meta l4proto ${name}`;
    return `${name} dport { ${joined(ranges).map(rangeText).join(', ')} }`;
  });
}

type Range = Readonly<{ first: number; last: number }>;

/** Without overlaps, which nft would refuse. */
function joined(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const last = result.at(-1);
    if (last === undefined || last.last + 1 < range.first) result.push(range);
    else result[result.length - 1] = { first: last.first, last: Math.max(last.last, range.last) };
  }
  return result;
}

function rangeText({ first, last }: Range): string {
  return first === last ? `${first}` : `${first}-${last}`;
}
