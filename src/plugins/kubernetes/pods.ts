import ipaddr from 'ipaddr.js';
import Type, { type Static } from 'typebox';
import { WeftError } from '../../errors.js';
import { listOf, type Resource } from '../../kubernetes/index.js';
import type { Labels } from '../../labels.js';
import type { NamedPort } from '../../policy/index.js';
import { validator } from '../../validate.js';

/** Of all labels of one object, in characters of their JSON. */
const MOST_LABELS = 1 << 16;
/** Of one pod, named or not. */
const MOST_PORTS = 256;

/** What is kept of a Pod: who it is to policies. */
export interface ClusterPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Unix time in milliseconds. */
  readonly createdAt: number;
  readonly labels: Labels;
  /** IPv4 and IPv6, in canonical text; none before it has any. */
  readonly addresses: readonly string[];
  readonly namedPorts: readonly NamedPort[];
}

const LabelsObject = Type.Optional(Type.Union([Type.Null(), Type.Record(Type.String(), Type.String())]));
const Port = Type.Object({
  name: Type.Optional(Type.String()),
  containerPort: Type.Integer({ minimum: 0, maximum: 65_535 }),
  protocol: Type.Optional(Type.String()),
});
const Container = Type.Object({
  ports: listOf(Port),
  restartPolicy: Type.Optional(Type.String()),
});

const parse = validator(
  'kubernetes-failed',
  'what Kubernetes tells of a pod',
  Type.Object({
    metadata: Type.Object({
      name: Type.String(),
      namespace: Type.String(),
      uid: Type.String({ maxLength: 128 }),
      creationTimestamp: Type.Optional(Type.Union([Type.Null(), Type.String()])),
      labels: LabelsObject,
    }),
    spec: Type.Optional(
      Type.Object({
        hostNetwork: Type.Optional(Type.Boolean()),
        containers: listOf(Container),
        initContainers: listOf(Container),
      }),
    ),
    status: Type.Optional(
      Type.Object({
        phase: Type.Optional(Type.String()),
        podIP: Type.Optional(Type.String()),
        podIPs: listOf(Type.Object({ ip: Type.Optional(Type.String()) })),
      }),
    ),
  }),
);

const parseNamespace = validator(
  'kubernetes-failed',
  'what Kubernetes tells of a namespace',
  Type.Object({ metadata: Type.Object({ labels: LabelsObject }) }),
);

/** A pod that has ended keeps its address in the API until somebody deletes it, and one on the host's network has none of its own: neither counts. */
export const PODS: Resource<ClusterPod> = {
  path: '/api/v1/pods',
  name: 'pods',
  most: 200_000,
  read: (object) => {
    const { metadata, spec = {}, status = {} } = parse(object);
    if (spec.hostNetwork || status.phase === 'Succeeded' || status.phase === 'Failed') return undefined;
    const { namespace, name, uid, creationTimestamp, labels } = metadata;
    // A sidecar is an initial container that is always started again.
    const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
    return {
      ...{ namespace, name, uid },
      createdAt: Date.parse(creationTimestamp ?? '') || 0,
      labels: someLabels(labels),
      addresses: addressesOf(status.podIPs?.flatMap(({ ip }) => ip ?? []) ?? [status.podIP ?? '']),
      namedPorts: [...(spec.containers ?? []), ...sidecars].flatMap(namedPortsOf).slice(0, MOST_PORTS),
    };
  },
};

/** Their labels. That every namespace has its name as a label is known anyway. */
export const NAMESPACES: Resource<Labels> = {
  path: '/api/v1/namespaces',
  name: 'namespaces',
  most: 50_000,
  read: (object) => someLabels(parseNamespace(object).metadata.labels),
};

function someLabels(labels: Labels | null | undefined): Labels {
  if (labels === undefined || labels === null) return {};
  if (JSON.stringify(labels).length <= MOST_LABELS) return labels;
  throw new WeftError('kubernetes-failed', `its labels have more than ${MOST_LABELS} characters`);
}

function addressesOf(texts: readonly string[]): string[] {
  return texts.filter((text) => ipaddr.isValid(text)).map((text) => ipaddr.parse(text).toString());
}

function namedPortsOf({ ports }: Static<typeof Container>): NamedPort[] {
  return (ports ?? []).flatMap(({ name, containerPort: port, protocol = 'TCP' }) =>
    name !== undefined && (protocol === 'TCP' || protocol === 'UDP' || protocol === 'SCTP')
      ? [{ name, protocol, port }]
      : [],
  );
}
