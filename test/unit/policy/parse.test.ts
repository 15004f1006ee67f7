import { describe, expect, test } from 'vitest';
import { cleanPolicy, parsePolicy } from '../../../src/policy/index.js';

const object = (spec: unknown, more: object = {}) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'web' },
  spec,
  ...more,
});
const rule = (given: object) => ({ podSelector: {}, ingress: [given] });
const block = (cidr: string, ...except: string[]) => rule({ from: [{ ipBlock: { cidr, except } }] });

test('an object that names no namespace belongs to default', () => {
  expect(parsePolicy(object({ podSelector: {} }), 'web.yaml')).toMatchObject({
    namespace: 'default',
    name: 'web',
  });
});

test.each([
  ['nothing', {}, true, false],
  ['ingress rules', { ingress: [{}] }, true, false],
  ['egress rules', { egress: [{}] }, true, true],
  ['an empty list of egress rules', { egress: [] }, true, false],
  ['the type Egress', { policyTypes: ['Egress'] }, false, true],
  ['the type Ingress beside egress rules', { policyTypes: ['Ingress'], egress: [{}] }, true, false],
  ['an empty list of types', { policyTypes: [] }, true, false],
])('with %s it is about the directions that follow', (_, spec, ingress, egress) => {
  const { rules } = parsePolicy(object({ podSelector: {}, ...spec }), 'web.yaml');
  expect([rules.ingress !== undefined, rules.egress !== undefined]).toEqual([ingress, egress]);
});

describe('a mistake is told as one sentence about one field', () => {
  test.each([
    [null, 'the document must be an object with apiVersion, kind, metadata and spec'],
    [object({}), 'spec.podSelector is missing'],
    [object([]), 'spec must be an object with podSelector and rules'],
    [object({ podSelector: {} }, { kind: 'Pod' }), 'kind must be NetworkPolicy'],
    [object({ podSelector: {} }, { apiVersion: 'v1' }), 'apiVersion must be networking.k8s.io/v1'],
    [object({ podSelector: {} }, { metadata: {} }), 'metadata.name is missing'],
    [object({ podSelector: {} }, { metadata: { name: 'Web' } }), 'metadata.name must be a name of at most'],
    [
      object({ podSelector: {} }, { metadata: { name: 'a', namespace: 'a.b' } }),
      'metadata.namespace must be a name',
    ],
    [object({ podSelector: {}, ingres: [] }), 'spec.ingres is no field of a NetworkPolicy'],
    [object({ podSelector: {}, policyTypes: ['ingress'] }), 'spec.policyTypes[0] must be one of Ingress'],
    [object({ podSelector: { matchLabels: { app: 1 } } }), 'spec.podSelector.matchLabels.app must be a text'],
    [
      object({ podSelector: { matchExpressions: [{ key: 'a', operator: 'Is' }] } }),
      'matchExpressions[0].operator must be one of In, NotIn, Exists, DoesNotExist',
    ],
    [
      object({ podSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } }),
      'spec.podSelector.matchExpressions[0].values must name one value at least for In',
    ],
    [
      object({ podSelector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] } }),
      'values must be left out for Exists',
    ],
    [object(rule({ from: [{}] })), 'spec.ingress[0].from[0] must be an object with podSelector'],
    [object(rule({ to: [] })), 'spec.ingress[0].to is no field of a NetworkPolicy'],
    [object(rule({ ports: [{ port: '80' }] })), 'spec.ingress[0].ports[0].port must be a number from 1'],
    [object(rule({ ports: [{ port: 0 }] })), 'spec.ingress[0].ports[0].port must be a number from 1'],
    [object(rule({ ports: [{ protocol: 'tcp' }] })), 'ports[0].protocol must be one of TCP, UDP, SCTP'],
    [object(rule({ ports: [{ port: 80, endPort: 79 }] })), 'ports[0].endPort must not be below port 80'],
    [
      object(rule({ ports: [{ port: 'http', endPort: 79 }] })),
      'endPort must stand beside a port that is a number',
    ],
    [object(block('10/8')), 'from[0].ipBlock.cidr must be a subnet, such as'],
    [object(block('10.0.0.0')), 'from[0].ipBlock.cidr must be a subnet, such as'],
    [object(block('10.0.0.0/8', '11.0.0.0/9')), 'ipBlock.except[0] must be a subnet within 10.0.0.0/8'],
    [
      object(rule({ from: [{ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }] })),
      'from[0] must have either ipBlock or selectors',
    ],
  ])('%j', (written, sentence) => {
    expect(() => parsePolicy(written, 'web.yaml')).toThrow(
      expect.objectContaining({ code: 'bad-policy', message: expect.stringContaining(`web.yaml: `) }),
    );
    expect(() => parsePolicy(written, 'web.yaml')).toThrow(sentence);
  });
});

test('what others note about an object is not passed on', () => {
  const noted = object({ podSelector: {} }, { status: {}, metadata: { name: 'web', uid: '7', labels: {} } });
  expect(cleanPolicy(noted, 'web.yaml')).toEqual(
    object({ podSelector: {} }, { metadata: { name: 'web', namespace: 'default' } }),
  );
});
