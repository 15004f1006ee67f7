import Type from 'typebox';
import { listOf, type Resource } from '../../../../kubernetes/index.js';
import { DEFAULT_PORT, formatHostPort } from '../../../../net/index.js';
import { validator } from '../../../../validate.js';

/** More objects are not kept. */
const MOST_OBJECTS = 2_000;
/** Of one object more targets are not kept: a slice has a hundred endpoints as a rule. */
const MOST_TARGETS = 1_000;

/** The targets that one object names. */
export type Targets = Resource<readonly string[]>;

const Node = Type.Object({
  status: Type.Optional(
    Type.Object({
      addresses: listOf(Type.Object({ type: Type.String(), address: Type.String() })),
    }),
  ),
});

const Slice = Type.Object({
  endpoints: listOf(Type.Object({ addresses: Type.Array(Type.String()) })),
  ports: listOf(Type.Object({ protocol: Type.Optional(Type.String()), port: Type.Optional(Type.Integer()) })),
});

const parseNode = validator('source-failed', 'what Kubernetes tells of a node', Node);
const parseSlice = validator('source-failed', 'what Kubernetes tells of a service', Slice);

/** All nodes, ready or not: a router need not wait for what else runs there. */
export const NODES: Targets = {
  path: '/api/v1/nodes',
  name: 'nodes',
  most: MOST_OBJECTS,
  read: (object) => {
    const { addresses } = parseNode(object).status ?? {};
    const internal = (addresses ?? []).filter(({ type }) => type === 'InternalIP');
    return some(internal.map(({ address }) => address));
  },
};

/** All that stand behind a service, ready or not, at its first TCP port. */
export function endpointsOf(service: string, namespace: string): Targets {
  const chosen = encodeURIComponent(`kubernetes.io/service-name=${service}`);
  return {
    path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=${chosen}`,
    name: `endpointslices.discovery.k8s.io in the namespace ${namespace}`,
    most: MOST_OBJECTS,
    read: (object) => {
      const { endpoints, ports } = parseSlice(object);
      const { port = DEFAULT_PORT } = ports?.find(({ protocol = 'TCP' }) => protocol === 'TCP') ?? {};
      return some(
        (endpoints ?? []).flatMap(({ addresses }) =>
          addresses.map((address) => formatHostPort({ host: address, port })),
        ),
      );
    },
  };
}

function some(targets: readonly string[]): readonly string[] | undefined {
  return targets.length === 0 ? undefined : targets.slice(0, MOST_TARGETS);
}
