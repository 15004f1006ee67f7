import { WeftError } from '../../errors.js';
import { printable } from '../../text/index.js';
import { fieldAt, flawFinder } from './flaw.js';
import { contains, merged, subnetInterval, without } from './interval.js';
import type { BlockPeer, Direction, NetworkPolicy, Peer, Port, Rule } from './policy.js';
import { type PeerObject, PolicyObject, type PortObject, type SelectorObject } from './schema.js';
import type { Requirement, Selector } from './selector.js';

/** Where objects belong that name no namespace. */
export const DEFAULT_NAMESPACE = 'default';

/**
 * Reads a NetworkPolicy with all that follows from what it leaves out. `where` names the document in sentences: `web.yaml`. Throws `bad-policy`, which says
 * of one field what it must be.
 */
export function parsePolicy(value: unknown, where: string): NetworkPolicy {
  const object = checked(value, where);
  const { metadata, spec } = object;
  const at = (path: string, flaw: string) => mistake(where, `${fieldAt(path)} ${flaw}`);
  const isAbout = (direction: Direction) => {
    const types = spec.policyTypes;
    if (types === undefined || types.length === 0)
      return direction === 'ingress' || (spec.egress ?? []).length > 0;
    return types.includes(direction === 'ingress' ? 'Ingress' : 'Egress');
  };
  const ingress = (spec.ingress ?? []).map(({ from, ports }, index) =>
    readRule({ peers: from, ports }, `/spec/ingress/${index}`, 'from', at),
  );
  const egress = (spec.egress ?? []).map(({ to, ports }, index) =>
    readRule({ peers: to, ports }, `/spec/egress/${index}`, 'to', at),
  );
  return {
    namespace: metadata.namespace ?? DEFAULT_NAMESPACE,
    name: metadata.name,
    pods: readSelector(spec.podSelector, '/spec/podSelector', at),
    rules: {
      ingress: isAbout('ingress') ? ingress : undefined,
      egress: isAbout('egress') ? egress : undefined,
    },
  };
}

/** The object without what does not belong to it, as it is passed on. Throws `bad-policy`. */
export function cleanPolicy(value: unknown, where: string): PolicyObject {
  parsePolicy(value, where);
  const { apiVersion, kind, metadata, spec } = checked(value, where);
  const { name, namespace = DEFAULT_NAMESPACE } = metadata;
  return { apiVersion, kind, metadata: { name, namespace }, spec };
}

const flawIn = flawFinder(PolicyObject);

function checked(value: unknown, where: string): PolicyObject {
  const flaw = flawIn(value);
  if (flaw !== undefined) throw mistake(where, flaw);
  return value as PolicyObject;
}

/** Makes the error about the field at a path. */
type At = (path: string, flaw: string) => WeftError;

function readRule(
  { peers, ports }: { peers?: readonly PeerObject[] | undefined; ports?: readonly PortObject[] | undefined },
  path: string,
  peersField: string,
  at: At,
): Rule {
  return {
    peers: nonEmpty(peers)?.map((peer, index) => readPeer(peer, `${path}/${peersField}/${index}`, at)),
    ports: nonEmpty(ports)?.map((port, index) => readPort(port, `${path}/ports/${index}`, at)),
  };
}

/** An empty list says as little as none. */
function nonEmpty<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

function readPeer({ podSelector, namespaceSelector, ipBlock }: PeerObject, path: string, at: At): Peer {
  if (ipBlock === undefined) {
    return {
      kind: 'pods',
      namespaces:
        namespaceSelector === undefined
          ? undefined
          : readSelector(namespaceSelector, `${path}/namespaceSelector`, at),
      pods: podSelector === undefined ? [] : readSelector(podSelector, `${path}/podSelector`, at),
    };
  }
  if (podSelector !== undefined || namespaceSelector !== undefined) {
    throw at(path, 'must have either ipBlock or selectors: give two peers instead');
  }
  return readBlock(ipBlock, `${path}/ipBlock`, at);
}

function readBlock(
  { cidr, except = [] }: NonNullable<PeerObject['ipBlock']>,
  path: string,
  at: At,
): BlockPeer {
  const whole = subnetInterval(cidr);
  if (whole === undefined) throw at(`${path}/cidr`, 'must be a subnet, such as 10.0.0.0/8 or fd00::/8');
  const parts = except.map((text, index) => {
    const part = subnetInterval(text);
    if (part !== undefined && contains(whole, part)) return part;
    throw at(`${path}/except/${index}`, `must be a subnet within ${cidr}`);
  });
  const text = except.length === 0 ? cidr : `${cidr} except ${except.join(', ')}`;
  return { kind: 'block', text, intervals: merged(without(whole, parts)) };
}

function readPort({ protocol = 'TCP', port, endPort }: PortObject, path: string, at: At): Port {
  if (typeof port !== 'number') {
    if (endPort !== undefined) throw at(`${path}/endPort`, 'must stand beside a port that is a number');
    return { protocol, port };
  }
  if (endPort !== undefined && endPort < port) throw at(`${path}/endPort`, `must not be below port ${port}`);
  return { protocol, port: { first: port, last: endPort ?? port } };
}

function readSelector(
  { matchLabels = {}, matchExpressions = [] }: SelectorObject,
  path: string,
  at: At,
): Selector {
  const labels = Object.entries(matchLabels).map(
    ([key, value]): Requirement => ({ key, operator: 'In', values: [value] }),
  );
  const expressions = matchExpressions.map(({ key, operator, values = [] }, index): Requirement => {
    const listed = operator === 'In' || operator === 'NotIn';
    if (listed === values.length > 0) return { key, operator, values };
    const flaw = listed ? `must name one value at least for ${operator}` : `must be left out for ${operator}`;
    throw at(`${path}/matchExpressions/${index}/values`, flaw);
  });
  return [...labels, ...expressions];
}

function mistake(where: string, flaw: string): WeftError {
  return new WeftError('bad-policy', printable(`${where}: ${flaw}`));
}
