import {
  type NamedPort,
  type Pod,
  type Protocol,
  parsePolicy,
  type Snapshot,
} from '../../src/policy/index.js';
import type { PolicyCase, Probe } from './cases.js';
import { PODS, type PodCase } from './pods.js';

/** A probe, read. */
export interface ProbeParts<Name extends string> {
  readonly source: Name;
  readonly destination: Name;
  readonly protocol: Protocol;
  readonly port: number;
  readonly isIpv6: boolean;
  readonly allowed: boolean;
}

export function partsOf<Name extends string>(probe: Probe<Name>): ProbeParts<Name> {
  const [, source, destination, protocol, port, family, verdict] =
    /^(\w+) > (\w+) (\w+)\/(\d+) (6 )?(yes|no)$/.exec(probe) ?? [];
  return {
    source: source as Name,
    destination: destination as Name,
    protocol: protocol as Protocol,
    port: Number(port),
    isIpv6: family !== undefined,
    allowed: verdict === 'yes',
  };
}

/** What the model is told of a case; every pod is on this host. */
export function snapshotOf({ policies, under }: PolicyCase): Snapshot {
  return {
    policies: policies.map((object) => parsePolicy(object, under)),
    pods: Object.entries<PodCase>(PODS).map(([name, pod]) => podOf(name, pod)),
    namespaces: new Map(),
  };
}

function podOf(name: string, { addresses, labels }: PodCase): Pod {
  return {
    name,
    namespace: labels['io.kubernetes.pod.namespace'] ?? 'default',
    labels,
    network: 0,
    addresses,
    namedPorts: namedPorts(labels),
    sources: [],
    interface: `veth-${name}`,
  };
}

function namedPorts(labels: PodCase['labels']): NamedPort[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    const [, name] = /^port\.weft\/(.*)$/.exec(key) ?? [];
    const [port, protocol = 'TCP'] = value.split('/');
    return name === undefined ? [] : [{ name, protocol: protocol as Protocol, port: Number(port) }];
  });
}
