import { DIRECTIONS, type Direction, type NetworkPolicy, policyKey } from '../objects/index.js';
import { ChainMaker } from './chain-maker.js';
import type { Pod, Snapshot } from './model.js';
import { append, PodIndex } from './pod-index.js';
import type { Isolation, RuleSet } from './rule-set.js';

/**
 * What the interfaces of this host must let pass. Follows from the whole snapshot and from nothing else: in whichever order policies and pods came, the
 * result is the same.
 */
export function compile(snapshot: Snapshot): RuleSet {
  const index = new PodIndex(snapshot);
  const maker = new ChainMaker(index, snapshot.pods);
  const selecting = policiesOf(snapshot.policies, index);
  const interfaces = new Map<string, Isolation>();
  for (const pod of snapshot.pods) {
    const isolation = isolationOf(pod, selecting.get(pod) ?? [], maker);
    if (pod.interface !== undefined && Object.keys(isolation).length > 0)
      interfaces.set(pod.interface, isolation);
  }
  return {
    groups: maker.groups,
    sockets: maker.sockets,
    chains: maker.chains,
    sources: sourcesOf(snapshot.pods),
    interfaces,
  };
}

function sourcesOf(pods: readonly Pod[]): Map<string, readonly string[]> {
  return new Map(
    pods.flatMap(({ interface: port, addresses, sources }) =>
      port === undefined ? [] : [[port, [...new Set([...addresses, ...sources])]]],
    ),
  );
}

/** Of each pod of this host the policies that select it, in the order of their names. */
function policiesOf(policies: readonly NetworkPolicy[], index: PodIndex): Map<Pod, NetworkPolicy[]> {
  const selecting = new Map<Pod, NetworkPolicy[]>();
  const ordered = [...policies].sort((a, b) => (policyKey(a) < policyKey(b) ? -1 : 1));
  for (const policy of ordered) {
    for (const pod of index.inNamespace(policy.namespace, policy.pods)) {
      if (pod.interface !== undefined) append(selecting, pod, policy);
    }
  }
  return selecting;
}

function isolationOf(pod: Pod, selecting: readonly NetworkPolicy[], maker: ChainMaker): Isolation {
  const isolation: { [D in Direction]?: string } = {};
  for (const direction of DIRECTIONS) {
    const about = selecting.filter(({ rules }) => rules[direction] !== undefined);
    if (about.length > 0) isolation[direction] = maker.chainOf(pod, direction, about);
  }
  return isolation;
}
