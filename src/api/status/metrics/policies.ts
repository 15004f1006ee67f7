import type { Observation } from '../observation.js';
import { byLabel, counter, type Family, gauge } from './family.js';

const ofCluster =
  <T>(read: (status: Observation['kubernetes']) => T) =>
  ({ kubernetes }: Observation): T | null =>
    kubernetes.enabled ? read(kubernetes) : null;

/** Network policies and the cluster that says some of them. */
export const POLICIES: readonly Family[] = [
  {
    name: 'weft_policy_denied_packets_total',
    type: 'counter',
    help: 'Packets that network policies denied on this host: reason is the direction in which a container is isolated, or source for an address that the sender was not given; protocol is tcp, udp, sctp, icmp or other.',
    labels: ['reason', 'protocol'],
    samples: ({ denied }) =>
      Object.entries(denied ?? {}).flatMap(([reason, counts]) =>
        Object.entries(counts).map(([protocol, value]) => ({ value, labels: { reason, protocol } })),
      ),
  },
  gauge(
    'weft_policy_enforcement_seconds',
    'From when this host heard of the last change of policies or containers until it was in force.',
    ({ enforcement }) => (enforcement.count === 0 ? null : enforcement.last),
  ),
  counter(
    'weft_policy_enforcement_seconds_total',
    'The same of all changes together.',
    ({ enforcement }) => enforcement.total,
  ),
  counter(
    'weft_policy_enforcements_total',
    'How often changes of policies or containers were put in force; those that came together count once.',
    ({ enforcement }) => enforcement.count,
  ),
  gauge(
    'weft_kubernetes_up',
    'Whether the API server of Kubernetes answers: 1 or 0; left out where there is no cluster.',
    ofCluster(({ state }) => (state === 'working' ? 1 : 0)),
  ),
  {
    name: 'weft_kubernetes_objects',
    type: 'gauge',
    help: 'What is known of the cluster. Pods that have ended, or are on the network of their host, do not count.',
    labels: ['kind'],
    samples: ({ kubernetes: { enabled, counts } }) => (enabled ? byLabel('kind', counts) : []),
  },
  gauge(
    'weft_kubernetes_removed_nodes',
    'Nodes that are gone, and whose addresses are not taken over yet.',
    ofCluster(({ removed }) => removed.length),
  ),
];
