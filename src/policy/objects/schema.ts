/**
 * How a NetworkPolicy is written: `networking.k8s.io/v1`, as Kubernetes' API reference has it. What each field must be stands in its `description`, of which
 * sentences about mistakes are made. A field that is not known is one: a misspelt `ingress` would let everything pass.
 */
import Type, { type Static } from 'typebox';

const MAX_ITEMS = 256;
/** As RFC 1123 has it, but no longer than there is room for in the key of a record. */
const SUBDOMAIN = '^[a-z0-9]([-a-z0-9.]{0,178}[a-z0-9])?$';
const NAMESPACE = '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$';
/** Of RFC 6335: at most 15 characters, one letter at least. */
const SERVICE = '^(?=.*[a-z])[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$';
const LABEL_VALUE = '^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$';

const closed = { additionalProperties: false };
const labelValue = Type.String({
  pattern: LABEL_VALUE,
  description: 'a text of at most 63 letters, digits, dots, dashes and underscores (a number in quotes)',
});

function oneOf<T extends string>(...texts: T[]) {
  return Type.Enum(texts, { description: `one of ${texts.join(', ')}` });
}

function list<T extends Type.TSchema>(item: T, what: string) {
  return Type.Array(item, { maxItems: MAX_ITEMS, description: `a list of at most ${MAX_ITEMS} ${what}` });
}

const Expression = Type.Object(
  {
    key: Type.String({ minLength: 1, maxLength: 317, description: 'the key of a label' }),
    operator: oneOf('In', 'NotIn', 'Exists', 'DoesNotExist'),
    values: Type.Optional(list(labelValue, 'values of a label')),
  },
  { ...closed, description: 'an object with key, operator and values' },
);

const Selector = Type.Object(
  {
    matchLabels: Type.Optional(
      Type.Record(Type.String(), labelValue, {
        maxProperties: MAX_ITEMS,
        description: 'an object of labels, such as { app: web }',
      }),
    ),
    matchExpressions: Type.Optional(list(Expression, 'expressions')),
  },
  { ...closed, description: 'an object with matchLabels or matchExpressions; {} selects all' },
);

const Block = Type.Object(
  {
    cidr: Type.String({ description: 'a subnet, such as 10.0.0.0/8' }),
    except: Type.Optional(
      list(Type.String({ description: 'a subnet, such as 10.1.0.0/16' }), 'subnets within cidr'),
    ),
  },
  { ...closed, description: 'an object with cidr and except' },
);

const Peer = Type.Object(
  {
    podSelector: Type.Optional(Selector),
    namespaceSelector: Type.Optional(Selector),
    ipBlock: Type.Optional(Block),
  },
  { ...closed, minProperties: 1, description: 'an object with podSelector, namespaceSelector or ipBlock' },
);

const Port = Type.Object(
  {
    protocol: Type.Optional(oneOf('TCP', 'UDP', 'SCTP')),
    port: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1, maximum: 65_535 }), Type.String({ pattern: SERVICE })], {
        description: 'a number from 1 to 65535, or the name of a port',
      }),
    ),
    endPort: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65_535, description: 'a number from 1 to 65535' }),
    ),
  },
  { ...closed, description: 'an object with protocol, port and endPort' },
);

const ports = Type.Optional(list(Port, 'ports'));
const peers = Type.Optional(list(Peer, 'peers'));

const Spec = Type.Object(
  {
    podSelector: Selector,
    policyTypes: Type.Optional(list(oneOf('Ingress', 'Egress'), 'of Ingress and Egress')),
    ingress: Type.Optional(
      list(
        Type.Object(
          { from: peers, ports },
          { ...closed, description: 'a rule: an object with from and ports' },
        ),
        'rules',
      ),
    ),
    egress: Type.Optional(
      list(
        Type.Object({ to: peers, ports }, { ...closed, description: 'a rule: an object with to and ports' }),
        'rules',
      ),
    ),
  },
  { ...closed, description: 'an object with podSelector and rules' },
);

/** What others than weft note about the object (annotations, status) is let in and forgotten. */
export const PolicyObject = Type.Object(
  {
    apiVersion: Type.Literal('networking.k8s.io/v1', { description: 'networking.k8s.io/v1' }),
    kind: Type.Literal('NetworkPolicy', { description: 'NetworkPolicy' }),
    metadata: Type.Object(
      {
        name: Type.String({
          pattern: SUBDOMAIN,
          description: 'a name of at most 180 lower-case letters, digits, dots and dashes',
        }),
        namespace: Type.Optional(
          Type.String({
            pattern: NAMESPACE,
            description: 'a name of at most 63 lower-case letters, digits and dashes',
          }),
        ),
      },
      { description: 'an object with name and namespace' },
    ),
    spec: Spec,
  },
  { description: 'an object with apiVersion, kind, metadata and spec' },
);
export type PolicyObject = Static<typeof PolicyObject>;
export type SelectorObject = Static<typeof Selector>;
export type PeerObject = Static<typeof Peer>;
export type PortObject = Static<typeof Port>;
