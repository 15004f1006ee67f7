/** Policies, and who may speak to whom under them: one table for the model and for the kernel. */
import type { PodName } from './pods.js';

/** `web > db TCP/5432 yes`; with `6` behind the port, over IPv6; else over IPv4. */
export type Probe<Name extends string = PodName> =
  `${Name} > ${Name} ${'TCP' | 'UDP' | 'SCTP'}/${number} ${'' | '6 '}${'yes' | 'no'}`;

export interface PolicyCase {
  /** Ends the sentence "under …". */
  readonly under: string;
  readonly policies: readonly object[];
  readonly probes: readonly Probe[];
}

type Spec = Readonly<Record<string, unknown>>;

/** Those of all cases are named alike, so that one takes the place of another: that is a change less on two hosts. */
export function policy(name: 'first' | 'second', spec: Spec, namespace?: string): object {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: namespace === undefined ? { name } : { name, namespace },
    spec,
  };
}

const all = { podSelector: {} };
const app = (name: string) => ({ podSelector: { matchLabels: { app: name } } });
const inNamespace = (...names: string[]) => ({
  namespaceSelector: {
    matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: names }],
  },
});
const tcp = (port: number | string, more: Spec = {}) => ({ protocol: 'TCP', port, ...more });

export const CASES: readonly PolicyCase[] = [
  {
    under: 'no policy',
    policies: [],
    probes: [
      'web > db TCP/5432 yes',
      'db > api UDP/53 yes',
      'shop > web TCP/80 6 yes',
      'mon > plain SCTP/80 yes',
    ],
  },
  {
    under: 'default deny of ingress',
    policies: [policy('first', { ...all, policyTypes: ['Ingress'] })],
    probes: [
      'web > db TCP/5432 no',
      'web > api TCP/8080 no',
      'mon > web TCP/80 no',
      'mon > web UDP/53 6 no',
      'web > mon TCP/80 yes',
      'web > shop UDP/53 yes',
      'shop > mon TCP/443 6 yes',
      'shop > db SCTP/80 no',
    ],
  },
  {
    under: 'default deny of egress',
    policies: [policy('first', { ...all, policyTypes: ['Egress'] })],
    probes: [
      'web > db TCP/5432 no',
      'api > mon UDP/53 no',
      'plain > shop TCP/80 6 no',
      'mon > web TCP/80 yes',
      'shop > api UDP/5353 yes',
    ],
  },
  {
    under: 'default deny of both',
    policies: [policy('first', { ...all, policyTypes: ['Ingress', 'Egress'] })],
    probes: ['web > api TCP/80 no', 'web > mon TCP/80 no', 'mon > web TCP/80 no', 'mon > shop TCP/80 yes'],
  },
  {
    under: 'deny and allow all ingress together',
    policies: [
      policy('first', { ...all, policyTypes: ['Ingress'] }),
      policy('second', { ...all, ingress: [{}] }),
    ],
    probes: ['web > db TCP/5432 yes', 'mon > api UDP/53 yes', 'shop > plain TCP/443 6 yes'],
  },
  {
    under: 'a policy that names no types but has egress rules',
    policies: [policy('first', { ...app('web'), egress: [{ to: [app('api')] }] })],
    probes: [
      'web > api TCP/443 yes',
      'web > api UDP/53 6 yes',
      'web > db TCP/5432 no',
      'api > web TCP/80 no',
      'shop > db TCP/80 yes',
      'web > api SCTP/1 yes',
    ],
  },
  {
    under: 'ingress from pods of the same namespace by label',
    policies: [policy('first', { ...app('db'), ingress: [{ from: [app('api')], ports: [tcp(5432)] }] })],
    probes: [
      'api > db TCP/5432 yes',
      'api > db TCP/5432 6 yes',
      'api > db TCP/80 no',
      'api > db UDP/53 no',
      'web > db TCP/5432 no',
      'plain > db TCP/5432 6 no',
      'mon > db TCP/5432 no',
      'db > api TCP/80 yes',
      'api > db SCTP/5432 no',
    ],
  },
  {
    under: 'a pod selector that means the own namespace only',
    policies: [policy('first', { ...app('db'), ingress: [{ from: [app('web')] }] })],
    probes: ['web > db TCP/80 yes', 'web > db UDP/53 yes', 'shop > db TCP/80 no'],
  },
  {
    under: 'a namespace selector alone',
    policies: [policy('first', { ...app('db'), ingress: [{ from: [inNamespace('ops')] }] })],
    probes: ['mon > db TCP/5432 yes', 'shop > db TCP/5432 no', 'web > db TCP/5432 no'],
  },
  {
    under: 'namespace and pod selector in one peer',
    policies: [
      policy('first', {
        ...app('db'),
        ingress: [{ from: [{ ...inNamespace('shop', 'ops'), ...app('web') }] }],
      }),
    ],
    probes: ['shop > db TCP/80 yes', 'mon > db TCP/80 no', 'web > db TCP/80 no', 'shop > db UDP/53 6 yes'],
  },
  {
    under: 'namespace and pod selector in two peers',
    policies: [policy('first', { ...app('db'), ingress: [{ from: [inNamespace('ops'), app('web')] }] })],
    probes: ['shop > db TCP/80 no', 'mon > db TCP/80 yes', 'web > db TCP/80 yes', 'api > db TCP/80 no'],
  },
  {
    under: 'an empty namespace selector with a pod selector',
    policies: [
      policy('first', { ...app('api'), ingress: [{ from: [{ namespaceSelector: {}, ...app('web') }] }] }),
    ],
    probes: ['shop > api TCP/80 yes', 'web > api TCP/80 yes', 'mon > api TCP/80 no', 'db > api TCP/80 6 no'],
  },
  {
    under: 'a policy of another namespace',
    policies: [policy('first', { ...all, policyTypes: ['Ingress'] }, 'shop')],
    probes: ['web > shop TCP/80 no', 'mon > shop UDP/53 no', 'web > mon TCP/80 yes', 'shop > web TCP/80 yes'],
  },
  {
    under: 'expressions on labels',
    policies: [
      policy('first', {
        podSelector: {
          matchExpressions: [
            { key: 'tier', operator: 'Exists' },
            { key: 'app', operator: 'NotIn', values: ['api'] },
          ],
        },
        ingress: [
          { from: [{ podSelector: { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] } }] },
        ],
      }),
    ],
    probes: [
      'plain > web TCP/80 yes',
      'plain > db TCP/80 yes',
      'web > db TCP/80 no',
      'api > web TCP/80 no',
      'web > api TCP/80 yes',
      'web > plain TCP/80 yes',
    ],
  },
  {
    under: 'NotIn, which holds without the label, too',
    policies: [
      policy('first', {
        ...app('api'),
        ingress: [
          {
            from: [
              {
                podSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web', 'db'] }] },
              },
            ],
          },
        ],
      }),
    ],
    probes: ['plain > api TCP/80 yes', 'web > api TCP/80 no', 'db > api TCP/80 6 no'],
  },
  {
    under: 'a block with exceptions',
    policies: [
      policy('first', {
        ...app('db'),
        ingress: [
          {
            from: [{ ipBlock: { cidr: '10.32.0.0/24', except: ['10.32.0.14/31', '10.32.0.11/32'] } }],
            ports: [tcp(80)],
          },
        ],
      }),
    ],
    probes: [
      'plain > db TCP/80 yes',
      'shop > db TCP/80 yes',
      'api > db TCP/80 no',
      'mon > db TCP/80 no',
      'web > db TCP/80 no',
      'plain > db TCP/443 no',
      'plain > db TCP/80 6 no',
    ],
  },
  {
    under: 'blocks of both families that overlap',
    policies: [
      policy('first', {
        ...app('web'),
        policyTypes: ['Egress'],
        egress: [
          {
            to: [
              { ipBlock: { cidr: 'fd32::10/124', except: ['fd32::16/128'] } },
              { ipBlock: { cidr: 'fd32::12/127' } },
              { ipBlock: { cidr: '10.32.0.14/32' } },
            ],
          },
        ],
      }),
    ],
    probes: [
      'web > db TCP/80 6 yes',
      'web > shop TCP/80 6 no',
      'web > api UDP/53 yes',
      'web > db TCP/80 no',
      'api > web TCP/80 yes',
    ],
  },
  {
    under: 'a range of ports',
    policies: [
      policy('first', { ...app('api'), ingress: [{ ports: [tcp(8080, { endPort: 8081 }), tcp(443)] }] }),
    ],
    probes: [
      'web > api TCP/8080 yes',
      'web > api TCP/8081 6 yes',
      'mon > api TCP/443 yes',
      'web > api TCP/80 no',
      'web > api UDP/53 no',
    ],
  },
  {
    under: 'a protocol without a port',
    policies: [policy('first', { ...all, ingress: [{ ports: [{ protocol: 'UDP' }] }] })],
    probes: [
      'web > api UDP/53 yes',
      'web > api UDP/5353 6 yes',
      'web > api TCP/80 no',
      'web > api SCTP/53 no',
    ],
  },
  {
    under: 'SCTP alone',
    policies: [policy('first', { ...app('db'), ingress: [{ ports: [{ protocol: 'SCTP', port: 80 }] }] })],
    probes: ['web > db SCTP/80 yes', 'web > db SCTP/81 no', 'web > db TCP/80 no', 'web > db UDP/53 no'],
  },
  {
    under: 'a named port that each destination resolves',
    policies: [policy('first', { ...all, ingress: [{ ports: [tcp('http')] }] })],
    probes: [
      'db > web TCP/80 yes',
      'db > web TCP/8080 no',
      'db > api TCP/8080 yes',
      'db > api TCP/80 no',
      'web > db TCP/80 no',
    ],
  },
  {
    under: 'a named port of egress',
    policies: [
      policy('first', {
        ...app('db'),
        policyTypes: ['Egress'],
        egress: [{ to: [app('web'), app('api')], ports: [tcp('http')] }],
      }),
    ],
    probes: [
      'db > web TCP/80 yes',
      'db > web TCP/8080 no',
      'db > api TCP/8080 6 yes',
      'db > api TCP/80 no',
      'db > shop TCP/80 no',
    ],
  },
  {
    under: 'a named port of egress to everybody, beside a number',
    policies: [
      policy('first', {
        ...app('db'),
        policyTypes: ['Egress'],
        egress: [{ ports: [{ protocol: 'UDP', port: 'dns' }, tcp(443)] }],
      }),
    ],
    probes: [
      'db > api UDP/5353 yes',
      'db > api UDP/53 no',
      'db > web UDP/5353 no',
      'db > web TCP/443 yes',
      'db > mon TCP/80 no',
    ],
  },
  {
    under: 'policies of one pod, which add up',
    policies: [
      policy('first', { ...app('db'), ingress: [{ from: [app('web')], ports: [tcp(80)] }] }),
      policy('second', { ...app('db'), ingress: [{ from: [app('api')], ports: [tcp(5432)] }] }),
    ],
    probes: [
      'web > db TCP/80 yes',
      'web > db TCP/5432 no',
      'api > db TCP/5432 yes',
      'api > db TCP/80 no',
      'plain > db TCP/80 no',
    ],
  },
  {
    under: 'egress of one end and ingress of the other, which both must allow',
    policies: [
      policy('first', { ...app('web'), policyTypes: ['Egress'], egress: [{ to: [app('api'), app('db')] }] }),
      policy('second', { ...app('api'), ingress: [{ from: [app('db')] }] }),
    ],
    probes: [
      'web > db TCP/5432 yes',
      'web > api TCP/80 no',
      'db > api TCP/80 yes',
      'web > plain TCP/80 no',
      'api > web TCP/80 yes',
    ],
  },
  {
    under: 'rules of which the second allows',
    policies: [
      policy('first', {
        ...app('web'),
        ingress: [{ from: [app('db')] }, { from: [inNamespace('ops')], ports: [tcp(443), tcp(80)] }],
      }),
    ],
    probes: [
      'mon > web TCP/443 yes',
      'mon > web TCP/80 6 yes',
      'mon > web TCP/8080 no',
      'db > web UDP/53 yes',
      'shop > web TCP/443 no',
    ],
  },
  {
    under: 'an empty list of peers, which means everybody',
    policies: [policy('first', { ...app('web'), ingress: [{ from: [], ports: [tcp(80)] }] })],
    probes: ['shop > web TCP/80 yes', 'shop > web TCP/443 no'],
  },
];
