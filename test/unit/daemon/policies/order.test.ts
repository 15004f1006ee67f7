import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AllPolicies } from '../../../../src/daemon/policies/all-policies.js';
import { Pods } from '../../../../src/daemon/policies/pods.js';
import type { Endpoint } from '../../../../src/endpoints/index.js';
import type { PeerId } from '../../../../src/identity/index.js';
import { Contents } from '../../../../src/kubernetes/index.js';
import { NETWORK_POLICIES } from '../../../../src/plugins/kubernetes/network-policies.js';
import { NAMESPACES, PODS } from '../../../../src/plugins/kubernetes/pods.js';
import { compile, PolicyBook, type RuleSet } from '../../../../src/policy/index.js';
import type { ApiObject } from '../../../kubernetes/api-server.js';
import { namespace, pod, policy } from '../../../kubernetes/shapes.js';

type Kind = 'pods' | 'namespaces' | 'policies';
interface Event {
  readonly kind: Kind;
  readonly type: 'put' | 'remove';
  readonly object: ApiObject;
}

const ADDRESSES = ['10.32.0.1', '10.32.0.2', '10.32.0.3'];
const peers = [
  { podSelector: { matchLabels: { app: 'a' } } },
  { namespaceSelector: { matchLabels: { team: 'x' } } },
  { ipBlock: { cidr: '10.0.0.0/8', except: ['10.32.0.2/32'] } },
];

const name = fc.constantFrom('n1', 'n2', 'n3');
const home = fc.constantFrom('default', 'shop');
const app = fc.constantFrom('a', 'b');
const anObject: fc.Arbitrary<Omit<Event, 'type'>> = fc.oneof(
  fc
    .record({
      name,
      namespace: home,
      labels: fc.record({ app }),
      addresses: fc.subarray(ADDRESSES, { minLength: 1, maxLength: 1 }),
      phase: fc.constantFrom('Running', 'Pending', 'Succeeded'),
      createdAt: fc.constantFrom('2026-11-30T08:00:00Z', '2026-11-30T08:00:01Z'),
    })
    .map((shape) => ({ kind: 'pods' as const, object: pod(shape) })),
  fc
    .record({ name: home, team: fc.constantFrom('x', 'y') })
    .map(({ name: of, team }) => ({ kind: 'namespaces' as const, object: namespace(of, { team }) })),
  fc
    .record({ name, namespace: home, app, from: fc.subarray(peers), isOdd: fc.boolean() })
    .map(({ name: of, namespace: where, app: selected, from, isOdd }) => {
      const ports = isOdd ? [{ port: -1 }] : [{ port: 80 }];
      const spec = { podSelector: { matchLabels: { app: selected } }, ingress: [{ from, ports }] };
      return { kind: 'policies' as const, object: policy(of, spec, where) };
    }),
);
const events: fc.Arbitrary<Event[]> = fc.array(
  fc
    .tuple(anObject, fc.constantFrom('put', 'put', 'put', 'remove'))
    .map(([what, type]) => ({ ...what, type: type as Event['type'] })),
  { maxLength: 30 },
);

/** One interface on each address, of which nothing else is known, all on this host. */
const ENDPOINTS: Endpoint[] = ADDRESSES.map((address, index) => ({
  ...{ network: 0, mac: `02:00:00:00:00:0${index}`, addresses: [address] },
  ...{ peer: 'p'.repeat(16) as PeerId, labels: {} },
}));

function rulesAfter(happened: readonly Event[]): RuleSet {
  const pods = new Contents(PODS);
  const namespaces = new Contents(NAMESPACES);
  const policies = new Contents(NETWORK_POLICIES);
  const all = { pods, namespaces, policies };
  for (const { kind, type, object } of happened) {
    if (type === 'put') all[kind].put(object);
    else all[kind].remove(object);
  }
  const scheduler = {
    pods: pods.objects,
    namespaces: namespaces.objects,
    policies: [...policies.objects.values()],
  };
  const known = new AllPolicies(new PolicyBook(), scheduler);
  const seen = new Pods({ all: () => ENDPOINTS, isHost: () => false }, scheduler);
  const interfaces = ENDPOINTS.map(({ network, mac, addresses }) => ({
    network,
    mac,
    addresses,
    port: `port of ${mac}`,
  }));
  seen.follow({
    endpoints: () => interfaces.map((each) => ({ ...each, containers: [{ id: each.mac }] })) as never,
  });
  return compile({ policies: known.policies(), pods: seen.all(), namespaces: known.namespaces });
}

/** What is so in the end, without what happened on the way. */
function lastOf(happened: readonly Event[]): Event[] {
  const key = ({ kind, object: { metadata } }: Event) => `${kind} ${metadata.namespace} ${metadata.name}`;
  return [...new Map(happened.map((event) => [key(event), event])).values()];
}

test('whatever happened in whichever order, what is so now is enforced in the same way', () => {
  fc.assert(
    fc.property(events, fc.infiniteStream(fc.nat()), (happened, numbers) => {
      const last = lastOf(happened);
      const shuffled = last
        .map((event) => ({ event, at: numbers.next().value ?? 0 }))
        .sort((a, b) => a.at - b.at)
        .map(({ event }) => event);
      expect(rulesAfter(shuffled)).toEqual(rulesAfter(happened));
    }),
    { numRuns: 300 },
  );
});
