import type { Labels } from '../../labels.js';
import type { NamedPort, NetworkPolicy, PolicyObject } from '../../policy/index.js';

/** A pod as a scheduler of containers knows it, which says more of it than its container's runtime does. */
export interface ScheduledPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Unix time in milliseconds. */
  readonly createdAt: number;
  readonly labels: Labels;
  /** In canonical text, without prefix length; none before it has any. */
  readonly addresses: readonly string[];
  readonly namedPorts: readonly NamedPort[];
}

/** A policy of the scheduler's own. */
export interface ScheduledPolicy {
  readonly object: PolicyObject;
  readonly policy: NetworkPolicy;
}

/** What a scheduler of containers adds to what the hosts say: its own policies, and what its pods and namespaces are. */
export interface Scheduler {
  readonly policies: readonly ScheduledPolicy[];
  readonly namespaces: ReadonlyMap<string, Labels>;
  /** Those that live, by `NAMESPACE/NAME`. */
  readonly pods: ReadonlyMap<string, ScheduledPod>;
}

/** Where there is none. */
export const NO_SCHEDULER: Scheduler = { policies: [], namespaces: new Map(), pods: new Map() };
