/**
 * What the documentation of Kubernetes gives as examples (concepts, network policies), with labels and addresses of the pods here. Its defaults, to deny ingress,
 * egress or both, and to allow all ingress, are the first of the other cases.
 */
import { type PolicyCase, policy } from './cases.js';

const everyPod = { podSelector: {} };
const endPort = { protocol: 'TCP', port: 32_000, endPort: 32_768 };

export const KUBERNETES_CASES: readonly PolicyCase[] = [
  {
    under: 'the example of Kubernetes, with a block, a namespace and pods',
    policies: [
      policy('first', {
        podSelector: { matchLabels: { app: 'db' } },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [
          {
            from: [
              { ipBlock: { cidr: '10.32.0.0/24', except: ['10.32.0.12/30'] } },
              { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ops' } } },
              { podSelector: { matchLabels: { app: 'api' } } },
            ],
            ports: [{ protocol: 'TCP', port: 6379 }],
          },
        ],
        egress: [{ to: [{ ipBlock: { cidr: '10.32.0.16/28' } }], ports: [{ protocol: 'TCP', port: 5978 }] }],
      }),
    ],
    probes: [
      'web > db TCP/6379 yes',
      'shop > db TCP/6379 yes',
      'mon > db TCP/6379 yes',
      'api > db TCP/6379 yes',
      'api > db TCP/6379 6 yes',
      'plain > db TCP/6379 no',
      'web > db TCP/6379 6 no',
      'web > db TCP/80 no',
      'db > shop TCP/5978 yes',
      'db > shop TCP/80 no',
      'db > web TCP/5978 no',
      'web > api TCP/80 yes',
    ],
  },
  {
    under: 'its default-deny-egress and allow-all-egress together',
    policies: [
      policy('first', { ...everyPod, policyTypes: ['Egress'] }),
      policy('second', { ...everyPod, egress: [{}], policyTypes: ['Egress'] }),
    ],
    probes: ['web > db TCP/80 yes', 'web > mon SCTP/80 6 yes'],
  },
  {
    under: 'its multi-port-egress, a range of ports',
    policies: [
      policy('first', {
        podSelector: { matchLabels: { app: 'web' } },
        policyTypes: ['Egress'],
        egress: [{ to: [{ ipBlock: { cidr: '10.32.0.0/24' } }], ports: [endPort] }],
      }),
    ],
    probes: [
      'web > db TCP/32000 yes',
      'web > mon TCP/32768 yes',
      'web > db TCP/8080 no',
      'web > db UDP/32000 no',
      'web > db TCP/32000 6 no',
    ],
  },
  {
    under: 'its policy for several namespaces',
    policies: [
      policy('first', {
        podSelector: { matchLabels: { app: 'web' } },
        policyTypes: ['Egress'],
        egress: [
          {
            to: [
              {
                namespaceSelector: {
                  matchExpressions: [
                    { key: 'kubernetes.io/metadata.name', operator: 'In', values: ['ops', 'shop'] },
                  ],
                },
              },
            ],
          },
        ],
      }),
    ],
    probes: ['web > mon TCP/80 yes', 'web > shop UDP/53 6 yes', 'web > db TCP/80 no', 'shop > db TCP/80 yes'],
  },
];
