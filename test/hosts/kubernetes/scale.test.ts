import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { NAMESPACES, PODS, POLICIES } from '../../kubernetes/api-server.js';
import { namespace, pod, policy } from '../../kubernetes/shapes.js';
import { until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { Cluster, enforces, statusOf } from './world.js';

const SCALE = { namespaces: 100, pods: 5_000, policies: 500 };
const MEMORY = 200e6;

/** Of a process, in bytes: what it has now, and the most that it had. */
function memoryOf(pid: number): { now: number; most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
  return { now: read('VmRSS'), most: read('VmHWM') };
}

describe.runIf(process.env.WEFT_LONG === '1')('a node of a cluster with 5,000 pods and 500 policies', () => {
  const world = onLab(async (lab) => {
    const cluster = await Cluster.create(lab, 1);
    const { api } = cluster;
    const home = (index: number) => `ns-${index % SCALE.namespaces}`;
    for (let i = 0; i < SCALE.namespaces; i += 1)
      api.put(NAMESPACES, namespace(home(i), { team: `t${i % 7}` }));
    for (let i = 0; i < SCALE.pods; i += 1) {
      const labels = { app: `app-${i % 250}`, 'pod-template-hash': `${i % 500}`, tier: i % 2 ? 'web' : 'db' };
      const addresses = [`10.${40 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`];
      const ports = [{ name: 'http', containerPort: 8080 }];
      const shape = pod({ name: `pod-${i}`, namespace: home(i), labels, addresses, ports });
      // Real ones have as much again and again of what is of no interest here.
      api.put(PODS, { ...shape, spec: { ...(shape.spec as object), filler: 'x'.repeat(8_000) } });
    }
    for (let i = 0; i < SCALE.policies; i += 1) {
      const from = [
        { podSelector: { matchLabels: { app: `app-${i % 250}` } } },
        { namespaceSelector: { matchLabels: { team: `t${i % 7}` } }, podSelector: {} },
      ];
      const ingress = [{ from, ports: [{ port: 'http' }, { port: 9_000 + i }] }];
      const spec = { podSelector: { matchLabels: { app: `app-${i % 250}` } }, ingress };
      api.put(POLICIES, policy(`policy-${i}`, spec, home(i)));
    }
    const [host] = cluster.hosts;
    if (host === undefined) throw new Error('no host');
    return { cluster, host };
  });

  afterAll(() => world().cluster.end());

  test('knows all of them in little memory, and enforces what changes within a second', async () => {
    const { cluster, host } = world();
    const began = performance.now();
    await cluster.launch();
    await until('it knows everything', async () => (await statusOf(host)).counts.pods === SCALE.pods, {
      within: 60_000,
    });
    const listed = performance.now() - began;
    await enforces(host, SCALE.policies);
    const web = await cluster.run(host, { name: 'web', namespace: 'ns-1', labels: { app: 'app-1' } });
    const client = await cluster.run(host, { name: 'client', namespace: 'ns-2', labels: {} });
    // What a cluster does all the time: pods tell that they live, and some change.
    for (let round = 0; round < 40; round += 1) {
      for (let i = 0; i < 50; i += 1) {
        const labels = { app: `app-${i}`, round: `${round}` };
        cluster.relabel({ name: `pod-${i}`, namespace: `ns-${i}`, labels, addresses: [`10.40.0.${i}`] });
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    const isAnswered = () => client.agent.probe(web.address, 'TCP', 8080, 100);
    expect(await isAnswered()).toBe(false);
    const ports = [{ port: 8080 }];
    const changed = performance.now();
    cluster.api.put(
      POLICIES,
      policy('open', { podSelector: { matchLabels: { app: 'app-1' } }, ingress: [{ ports }] }, 'ns-1'),
    );
    await until('it is allowed', isAnswered, { every: 10 });
    const lag = performance.now() - changed;
    const { now, most } = memoryOf(host.daemon);
    const mb = (bytes: number) => Math.round(bytes / 1e6);
    const adds = [web, client].map(({ seconds }) => Math.round(seconds * 1000)).join(' and ');
    console.log(
      `known ${Math.round(listed)} ms after the launch began; ADD ${adds} ms; a policy in force after ${Math.round(lag)} ms; ${mb(now)} MB, at most ${mb(most)} MB`,
    );
    expect(now).toBeLessThan(MEMORY);
  }, 240_000);
});
