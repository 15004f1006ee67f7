import type { Direction, Interval, PortRange, Protocol } from '../objects/index.js';

/**
 * What the interfaces of this host let pass, independent of who enforces it. A name follows from what it stands for: equal chains and groups have one name, and
 * what did not change has the name that it had.
 */
export interface RuleSet {
  /** Addresses, in canonical text, by the name of the group. */
  readonly groups: ReadonlyMap<string, ReadonlySet<string>>;
  /** What destinations call by a name, by the name of the group. */
  readonly sockets: ReadonlyMap<string, readonly Socket[]>;
  readonly chains: ReadonlyMap<string, Chain>;
  /** Addresses that an interface may send from, and no others, by the host's end of it. */
  readonly sources: ReadonlyMap<string, readonly string[]>;
  /** By the host's end of an interface: names of the chains that what passes it must be allowed by. */
  readonly interfaces: ReadonlyMap<string, Isolation>;
}

/** A direction without a chain is open. */
export type Isolation = { readonly [D in Direction]?: string };

/** A port of one address. */
export interface Socket {
  readonly address: string;
  readonly protocol: Protocol;
  readonly port: number;
}

/** What is allowed in one direction; all else is denied. */
export interface Chain {
  readonly direction: Direction;
  readonly allowances: readonly Allowance[];
}

export type Allowance = PeerAllowance | SocketAllowance;

/** These peers, at these ports of the destination; undefined: at all, with every protocol. */
export interface PeerAllowance {
  readonly kind: 'peers';
  readonly peers: Matcher;
  readonly ports: readonly PortMatch[] | undefined;
}

/** Destinations, each at ports of its own. */
export interface SocketAllowance {
  readonly kind: 'sockets';
  /** Name of the group. */
  readonly sockets: string;
}

export type Matcher =
  | { readonly kind: 'everybody' }
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'blocks'; readonly intervals: readonly Interval[] };

/** A range of ports of one protocol; undefined: all of that protocol. */
export interface PortMatch {
  readonly protocol: Protocol;
  readonly range: PortRange | undefined;
}
