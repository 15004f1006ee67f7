import Type, { type Static, type TSchema } from 'typebox';

/** Nobody changes what is remembered. */
const list = <T extends TSchema>(item: T) => Type.Unsafe<readonly Static<T>[]>(Type.Array(item));

const Labels = Type.Record(Type.String(), Type.String());

/** What the API server of Kubernetes said last, as far as it is to hold while that one is away. */
export const KubernetesMemory = Type.Object({
  /** NetworkPolicy objects, which are checked again when they are used. */
  policies: list(
    Type.Object({
      apiVersion: Type.String(),
      kind: Type.String(),
      metadata: Type.Object({ name: Type.String(), namespace: Type.Optional(Type.String()) }),
      spec: Type.Record(Type.String(), Type.Unknown()),
    }),
  ),
  /** Labels, by the name of the namespace. */
  namespaces: Type.Record(Type.String(), Labels),
  pods: list(
    Type.Object({
      namespace: Type.String(),
      name: Type.String(),
      uid: Type.String(),
      createdAt: Type.Number(),
      labels: Labels,
      addresses: list(Type.String()),
      namedPorts: list(
        Type.Object({
          name: Type.String(),
          protocol: Type.Union([Type.Literal('TCP'), Type.Literal('UDP'), Type.Literal('SCTP')]),
          port: Type.Integer(),
        }),
      ),
    }),
  ),
  /** Routers that were noted at Nodes. */
  routers: list(Type.Object({ peer: Type.String({ pattern: '^[0-9a-f]{16}$' }), node: Type.String() })),
});
