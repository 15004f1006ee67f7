import { expect, test } from 'vitest';
import { compile, type Pod, parsePolicy, type Snapshot } from '../../../src/policy/index.js';

const policy = (name: string, spec: object, namespace = 'default') =>
  parsePolicy(
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name, namespace },
      spec,
    },
    name,
  );

const pod = (name: string, more: Partial<Pod> = {}): Pod => ({
  name,
  namespace: 'default',
  labels: { app: name },
  network: 0,
  addresses: [`10.0.0.${name.length}`],
  namedPorts: [],
  sources: [],
  interface: `veth-${name}`,
  ...more,
});

const snapshot = (given: Partial<Snapshot>): Snapshot => ({
  policies: [],
  pods: [],
  namespaces: new Map(),
  ...given,
});

const fromApi = policy('from-api', {
  podSelector: { matchLabels: { app: 'db' } },
  ingress: [{ from: [{ podSelector: { matchLabels: { app: 'api' } } }], ports: [{ port: 5432 }] }],
});

test('a pod that comes or goes changes what is in a group, and nothing else', () => {
  const db = pod('db');
  const without = compile(snapshot({ policies: [fromApi], pods: [db] }));
  const api = pod('api', { interface: undefined, addresses: ['10.1.0.1', 'fd00::1'] });
  const withApi = compile(snapshot({ policies: [fromApi], pods: [db, api] }));
  expect(withApi.chains).toEqual(without.chains);
  expect(withApi.interfaces).toEqual(without.interfaces);
  expect([...without.groups.values()]).toEqual([new Set()]);
  expect([...withApi.groups]).toEqual([[[...without.groups.keys()][0], new Set(['10.1.0.1', 'fd00::1'])]]);
});

test('the order of policies and pods does not matter', () => {
  const policies = [fromApi, policy('open', { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] })];
  const pods = [pod('db'), pod('api'), pod('web12')];
  const forwards = compile(snapshot({ policies, pods }));
  const backwards = compile(snapshot({ policies: [...policies].reverse(), pods: [...pods].reverse() }));
  expect(backwards).toEqual(forwards);
});

test('pods under the same policies share a chain', () => {
  const { chains, interfaces } = compile(
    snapshot({ policies: [policy('deny', { podSelector: {} })], pods: [pod('a'), pod('ab'), pod('abc')] }),
  );
  expect(chains.size).toBe(1);
  expect(new Set([...interfaces.values()].map(({ ingress }) => ingress)).size).toBe(1);
});

test('a selector means pods of the same segment only, where others may have the same addresses', () => {
  const api = { labels: { app: 'api' }, interface: undefined };
  const { groups } = compile(
    snapshot({
      policies: [fromApi],
      pods: [
        pod('db', { network: 7 }),
        pod('x', { ...api, network: 7, addresses: ['10.0.0.9'] }),
        pod('y', { ...api, network: 0, addresses: ['10.0.0.8'] }),
      ],
    }),
  );
  expect([...groups.values()]).toEqual([new Set(['10.0.0.9'])]);
});

test('namespaces are selected by their labels, and each has one with its name', () => {
  const byLabel = (matchLabels: object) =>
    policy('by-label', { podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels } }] }] });
  const pods = [pod('db'), pod('x', { namespace: 'ops', interface: undefined, addresses: ['10.0.0.9'] })];
  const namespaces = new Map([['ops', { team: 'red' }]]);
  for (const labels of [{ team: 'red' }, { 'kubernetes.io/metadata.name': 'ops' }]) {
    const { groups } = compile(snapshot({ policies: [byLabel(labels)], pods, namespaces }));
    expect([...groups.values()]).toEqual([new Set(['10.0.0.9'])]);
  }
});

test('a pod of another host gets no rules here', () => {
  const pods = [pod('db', { interface: undefined })];
  expect(compile(snapshot({ policies: [fromApi], pods })).interfaces.size).toBe(0);
});

test('1,000 policies over 5,000 pods are compiled in less than a second of CPU time', () => {
  const apps = Array.from({ length: 500 }, (_, app) => `app${app}`);
  const pods = Array.from({ length: 5_000 }, (_, index) =>
    pod(`pod${index}`, {
      namespace: `ns${index % 20}`,
      labels: { app: apps[index % 500] ?? '', tier: `t${index % 3}` },
      addresses: [`10.${index >> 8}.${index & 255}.1`, `fd00::${index.toString(16)}`],
      interface: index % 50 === 0 ? `veth${index}` : undefined,
    }),
  );
  const policies = Array.from({ length: 1_000 }, (_, index) =>
    policy(
      `policy${index}`,
      {
        podSelector: index % 4 === 0 ? {} : { matchLabels: { app: apps[index % 500] } },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [
          {
            from: [
              { podSelector: { matchLabels: { tier: `t${index % 3}` } } },
              { namespaceSelector: {}, podSelector: { matchLabels: { app: apps[(index * 7) % 500] } } },
            ],
            ports: [{ port: 1 + (index % 100) }],
          },
        ],
        egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8', except: [`10.${index & 255}.0.0/16`] } }] }],
      },
      `ns${index % 20}`,
    ),
  );
  const before = process.cpuUsage();
  const rules = compile(snapshot({ policies, pods }));
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(1_000); // ms
  expect(rules.interfaces.size).toBeGreaterThan(0);
});
