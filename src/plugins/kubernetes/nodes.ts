import Type from 'typebox';
import { listOf, type Resource } from '../../kubernetes/index.js';
import { validator } from '../../validate.js';

/** Where each router notes, at the Node that it runs on, who it is. */
export const PEER_ANNOTATION = 'weft.network/peer';
/** What keeps pods from being started on a node as long as it is true. */
export const NETWORK_CONDITION = 'NetworkUnavailable';
const PEER = /^[0-9a-f]{16}$/;

/** What is kept of a Node. */
export interface ClusterNode {
  readonly name: string;
  readonly uid: string;
  /** Where its host is reached from within the cluster. */
  readonly addresses: readonly string[];
  /** The router that runs on it, as that one noted. */
  readonly peer: string | undefined;
  /** Of its condition `NetworkUnavailable`: `True`, `False` or `Unknown`; undefined: nobody set it. */
  readonly networkUnavailable: string | undefined;
}

const parse = validator(
  'kubernetes-failed',
  'what Kubernetes tells of a node',
  Type.Object({
    metadata: Type.Object({
      name: Type.String(),
      uid: Type.String({ maxLength: 128 }),
      annotations: Type.Optional(Type.Union([Type.Null(), Type.Record(Type.String(), Type.String())])),
    }),
    status: Type.Optional(
      Type.Object({
        addresses: listOf(Type.Object({ type: Type.String(), address: Type.String() })),
        conditions: listOf(Type.Object({ type: Type.String(), status: Type.String() })),
      }),
    ),
  }),
);

export const NODES: Resource<ClusterNode> = {
  path: '/api/v1/nodes',
  name: 'nodes',
  most: 10_000,
  read: (object) => {
    const { metadata, status = {} } = parse(object);
    const { [PEER_ANNOTATION]: peer = '' } = metadata.annotations ?? {};
    const internal = (status.addresses ?? []).filter(({ type }) => type === 'InternalIP');
    return {
      name: metadata.name,
      uid: metadata.uid,
      addresses: internal.slice(0, 16).map(({ address }) => address),
      peer: PEER.test(peer) ? peer : undefined,
      networkUnavailable: status.conditions?.find(({ type }) => type === NETWORK_CONDITION)?.status,
    };
  },
};
