import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { PolicyAnswer } from '../../../src/api/index.js';
import { until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { Agent } from '../../policies/agents.js';
import { CASES } from '../../policies/cases.js';
import { KUBERNETES_CASES } from '../../policies/kubernetes.js';
import { PODS } from '../../policies/pods.js';
import {
  agree,
  enforce,
  freshPort,
  listed,
  namesOf,
  outcome,
  PATIENCE,
  policyOf,
  policyWorld,
} from './world.js';

describe('policies', () => {
  const world = onLab(policyWorld);

  test('let packets pass as the table says', async () => {
    for (const { under, policies, probes } of [...CASES, ...KUBERNETES_CASES]) {
      await enforce(world(), policies);
      const found = await Promise.all(probes.map((probe) => outcome(world(), probe)));
      expect(found, `under ${under}`).toEqual(probes);
    }
    await enforce(world(), []);
  });

  test('let the answer to an allowed association of SCTP pass, and no association the other way', async () => {
    const { pods, associates } = world();
    await enforce(world(), [
      policyOf('first', {
        podSelector: { matchLabels: { app: 'db' } },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{ ports: [{ protocol: 'SCTP', port: 80 }] }],
      }),
    ]);
    const [[api], [db]] = [PODS.api.addresses, PODS.db.addresses];
    const port = freshPort();
    const there = { from: pods.api, to: pods.db, addresses: [api, db], ports: [port, 80] } as const;
    const back = { from: pods.db, to: pods.api, addresses: [db, api], ports: [80, port] } as const;
    expect(await associates('INIT', there, PATIENCE.answer)).toBe(true);
    expect(await associates('INIT ACK', back, PATIENCE.answer)).toBe(true);
    const other = { ...back, ports: [80, freshPort()] } as const;
    expect(await associates('INIT', other, PATIENCE.silence)).toBe(false);
  });

  test('hold for a connection that is there already, and let its replies pass', async () => {
    const { agents } = world();
    const [, denyIngress, denyEgress] = CASES;
    expect(await agents.web.keep('kept', PODS.api.addresses[0], 8080)).toBe(true);
    await enforce(world(), denyEgress?.policies.map(onlyAbout('api')) ?? []);
    expect(await agents.web.speaks('kept', PATIENCE.answer)).toBe(true);
    await enforce(world(), denyIngress?.policies.map(onlyAbout('api')) ?? []);
    expect(await agents.web.speaks('kept', PATIENCE.silence)).toBe(false);
    await enforce(world(), []);
    expect(await agents.web.speaks('kept', PATIENCE.answer)).toBe(true);
  });

  test('keep containers from nobody but each other: host, names and large datagrams pass', async () => {
    const { a, pods } = world();
    await enforce(world(), CASES[3]?.policies ?? []);
    await a.weft('expose', '10.32.0.1/24');
    await pods.web.reaches('10.32.0.1');
    expect(await a.ping(PODS.web.addresses[0])).toBe(true);
    expect(await pods.web.ping(PODS.db.addresses[0])).toBe(false);
    expect(await pods.mon.ping(PODS.shop.addresses[0], { size: 8_000 })).toBe(true);
    expect(await pods.mon.ping(PODS.shop.addresses[1], { size: 8_000 })).toBe(true);
    const { code } = await pods.web.attempt([
      'dig',
      '+time=2',
      '+tries=1',
      '@169.254.53.53',
      'db.weft.local',
    ]);
    expect(code).toBe(0);
    await a.weft('hide', '10.32.0.1/24');
  });

  test('pass large datagrams in both directions where they allow them', async () => {
    const { pods } = world();
    const everything = { podSelector: {}, policyTypes: ['Ingress', 'Egress'], ingress: [{}], egress: [{}] };
    await enforce(world(), [policyOf('open', everything)]);
    for (const address of PODS.api.addresses)
      expect(await pods.web.ping(address, { size: 20_000 })).toBe(true);
    await enforce(world(), []);
  });

  test('are not evaded by whoever sends from the address of another container', async () => {
    const { a, pods, agents } = world();
    const [[db], [api]] = [PODS.db.addresses, PODS.api.addresses];
    const from = [{ podSelector: { matchLabels: { app: 'api' } } }];
    await enforce(world(), [
      policyOf('db', { podSelector: { matchLabels: { app: 'db' } }, ingress: [{ from }] }),
    ]);
    const { ifname } = await pods.plain.device();
    await pods.plain.ip(`address add ${api}/32 dev lo`, `route add ${db}/32 dev ${ifname} src ${api}`);
    expect(await agents.plain.flood(db, 5353, 100)).toBeGreaterThan(0);
    await until('they were denied', async () => (await listed(a)).denied.source > 0);
    expect(await agents.db.received(5353)).not.toHaveProperty([`::ffff:${api}`]);
    await pods.plain.ip(`route del ${db}/32 dev ${ifname}`, `address del ${api}/32 dev lo`);
    await enforce(world(), []);
  });

  test('hold for a container before it is heard, and for one that is known by its labels at once', async () => {
    const { a, b, agents } = world();
    await enforce(world(), [
      policyOf('late', {
        podSelector: { matchLabels: { app: 'late' } },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{ from: [{ podSelector: { matchLabels: { app: 'late' } } }] }],
      }),
    ]);
    const [late, other] = [await a.container('late'), await b.container('other')];
    await late.attach('--label', 'app=late', '10.32.0.21/24');
    expect(await late.ping(PODS.db.addresses[0])).toBe(false);
    const listener = await Agent.start(late);
    expect(await agents.web.probe('10.32.0.21', 'TCP', 80, PATIENCE.silence)).toBe(false);
    await other.attach('--label', 'app=late', '10.32.0.22/24');
    await enforce(world(), [
      policyOf('late', {
        podSelector: { matchLabels: { app: 'late' } },
        ingress: [{ from: [{ podSelector: { matchLabels: { app: 'late' } } }] }],
      }),
    ]);
    const speaker = await Agent.start(other);
    expect(await speaker.probe('10.32.0.21', 'TCP', 80, PATIENCE.answer)).toBe(true);
    await Promise.all([listener.stop(), speaker.stop()]);
    await Promise.all([late.detach(), other.detach()]);
    await enforce(world(), []);
  });

  test('are applied from files, listed, explained and removed on any host', async () => {
    const { a, b, lab } = world();
    const directory = mkdtempSync(join(lab.directory, 'policies-'));
    writeFileSync(join(directory, 'all.yaml'), `${YAML('deny')}---\n${YAML('deny', 'shop')}`);
    writeFileSync(join(directory, 'README.md'), 'no policy');
    expect(await a.weft('policy', 'apply', '-f', directory)).toContain('shop/deny');
    await agree(a, b);
    expect(await b.weft('policy', 'ls')).toMatch(/default\/deny +all +ingress +4/);
    const explained = await b.weft('policy', 'explain', 'mon', 'shop/shop', '80');
    expect(explained).toContain('denied');
    expect(explained).toContain('shop/deny selects it for ingress, and none of its rules allows it');
    const answer = await a.weftJson<PolicyAnswer>('policy', 'explain', '192.0.2.7', 'mon', '53/udp');
    expect(answer).toMatchObject({ allowed: true, source: '192.0.2.7' });
    await b.weft('policy', 'rm', 'deny', 'shop/deny');
    await until('the other host has none', async () => namesOf(await listed(a)).length === 0);
    expect((await a.tryWeft('policy', 'rm', 'deny')).stderr).toContain('there is no policy default/deny');
    writeFileSync(join(directory, 'all.yaml'), YAML('deny').replace('podSelector', 'podselector'));
    expect((await a.tryWeft('policy', 'apply', '-f', directory)).stderr).toContain(
      'all.yaml: spec.podSelector is missing',
    );
    rmSync(directory, { recursive: true });
  });

  test('are enforced again after somebody flushed the rules, and from the disk after a crash', async () => {
    const { a, b, agents } = world();
    await enforce(world(), [policyOf('deny', { podSelector: {} })]);
    const isDenied = async () => !(await agents.api.probe(PODS.db.addresses[0], 'TCP', 80, PATIENCE.silence));
    expect(await isDenied()).toBe(true);
    await a.run(['nft', 'flush', 'ruleset']);
    await until('they are enforced again', isDenied, { within: 10_000 });
    await b.weft('stop');
    await a.crash();
    await a.launch();
    const found = await listed(a);
    expect(namesOf(found)).toEqual(['default/deny']);
    expect(await agents.web.probe(PODS.db.addresses[0], 'TCP', 80, PATIENCE.silence)).toBe(false);
  });
});

const onlyAbout = (app: string) => (policy: object) => {
  const { spec } = policy as { spec: object };
  return { ...policy, spec: { ...spec, podSelector: { matchLabels: { app } } } };
};

const YAML = (name: string, namespace = 'default') => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  podSelector: {}
`;
