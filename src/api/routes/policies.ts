import Type, { type Static } from 'typebox';
import type { App } from '../app.js';

const MAX_DOCUMENTS = 2_000;
/** Of all documents of one request. */
const MAX_BYTES = 16 * 1024 * 1024;
const Name = Type.String({ minLength: 1, maxLength: 255, description: 'NAME, or NAMESPACE/NAME' });

export const PolicyInfo = Type.Object({
  namespace: Type.String(),
  name: Type.String(),
  origin: Type.Union([Type.Literal('weft'), Type.Literal('kubernetes')], {
    description: 'who was told of it; those of Kubernetes hold on its nodes',
  }),
  pods: Type.String({ description: 'labels of the containers that it is about' }),
  directions: Type.Array(Type.Union([Type.Literal('ingress'), Type.Literal('egress')])),
  selected: Type.Integer({ description: 'containers that it is about, on all hosts' }),
  object: Type.Unknown({ description: 'as it was applied' }),
});
export type PolicyInfo = Static<typeof PolicyInfo>;

export const PolicyList = Type.Object({
  policies: Type.Array(PolicyInfo),
  pending: Type.Boolean({ description: 'changes are about to be in force on this host' }),
  faults: Type.Array(Type.String(), {
    description: 'why they are not enforced on this host; empty when they are',
  }),
  denied: Type.Object(
    {
      ingress: Type.Integer(),
      egress: Type.Integer(),
      source: Type.Integer({ description: 'from an address that their sender was not given' }),
    },
    { description: 'packets on this host since its rules were made' },
  ),
});
export type PolicyList = Static<typeof PolicyList>;

export const PolicyDenial = Type.Object({
  reason: Type.Union([Type.Literal('ingress'), Type.Literal('egress'), Type.Literal('source')]),
  pod: Type.String({ description: 'the container that was not to be sent this, or not to send it' }),
  source: Type.String(),
  destination: Type.String(),
  protocol: Type.String({ description: 'such as TCP, ICMP, or a number' }),
  port: Type.Union([Type.Integer(), Type.Null()], { description: 'of the destination' }),
  packets: Type.Integer(),
  ago: Type.Number({ description: 'time since the last of them, s' }),
  policies: Type.Array(Type.String(), {
    description: 'those that select the container, none of which allows this',
  }),
});
export type PolicyDenial = Static<typeof PolicyDenial>;

export const PolicyDenials = Type.Object({ denials: Type.Array(PolicyDenial) });
export type PolicyDenials = Static<typeof PolicyDenials>;

export const PolicyApplyRequest = Type.Object({
  documents: Type.Array(
    Type.Object({
      where: Type.String({ maxLength: 4_096, description: 'names the document in sentences about mistakes' }),
      object: Type.Unknown({ description: 'a NetworkPolicy of networking.k8s.io/v1' }),
    }),
    { minItems: 1, maxItems: MAX_DOCUMENTS },
  ),
});
export type PolicyApplyRequest = Static<typeof PolicyApplyRequest>;

export const PolicyRemoveRequest = Type.Object({
  names: Type.Array(Name, { minItems: 1, maxItems: MAX_DOCUMENTS }),
});
export type PolicyRemoveRequest = Static<typeof PolicyRemoveRequest>;

export const PolicyQuestion = Type.Object({
  source: Type.String({ minLength: 1, description: 'name of a container, NAMESPACE/NAME, or an address' }),
  destination: Type.String({ minLength: 1, description: 'as source' }),
  port: Type.String({ pattern: '^[1-9]\\d{0,4}$', description: 'of the destination' }),
  protocol: Type.Optional(Type.Union([Type.Literal('TCP'), Type.Literal('UDP'), Type.Literal('SCTP')])),
});
export type PolicyQuestion = Static<typeof PolicyQuestion>;

export const PolicyAnswer = Type.Object({
  allowed: Type.Boolean(),
  source: Type.String(),
  destination: Type.String(),
  reasons: Type.Array(Type.String(), { description: 'a sentence for each end' }),
});
export type PolicyAnswer = Static<typeof PolicyAnswer>;

/** What the API needs to do with network policies. */
export interface PolicyControl {
  list(): Promise<PolicyList>;
  /** Resolves once they are in force on this host; the others follow. */
  apply(request: PolicyApplyRequest): Promise<PolicyList>;
  remove(request: PolicyRemoveRequest): Promise<PolicyList>;
  explain(question: PolicyQuestion): PolicyAnswer;
  denials(): Promise<PolicyDenials>;
}

/** Who may speak to whom. */
export function policiesRoutes(app: App, { policies }: { readonly policies: PolicyControl }): void {
  app.get(
    '/policies',
    { schema: { summary: 'network policies, which hold on all hosts', response: { 200: PolicyList } } },
    async () => policies.list(),
  );
  app.post(
    '/policies',
    {
      bodyLimit: MAX_BYTES,
      schema: {
        summary: 'apply network policies on all hosts',
        body: PolicyApplyRequest,
        response: { 200: PolicyList },
      },
    },
    async ({ body }) => policies.apply(body),
  );
  app.delete(
    '/policies',
    {
      schema: {
        summary: 'remove network policies from all hosts',
        body: PolicyRemoveRequest,
        response: { 200: PolicyList },
      },
    },
    async ({ body }) => policies.remove(body),
  );
  app.get(
    '/policies/explanation',
    {
      schema: {
        summary: 'whether a connection may begin, and which rule decides',
        querystring: PolicyQuestion,
        response: { 200: PolicyAnswer },
      },
    },
    async ({ query }) => policies.explain(query),
  );
  app.get(
    '/policies/denials',
    {
      schema: {
        summary: 'what this host has denied in the last ten minutes, and which policies are the reason',
        response: { 200: PolicyDenials },
      },
    },
    async () => policies.denials(),
  );
}
