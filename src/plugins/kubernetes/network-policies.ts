import Type from 'typebox';
import { messageOf } from '../../errors.js';
import { keyOf, type Resource } from '../../kubernetes/index.js';
import { cleanPolicy, type NetworkPolicy, type PolicyObject, parsePolicy } from '../../policy/index.js';
import { loggable } from '../../text/index.js';
import { validator } from '../../validate.js';

/** A NetworkPolicy of the cluster. */
export interface ClusterPolicy {
  /** As it is enforced. */
  readonly object: PolicyObject;
  readonly policy: NetworkPolicy;
  /** Why it is not enforced as it is in the API; it denies all to what it selects. */
  readonly flaw: string | undefined;
}

const parse = validator(
  'kubernetes-failed',
  'what Kubernetes tells of a network policy',
  Type.Object({
    metadata: Type.Object({ name: Type.String(), namespace: Type.String() }),
    spec: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  }),
);

/**
 * One with rules that cannot be understood, which a later version of Kubernetes may have, allows nothing: whoever wrote it wanted less to pass, not more.
 * One of which even the selector is not understood is left out.
 */
export const NETWORK_POLICIES: Resource<ClusterPolicy> = {
  path: '/apis/networking.k8s.io/v1/networkpolicies',
  name: 'networkpolicies.networking.k8s.io',
  most: 20_000,
  read: (object) => {
    const { metadata, spec = {} } = parse(object);
    const { name, namespace } = metadata;
    const whole = { podSelector: {}, ...withoutNulls(spec) };
    const made = (content: object) => ({
      ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
      ...{ metadata: { name, namespace }, spec: content },
    });
    const where = keyOf(object);
    try {
      return clusterPolicy(made(whole), where, undefined);
    } catch (error) {
      const { podSelector, policyTypes = ['Ingress', 'Egress'] } = whole as Readonly<Record<string, unknown>>;
      return clusterPolicy(made({ podSelector, policyTypes }), where, loggable(messageOf(error)));
    }
  },
};

/** Throws `bad-policy`. */
function clusterPolicy(object: unknown, where: string, flaw: string | undefined): ClusterPolicy {
  return { object: cleanPolicy(object, where), policy: parsePolicy(object, where), flaw };
}

/** What is null is as if it were not there. */
function withoutNulls(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}
