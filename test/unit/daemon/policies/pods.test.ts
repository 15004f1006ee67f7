import { expect, test } from 'vitest';
import { Pods } from '../../../../src/daemon/policies/pods.js';
import type { Endpoint } from '../../../../src/endpoints/index.js';
import type { PeerId } from '../../../../src/identity/index.js';

const endpoint = (mac: string, labels: Record<string, string> = {}): Endpoint => ({
  network: 7,
  mac,
  addresses: ['10.0.0.1'],
  peer: 'peer' as PeerId,
  labels,
});

const pods = (...all: readonly Endpoint[]) =>
  new Pods({ all: () => all, isHost: ({ mac }) => mac === '02:00:00:00:00:ff' });

test('a container is in the namespace that its label names, else in default', () => {
  const found = pods(endpoint('a'), endpoint('b', { 'io.kubernetes.pod.namespace': 'shop' })).all();
  expect(found.map(({ namespace }) => namespace)).toEqual(['default', 'shop']);
});

test('labels name ports of a container, and what is none is left out', () => {
  const labels = {
    'port.weft/http': '8080',
    'port.weft/dns': '53/UDP',
    'port.weft/none': 'x',
    'port.weft/icmp': '1/ICMP',
    app: '80',
  };
  expect(pods(endpoint('a', labels)).all()[0]?.namedPorts).toEqual([
    { name: 'http', protocol: 'TCP', port: 8080 },
    { name: 'dns', protocol: 'UDP', port: 53 },
  ]);
});

test('a host is no pod', () => {
  expect(pods(endpoint('02:00:00:00:00:ff')).all()).toEqual([]);
});
