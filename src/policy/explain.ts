import {
  addressInterval,
  contains,
  type Direction,
  type NetworkPolicy,
  type Peer,
  type Port,
  type Protocol,
  policyKey,
  selects,
} from './objects/index.js';
import { namespaceLabels, type Pod, type Snapshot } from './rules/index.js';

/** One end of a connection: a pod, or an address of which nothing else is known. */
export interface End {
  readonly address: string;
  readonly pod: Pod | undefined;
}

/** What is asked about: somebody begins to speak to somebody else. */
export interface Question {
  readonly source: End;
  readonly destination: End;
  readonly protocol: Protocol;
  readonly port: number;
}

/** What one end's policies say. */
export interface Side {
  readonly direction: Direction;
  readonly allowed: boolean;
  /** Policies that select this end's pod for this direction; none: it is open. */
  readonly selectedBy: readonly string[];
  /** The first of them that allows it, with the number of its rule, counted from 0. */
  readonly allowedBy: { readonly policy: string; readonly rule: number } | undefined;
}

export interface Explanation {
  readonly allowed: boolean;
  /** What the source may send, and what the destination may be sent; none where policies have no say. */
  readonly sides: readonly Side[];
}

/** Which rules of which policies decide whether a connection may begin. */
export function explain(snapshot: Snapshot, question: Question): Explanation {
  const { source, destination } = question;
  if (source.pod !== undefined && isSamePod(source.pod, destination.pod)) return { allowed: true, sides: [] };
  const sides = [
    sideOf(snapshot, question, 'egress', source.pod, destination),
    sideOf(snapshot, question, 'ingress', destination.pod, source),
  ].filter((side) => side !== undefined);
  return { allowed: sides.every(({ allowed }) => allowed), sides };
}

function isSamePod(pod: Pod, other: Pod | undefined): boolean {
  return other !== undefined && pod.network === other.network && pod.addresses[0] === other.addresses[0];
}

/** Undefined for an end that is no pod. */
function sideOf(
  snapshot: Snapshot,
  question: Question,
  direction: Direction,
  pod: Pod | undefined,
  peer: End,
): Side | undefined {
  if (pod === undefined) return undefined;
  const selecting = selectingPolicies(snapshot.policies, pod, direction);
  const allowedBy = firstAllowing(selecting, snapshot, question, direction, peer);
  return {
    direction,
    allowed: selecting.length === 0 || allowedBy !== undefined,
    selectedBy: selecting.map(policyKey),
    allowedBy,
  };
}

/** Keys of the policies that select a pod for a direction: what none of them allows is denied. */
export function isolating(policies: readonly NetworkPolicy[], pod: Pod, direction: Direction): string[] {
  return selectingPolicies(policies, pod, direction).map(policyKey);
}

function selectingPolicies(
  policies: readonly NetworkPolicy[],
  { namespace: home, labels }: Pod,
  direction: Direction,
): NetworkPolicy[] {
  return policies
    .filter(
      ({ namespace, pods, rules }) =>
        namespace === home && rules[direction] !== undefined && selects(pods, labels),
    )
    .sort((a, b) => (policyKey(a) < policyKey(b) ? -1 : 1));
}

function firstAllowing(
  policies: readonly NetworkPolicy[],
  snapshot: Snapshot,
  { destination, protocol, port }: Question,
  direction: Direction,
  peer: End,
): Side['allowedBy'] {
  for (const policy of policies) {
    const rule = (policy.rules[direction] ?? []).findIndex(
      ({ peers, ports }) =>
        (peers?.some((each) => isMeant(each, policy, snapshot, peer)) ?? true) &&
        (ports?.some((each) => covers(each, protocol, port, destination.pod)) ?? true),
    );
    if (rule >= 0) return { policy: policyKey(policy), rule };
  }
  return undefined;
}

function isMeant(
  peer: Peer,
  { namespace: home }: NetworkPolicy,
  { namespaces }: Snapshot,
  { address, pod }: End,
): boolean {
  if (peer.kind === 'block')
    return peer.intervals.some((interval) => contains(interval, addressInterval(address)));
  if (pod === undefined) return false;
  const isThere =
    peer.namespaces === undefined
      ? pod.namespace === home
      : selects(peer.namespaces, namespaceLabels(namespaces, pod.namespace));
  return isThere && selects(peer.pods, pod.labels);
}

function covers(rule: Port, protocol: Protocol, port: number, destination: Pod | undefined): boolean {
  if (rule.protocol !== protocol) return false;
  if (rule.port === undefined) return true;
  if (typeof rule.port === 'object') return rule.port.first <= port && port <= rule.port.last;
  return (destination?.namedPorts ?? []).some(
    (named) => named.name === rule.port && named.protocol === protocol && named.port === port,
  );
}
