import Type, { type Static } from 'typebox';
import { DEFAULT_PORT, formatHostPort } from '../../../../net/index.js';
import { validator } from '../../../../validate.js';

/** More objects are not kept. */
export const MOST_OBJECTS = 2_000;
/** Of one object more targets are not kept: a slice has a hundred endpoints as a rule. */
const MOST_TARGETS = 1_000;

/** What is listed and watched, and which targets one of it is. */
export interface Resource {
  /** Of the list, in the API. */
  readonly path: string;
  /** What Kubernetes calls it where it says who may do what. */
  readonly name: string;
  /** Throws `source-failed`. */
  readonly targetsOf: (object: unknown) => string[];
}

const Node = Type.Object({
  status: Type.Optional(
    Type.Object({
      addresses: Type.Optional(Type.Array(Type.Object({ type: Type.String(), address: Type.String() }))),
    }),
  ),
});

/** The API leaves lists out or gives null when there is nothing in them. */
const listOf = <T extends Type.TSchema>(item: T) =>
  Type.Optional(Type.Union([Type.Null(), Type.Array(item)]));

const Slice = Type.Object({
  endpoints: listOf(Type.Object({ addresses: Type.Array(Type.String()) })),
  ports: listOf(Type.Object({ protocol: Type.Optional(Type.String()), port: Type.Optional(Type.Integer()) })),
});

const parseNode = validator('source-failed', 'what Kubernetes tells of a node', Node);
const parseSlice = validator('source-failed', 'what Kubernetes tells of a service', Slice);
const parseNamed = validator(
  'source-failed',
  'what Kubernetes tells',
  Type.Object({ metadata: Type.Object({ name: Type.String() }) }),
);

export const parseList = validator(
  'source-failed',
  'what Kubernetes lists',
  Type.Object({
    metadata: Type.Object({ resourceVersion: Type.String(), continue: Type.Optional(Type.String()) }),
    items: listOf(Type.Unknown()),
  }),
);

const Event = Type.Object({
  type: Type.String(),
  object: Type.Object({
    metadata: Type.Optional(Type.Object({ resourceVersion: Type.Optional(Type.String()) })),
    code: Type.Optional(Type.Integer()),
    message: Type.Optional(Type.String()),
  }),
});
export type Event = Static<typeof Event>;
export const parseEvent = validator('source-failed', 'what Kubernetes tells of changes', Event);

/** All nodes, ready or not: a router need not wait for what else runs there. */
export const NODES: Resource = {
  path: '/api/v1/nodes',
  name: 'nodes',
  targetsOf: (object) => {
    const { addresses = [] } = parseNode(object).status ?? {};
    return addresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address);
  },
};

/** All that stand behind a service, ready or not, at its first TCP port. */
export function endpointsOf(service: string, namespace: string): Resource {
  const chosen = encodeURIComponent(`kubernetes.io/service-name=${service}`);
  return {
    path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=${chosen}`,
    name: `endpointslices.discovery.k8s.io in the namespace ${namespace}`,
    targetsOf: (object) => {
      const { endpoints, ports } = parseSlice(object);
      const { port = DEFAULT_PORT } = ports?.find(({ protocol = 'TCP' }) => protocol === 'TCP') ?? {};
      return (endpoints ?? []).flatMap(({ addresses }) =>
        addresses.map((address) => formatHostPort({ host: address, port })),
      );
    },
  };
}

/** Puts an object in its place. Says whether there are other targets now, and whether there is room for more. */
export function keep(
  objects: Map<string, readonly string[]>,
  type: string,
  { targetsOf }: Resource,
  object: unknown,
): { isNews: boolean; isRoom: boolean } {
  const { name } = parseNamed(object).metadata;
  const before = objects.get(name) ?? [];
  const now = type === 'DELETED' ? [] : targetsOf(object).slice(0, MOST_TARGETS);
  const isNews = before.join() !== now.join();
  if (now.length === 0) objects.delete(name);
  else if (objects.has(name) || objects.size < MOST_OBJECTS) objects.set(name, now);
  return { isNews, isRoom: objects.size < MOST_OBJECTS };
}
