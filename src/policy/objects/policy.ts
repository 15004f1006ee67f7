import type { Interval } from './interval.js';
import type { Selector } from './selector.js';

export const DIRECTIONS = ['ingress', 'egress'] as const;
/** Seen from the pod that a policy selects: what it is sent, or what it sends. */
export type Direction = (typeof DIRECTIONS)[number];

export const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** A NetworkPolicy with all defaults filled in. */
export interface NetworkPolicy {
  readonly namespace: string;
  readonly name: string;
  /** Pods of the namespace that it is about. */
  readonly pods: Selector;
  /** What these may do in a direction; undefined: the policy is not about that direction. */
  readonly rules: { readonly [D in Direction]: readonly Rule[] | undefined };
}

/** One thing that is allowed: these peers, at these ports. */
export interface Rule {
  /** Undefined: everybody. */
  readonly peers: readonly Peer[] | undefined;
  /** Of the destination. Undefined: all, of every protocol. */
  readonly ports: readonly Port[] | undefined;
}

export type Peer = PodPeer | BlockPeer;

/** Pods with these labels in namespaces with these. */
export interface PodPeer {
  readonly kind: 'pods';
  /** Undefined: those of the policy's own namespace. */
  readonly namespaces: Selector | undefined;
  readonly pods: Selector;
}

/** Addresses of a subnet, without those of others in it. */
export interface BlockPeer {
  readonly kind: 'block';
  /** As it was written: `10.0.0.0/8 except 10.1.0.0/16`. */
  readonly text: string;
  readonly intervals: readonly Interval[];
}

/** Of a protocol all ports, some, or that which the destination calls by a name. */
export interface Port {
  readonly protocol: Protocol;
  readonly port: PortRange | string | undefined;
}

/** Both ends belong to it. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** By which people and records call it. */
export function policyKey({ namespace, name }: Pick<NetworkPolicy, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}
