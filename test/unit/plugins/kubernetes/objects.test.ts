import { describe, expect, test } from 'vitest';
import { NETWORK_POLICIES } from '../../../../src/plugins/kubernetes/network-policies.js';
import { NODES } from '../../../../src/plugins/kubernetes/nodes.js';
import { NAMESPACES, PODS } from '../../../../src/plugins/kubernetes/pods.js';
import { namespace, node, pod, policy } from '../../../kubernetes/shapes.js';

describe('of a Pod', () => {
  test('is kept who it is, its labels, addresses of both families, and ports with a name', () => {
    const ports = [
      { name: 'http', containerPort: 8080 },
      { name: 'dns', containerPort: 53, protocol: 'UDP' },
      { name: 'odd', containerPort: 1, protocol: 'ICMP' },
    ];
    const shape = pod({ name: 'web-0', labels: { app: 'web' }, addresses: ['10.32.0.7', 'FD32::7'], ports });
    expect(PODS.read(shape)).toEqual({
      namespace: 'default',
      name: 'web-0',
      uid: 'uid-default/web-0',
      createdAt: Date.parse('2026-11-30T08:00:00Z'),
      labels: { app: 'web' },
      addresses: ['10.32.0.7', 'fd32::7'],
      namedPorts: [
        { name: 'http', protocol: 'TCP', port: 8080 },
        { name: 'dns', protocol: 'UDP', port: 53 },
      ],
    });
  });

  test('nothing is kept that has ended, whose address may be another one’s, or that is on its host’s network', () => {
    for (const phase of ['Succeeded', 'Failed'])
      expect(PODS.read(pod({ name: 'job', phase }))).toBeUndefined();
    expect(PODS.read(pod({ name: 'proxy', hostNetwork: true }))).toBeUndefined();
    expect(PODS.read(pod({ name: 'new', phase: 'Pending' }))).toMatchObject({ addresses: [] });
  });

  test('ports of sidecars count, those of containers that only begin do not', () => {
    const shape = pod({ name: 'a' });
    const port = (name: string) => [{ name, containerPort: 1 }];
    const initContainers = [
      { name: 'once', ports: port('once') },
      { name: 'proxy', restartPolicy: 'Always', ports: port('always') },
    ];
    expect(PODS.read({ ...shape, spec: { initContainers } })?.namedPorts).toMatchObject([{ name: 'always' }]);
  });

  test.each([
    ['no uid', { metadata: { name: 'a', namespace: 'b' } }],
    ['labels that are no texts', { metadata: { name: 'a', namespace: 'b', uid: 'c', labels: { a: 1 } } }],
    ['labels without end', pod({ name: 'a', labels: { a: 'x'.repeat(1 << 17) } })],
    ['nothing at all', null],
  ])('that has %s something is wrong', (_, object) => {
    expect(() => PODS.read(object)).toThrow(/malformed|more than/);
  });
});

test('of a Node is kept where it is, its router, and whether pods may be started there', () => {
  const shape = node({ name: 'n1', address: '192.0.2.1', peer: '15a82f92fdccaaee' });
  expect(NODES.read(shape)).toEqual({
    name: 'n1',
    uid: 'uid-n1',
    addresses: ['192.0.2.1'],
    peer: '15a82f92fdccaaee',
    networkUnavailable: 'True',
  });
  expect(NODES.read(node({ name: 'n1', address: '192.0.2.1', peer: 'no router' }))?.peer).toBeUndefined();
});

test('of a Namespace its labels are kept', () => {
  const labels = { 'kubernetes.io/metadata.name': 'shop', team: 'x' };
  expect(NAMESPACES.read(namespace('shop', { team: 'x' }))).toEqual(labels);
});

describe('a NetworkPolicy', () => {
  const spec = { podSelector: { matchLabels: { app: 'db' } }, policyTypes: ['Ingress'], ingress: [{}] };

  test('is read as an API server gives it in lists: without a kind, with fields of others', () => {
    expect(NETWORK_POLICIES.read(policy('db', spec, 'shop'))).toMatchObject({
      policy: { namespace: 'shop', name: 'db', rules: { ingress: [{}], egress: undefined } },
      flaw: undefined,
    });
    expect(NETWORK_POLICIES.read(policy('db', { ...spec, egress: null }))?.flaw).toBeUndefined();
    expect(NETWORK_POLICIES.read(policy('all', { policyTypes: ['Egress'] }))).toMatchObject({
      policy: { pods: [], rules: { ingress: undefined, egress: [] } },
    });
  });

  test('with rules of a later Kubernetes denies what it selects in its directions, and says so', () => {
    const later = policy('db', { ...spec, ingress: [{ from: [{ meshSelector: {} }] }] });
    expect(NETWORK_POLICIES.read(later)).toMatchObject({
      policy: { rules: { ingress: [], egress: undefined } },
      flaw: expect.stringMatching(/default\/db: spec\.ingress\[0\]\.from\[0\]/),
    });
    const { policyTypes: _, ...rest } = spec;
    const both = policy('db', { ...rest, ingress: 'all' });
    expect(NETWORK_POLICIES.read(both)).toMatchObject({ policy: { rules: { ingress: [], egress: [] } } });
  });

  test('whose selector is not understood is left out, and says so', () => {
    const odd = policy('db', { ...spec, podSelector: { matchColours: ['red'] } });
    expect(() => NETWORK_POLICIES.read(odd)).toThrow(/default\/db: spec\.podSelector/);
  });
});
