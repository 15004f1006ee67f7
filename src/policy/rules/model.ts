import type { Labels } from '../../labels.js';
import type { NetworkPolicy, Protocol } from '../objects/index.js';

/** A container's interface on one Ethernet segment: the smallest thing that policies tell apart. */
export interface Pod {
  readonly namespace: string;
  /** As people call it. */
  readonly name: string;
  readonly labels: Labels;
  /** Number of the segment. What is on another one is out of reach, and may have the same addresses. */
  readonly network: number;
  /** IPv4 and IPv6, in canonical text, without prefix length. */
  readonly addresses: readonly string[];
  readonly namedPorts: readonly NamedPort[];
  /** What else its interface may send from: floating addresses, and those of other interfaces of the container on this segment. */
  readonly sources: readonly string[];
  /** The host's end of the interface; undefined for a pod of another host. */
  readonly interface: string | undefined;
}

/** What a pod calls one of its ports. */
export interface NamedPort {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
}

/** Everything that decides what may pass. */
export interface Snapshot {
  readonly policies: readonly NetworkPolicy[];
  readonly pods: readonly Pod[];
  /** Labels of namespaces, by name; one that is not here has none but its name. */
  readonly namespaces: ReadonlyMap<string, Labels>;
}

/** The label by which policies select a namespace by its name; every namespace has it. */
export const NAMESPACE_NAME_LABEL = 'kubernetes.io/metadata.name';

export function namespaceLabels(namespaces: Snapshot['namespaces'], name: string): Labels {
  return { ...namespaces.get(name), [NAMESPACE_NAME_LABEL]: name };
}
