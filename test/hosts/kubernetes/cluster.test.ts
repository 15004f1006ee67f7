import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { ClusterMemory } from '../../../src/plugins/kubernetes/index.js';
import { conditionsOf, NAMESPACES, NODES, POLICIES } from '../../kubernetes/api-server.js';
import { namespace, policy } from '../../kubernetes/shapes.js';
import { until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { median } from '../../timing/machine.js';
import { Cluster, enforces, policiesOf, type RunningPod, statusOf } from './world.js';

/** How long is waited for an answer that must come, and for one that must not, ms. */
const PATIENCE = { answer: 8_000, silence: 300 };
const UDP = 5353;

const DB = { name: 'db', labels: { app: 'db' } };
const WEB = { name: 'web', labels: { app: 'web' } };

/** Both policies are, and which labels there are now. */
function isStored(text: string): boolean {
  const { policies, pods } = JSON.parse(text) as ClusterMemory;
  const { labels } = pods.find(({ name }) => name === WEB.name) ?? {};
  return policies.length === 2 && labels?.app === 'web' && labels.role === undefined;
}

describe('two nodes of a cluster', () => {
  const world = onLab(async (lab) => {
    const cluster = await Cluster.create(lab, 2);
    const [a, b] = cluster.hosts;
    if (a === undefined || b === undefined) throw new Error('no hosts');
    await cluster.launch();
    return { cluster, a, b };
  });
  let db: RunningPod;
  let web: RunningPod;

  afterAll(() => world().cluster.end());

  test('find each other by the API server alone, and say on their Nodes who they are and that pods have a network', async () => {
    const { a, b, cluster } = world();
    await a.isConnectedTo(b);
    for (const host of [a, b]) {
      const { peer } = (await host.report()).status;
      await until(`the Node of ${host.name} says so`, () => {
        const found = cluster.api.find(NODES, host.name);
        const network = found && conditionsOf(found).find(({ type }) => type === 'NetworkUnavailable');
        return network?.status === 'False' && found?.metadata.annotations?.['weft.network/peer'] === peer;
      });
    }
    expect(await a.weft('kubernetes', 'status')).toMatch(/answers since .*\n.*\n.*host2\n.* 2 nodes/);
  });

  test('enforce a policy before a pod is heard for the first time', async () => {
    const { a, b, cluster } = world();
    cluster.api.put(NAMESPACES, namespace('default'));
    db = await cluster.run(b, DB);
    web = await cluster.run(a, WEB);
    await until('they reach each other', () => web.agent.probe(db.address, 'UDP', UDP, PATIENCE.silence));
    cluster.api.put(
      POLICIES,
      policy('quiet', { podSelector: { matchLabels: { app: 'quiet' } }, policyTypes: ['Egress'] }),
    );
    await enforces(a, 1);
    let sent: Promise<number> | undefined;
    const quiet = await cluster.run(a, { name: 'quiet', labels: { app: 'quiet' } }, (agent) => {
      sent = agent.flood(db.address, UDP, 1_000);
    });
    console.log(
      `ADD took ${Math.round(quiet.seconds * 1000)} ms with the policy, ${Math.round(web.seconds * 1000)} ms without any`,
    );
    expect(await sent).toBeGreaterThan(100);
    expect(Object.keys(await db.agent.received(UDP))).toEqual([`::ffff:${web.address}`]);
    expect((await policiesOf(a)).denied.egress).toBeGreaterThan(0);
  });

  test('enforce what changes at a pod within a second', async () => {
    const { b, cluster } = world();
    const from = [{ podSelector: { matchLabels: { role: 'client' } } }];
    const ports = [{ protocol: 'UDP', port: UDP }];
    cluster.api.put(
      POLICIES,
      policy('db', { podSelector: { matchLabels: { app: 'db' } }, ingress: [{ from, ports }] }),
    );
    const isAnswered = () => web.agent.probe(db.address, 'UDP', UDP, 100);
    await until('it is denied', async () => !(await isAnswered()));
    const lag = async (labels: Record<string, string>, isAllowed: boolean) => {
      const began = performance.now();
      cluster.relabel({ ...WEB, labels, addresses: [web.address] });
      await until(`that is ${isAllowed}`, async () => (await isAnswered()) === isAllowed, { every: 10 });
      return performance.now() - began;
    };
    const lags: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      lags.push(await lag({ app: 'web', role: 'client' }, true), await lag({ app: 'web' }, false));
    }
    console.log(`enforced after ${lags.map((each) => Math.round(each)).join(', ')} ms`);
    expect(median(lags)).toBeLessThan(1_000); // one may come while the machine is at something else
    expect(await b.weft('policy', 'ls')).toMatch(/default\/db +app=db +ingress +1 +kubernetes/);
  });

  test('go on with what they know while the API server is away, and after a crash', async () => {
    const { a, b, cluster } = world();
    const stored = join(b.stateDirectory, 'kubernetes.json');
    await until('it is on the disk', () => isStored(readFileSync(stored, 'utf8')));
    await cluster.close();
    await until('it is noticed', async () => (await statusOf(b)).state === 'failing');
    expect(await b.weft('status')).toMatch(/the API server is away since/);
    const isAnswered = () => web.agent.probe(db.address, 'UDP', UDP, PATIENCE.silence);
    expect(await isAnswered()).toBe(false);
    await b.crash();
    await b.launch();
    expect(await isAnswered()).toBe(false);
    expect((await policiesOf(b)).policies).toHaveLength(2);
    cluster.relabel({ ...WEB, labels: { role: 'client' }, addresses: [web.address] });
    await cluster.open();
    expect(await web.agent.probe(db.address, 'UDP', UDP, 40_000)).toBe(true);
    for (const host of [a, b])
      await until('it is back', async () => (await statusOf(host)).state === 'working', { within: 45_000 });
  });
});

describe('a router without a cluster', () => {
  const world = onLab(async (lab) => ({ host: await lab.host(await lab.wire()) }));

  test('says so in one line, and is not launched', async () => {
    const refused = await world().host.tryWeft('launch', '--kubernetes');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/^[^\n]*neither KUBECONFIG nor KUBERNETES_SERVICE_HOST is set[^\n]*\n$/);
    expect(world().host.files()).toEqual([]);
  });
});
