import Type, { type Static } from 'typebox';
import type { App } from '../app.js';

const Count = Type.Integer({ minimum: 0 });
const Time = Type.Integer({ minimum: 0, description: 'Unix time in milliseconds' });

export const KubernetesStatus = Type.Object({
  enabled: Type.Boolean({ description: '`weft launch --kubernetes`; all else is empty without' }),
  server: Type.Union([Type.String(), Type.Null()], { description: 'the API server' }),
  node: Type.Union([Type.String(), Type.Null()], { description: 'the Node that this router runs on' }),
  state: Type.Union([Type.Literal('waiting'), Type.Literal('working'), Type.Literal('failing')]),
  since: Time,
  listedAt: Type.Union([Time, Type.Null()], {
    description: 'when everything was listed last; null: not yet in this run',
  }),
  error: Type.Union([Type.String(), Type.Null()]),
  counts: Type.Object({ nodes: Count, namespaces: Count, pods: Count, policies: Count }),
  removed: Type.Array(Type.Object({ peer: Type.String(), node: Type.String() }), {
    description: 'routers whose Nodes are gone, and whose addresses are not taken over yet',
  }),
  faults: Type.Array(Type.String()),
});
export type KubernetesStatus = Static<typeof KubernetesStatus>;

/** What the API needs of the Kubernetes plugin. */
export interface KubernetesControl {
  status(): KubernetesStatus;
}

/** What the cluster's API server says. */
export function kubernetesRoute(app: App, { kubernetes }: { readonly kubernetes: KubernetesControl }): void {
  app.get(
    '/kubernetes',
    { schema: { summary: 'the API server of Kubernetes', response: { 200: KubernetesStatus } } },
    async () => kubernetes.status(),
  );
}
