import { expect, test } from 'vitest';
import { contentsOf, EMPTY } from '../../../src/hostnet/policy-filter/contents.js';
import { denialsOf } from '../../../src/hostnet/policy-filter/denials.js';
import { difference } from '../../../src/hostnet/policy-filter/difference.js';
import { compile, type Pod, parsePolicy } from '../../../src/policy/index.js';

const pod = (name: string, address: string, more: Partial<Pod> = {}): Pod => ({
  name,
  namespace: 'default',
  labels: { app: name },
  network: 0,
  addresses: [address],
  namedPorts: [],
  sources: [],
  interface: undefined,
  ...more,
});
const db = pod('db', '10.0.0.1', { interface: 'veth-db' });

function contents(pods: readonly Pod[], ...ingress: object[]) {
  const policies = ingress.map((rule, index) =>
    parsePolicy(
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: `policy-${index}` },
        spec: { podSelector: { matchLabels: { app: 'db' } }, ingress: [rule] },
      },
      'a policy',
    ),
  );
  return contentsOf(compile({ policies, pods, namespaces: new Map() }), ['192.0.2.1']);
}

const fromApi = { from: [{ podSelector: { matchLabels: { app: 'api' } } }], ports: [{ port: 80 }] };
const FLUSHES = ['flush set bridge t judged4', 'flush set bridge t judged6'];

test('nothing is written where nothing differs', () => {
  expect(difference('t', contents([db], fromApi), contents([db], fromApi))).toEqual([]);
});

test('a pod that comes is an element of each set that it belongs to, and what was judged before is judged again', () => {
  const pods = [db, pod('api', '10.0.0.2')];
  const lines = difference('t', contents([db], fromApi), contents(pods, fromApi));
  expect(lines).toEqual([
    expect.stringMatching(/^add element bridge t group_[0-9a-f]{12}_4 \{ 10\.0\.0\.2 \}$/),
    ...FLUSHES,
  ]);
});

test('another policy is a new chain, to which the port moves before the old one goes', () => {
  const lines = difference('t', contents([db], fromApi), contents([db], { ports: [{ port: 443 }] }));
  const steps = lines.map((line) => line.split(' ').slice(0, 2).join(' '));
  expect(steps).toEqual([
    'add chain',
    'add rule',
    'add rule',
    'delete element',
    'add element',
    'flush chain',
    'delete chain',
    'delete set',
    'delete set',
    'flush set',
    'flush set',
  ]);
});

test('an interface may send from its own addresses', () => {
  expect(contents([pod('db', 'fd00::1', { interface: 'veth-db', sources: ['10.0.0.9'] })]).sets).toEqual(
    new Map([
      ['host4', new Set(['192.0.2.1'])],
      ['host6', new Set()],
      ['own4', new Set(['"veth-db" . 10.0.0.9'])],
      ['own6', new Set(['"veth-db" . fd00::1'])],
      ['ports', new Set(['"veth-db"'])],
    ]),
  );
});

test('ports of several entries are one set without overlaps', () => {
  const ports = [{ port: 80 }, { port: 100, endPort: 200 }, { port: 150, endPort: 250 }, { port: 251 }];
  const [rules = []] = contents([db], { ports }).chains.values();
  expect(rules).toEqual(['tcp dport { 80, 100-251 } return', 'goto deny_ingress']);
});

test('addresses of both families, blocks with exceptions, and protocols without ports are matched each', () => {
  const from = [
    { ipBlock: { cidr: '10.0.0.0/30', except: ['10.0.0.1/32'] } },
    { ipBlock: { cidr: 'fd00::/16' } },
  ];
  const [rules = []] = contents([db], { from, ports: [{ protocol: 'UDP' }] }).chains.values();
  expect(rules).toEqual([
    'ip saddr { 10.0.0.0, 10.0.0.2-10.0.0.3 } meta l4proto udp return',
    'ip6 saddr { fd00::-fd00:ffff:ffff:ffff:ffff:ffff:ffff:ffff } meta l4proto udp return',
    'goto deny_ingress',
  ]);
});

test('with the last policy everything goes that followed from any', () => {
  const lines = difference('t', contents([db], fromApi), { ...EMPTY, sets: contents([db]).sets });
  expect(lines.filter((line) => line.startsWith('add'))).toEqual([]);
  expect(lines.filter((line) => line.startsWith('delete'))).toHaveLength(4);
});

test('what was denied is read from what nft prints', () => {
  const element = (concat: unknown[], expires: number, packets: number) => ({
    elem: { val: { concat }, expires, counter: { packets, bytes: 84 } },
  });
  const elem = [
    element(['veth-db', '10.0.0.2', '10.0.0.1', 'tcp', 5432], 598, 3),
    element(['veth-db', '10.0.0.2', '10.0.0.1', 'icmp', 2048], 400, 1),
    element(['veth-db', '10.0.0.2', '10.0.0.1', 250, 7], 601, 2),
  ];
  const printed = JSON.stringify({ nftables: [{ metainfo: {} }, { set: { name: 'x', elem } }] });
  const common = {
    reason: 'egress',
    port: 'veth-db',
    source: '10.0.0.2',
    destination: '10.0.0.1',
  };
  expect(denialsOf('egress', printed)).toEqual([
    { ...common, protocol: 'tcp', destinationPort: 5432, packets: 3, ago: 2 },
    { ...common, protocol: 'icmp', destinationPort: undefined, packets: 1, ago: 200 },
    { ...common, protocol: '250', destinationPort: undefined, packets: 2, ago: 0 },
  ]);
  expect(denialsOf('egress', JSON.stringify({ nftables: [{ set: { name: 'x' } }] }))).toEqual([]);
});
