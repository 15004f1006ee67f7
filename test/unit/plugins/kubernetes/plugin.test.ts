import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stateFiles } from '../../../../src/daemon/state/index.js';
import type { KubernetesPlugin } from '../../../../src/plugins/kubernetes/index.js';
import { type ApiServer, conditionsOf, NAMESPACES, NODES, POLICIES } from '../../../kubernetes/api-server.js';
import { namespace, node, policy } from '../../../kubernetes/shapes.js';
import { until } from '../../../lab/until.js';
import { aWorldForEachTest } from './world.js';

const [A, B, C] = ['a', 'b', 'c'].map((letter) => letter.repeat(16)) as [string, string, string];
const world = aWorldForEachTest();

const annotationOf = (api: ApiServer, name: string) =>
  api.find(NODES, name)?.metadata.annotations?.['weft.network/peer'];
const networkOf = (api: ApiServer, name: string) => {
  const found = api.find(NODES, name);
  return found && conditionsOf(found).find(({ type }) => type === 'NetworkUnavailable');
};
const patches = (api: ApiServer) => api.asked.filter(({ method }) => method === 'PATCH');
const settled = (plugin: KubernetesPlugin) =>
  until('everything is listed', () => plugin.status().listedAt !== null);

describe('a router on a node', () => {
  test('notes who it is, and, once it is ready, that pods have a network there', async () => {
    const { api } = world();
    let isReady = false;
    world().addNode('n1');
    const plugin = await world().start('n1', A, { isReady: async () => isReady });
    await world().comes('it is noted', () => annotationOf(api, 'n1') === A);
    await world().hears(plugin);
    await world().passes(20_000);
    expect(networkOf(api, 'n1')).toMatchObject({ status: 'True' });
    isReady = true;
    await world().comes('pods have a network', () => networkOf(api, 'n1')?.status === 'False');
    await world().hears(plugin);
    expect(networkOf(api, 'n1')).toMatchObject({ reason: 'WeftIsUp' });
    expect(patches(api).map(({ path }) => path)).toEqual(['/api/v1/nodes/n1', '/api/v1/nodes/n1/status']);
    await world().passes(60_000);
    expect(patches(api)).toHaveLength(2);
  });

  test('notes both again when somebody else changes them, and when the Node is made anew', async () => {
    const { api } = world();
    world().addNode('n1');
    await world().start('n1', A);
    const isNoted = () => annotationOf(api, 'n1') === A && networkOf(api, 'n1')?.status === 'False';
    await world().comes('both are noted', isNoted);
    world().addNode('n1', B);
    await world().comes('both are noted again', isNoted);
    api.remove(NODES, 'n1');
    world().addNode('n1');
    await world().comes('both are noted on the new Node', isNoted);
  });

  test('that is called otherwise, or may not write, says so, and does not ask without end', async () => {
    const { api, troubles } = world();
    world().addNode('n1');
    const plugin = await world().start('other', A);
    await world().comes('it is told', () => troubles.length > 0);
    expect(troubles).toEqual([expect.stringMatching(/no Node is called other: NODE_NAME/)]);
    expect(plugin.status().faults).toEqual(troubles);
    expect(patches(api)).toEqual([]);
  });

  test('takes the nodes as places of other routers, as they come, go and are renamed', async () => {
    const { api } = world();
    const at = (name: string, address: string) => api.put(NODES, node({ name, address }));
    at('n1', '192.0.2.1');
    const plugin = await world().start('n1', A);
    const ending = new AbortController();
    const following = plugin.source.follow(ending.signal);
    const next = async () => (await following.next()).value;
    expect(await next()).toEqual({ targets: ['192.0.2.1'], whole: true });
    at('n2', '192.0.2.2');
    await until('it is found', async () => (await next())?.targets.includes('192.0.2.2'));
    api.remove(NODES, 'n2');
    at('renamed', '192.0.2.3');
    await until('it has moved', async () => {
      const { targets = [] } = (await next()) ?? {};
      return targets.includes('192.0.2.3') && !targets.includes('192.0.2.2');
    });
    ending.abort();
    await following.return(undefined);
  });
});

describe('a node that is removed', () => {
  const cluster = async () => {
    for (const [name, peer] of [
      ['n1', A],
      ['n2', B],
      ['n3', C],
    ] as const)
      world().addNode(name, peer);
    const plugins = [
      await world().start('n1', A),
      await world().start('n2', B),
      await world().start('n3', C),
    ];
    await Promise.all(plugins.map(settled));
    return plugins;
  };

  test('leaves what its router owned to one of the others, once', async () => {
    await cluster();
    world().alive.delete(C);
    world().api.remove(NODES, 'n3');
    await world().comes('somebody took over', () => world().takeovers.length > 0);
    await world().passes(300_000);
    expect(world().takeovers).toEqual([{ by: expect.any(String), peer: C }]);
  });

  test('leaves nothing while its router works, or while no Node is listed at all', async () => {
    const [plugin] = await cluster();
    world().api.remove(NODES, 'n3');
    await world().passes(300_000);
    expect(plugin?.status().removed).toEqual([{ peer: C, node: 'n3' }]);
    world().alive.delete(B);
    for (const name of ['n1', 'n2']) world().api.remove(NODES, name);
    world().api.compact();
    await world().passes(300_000);
    expect(world().takeovers).toEqual([]);
  });

  test('while the API server is away is news once that is back', async () => {
    await cluster();
    world().alive.delete(C);
    world().api.break();
    await world().passes(300_000);
    expect(world().takeovers).toEqual([]);
    world().api.remove(NODES, 'n3');
    world().api.compact();
    world().api.broken = false;
    await world().comes('somebody took over', () => world().takeovers.length > 0);
  });

  test('while all routers were down is remembered on their disks', async () => {
    const plugins = await cluster();
    await Promise.all(plugins.map((plugin) => plugin.stop()));
    world().alive.delete(C);
    world().api.remove(NODES, 'n3');
    await world().start('n1', A);
    await world().comes('it took over', () => world().takeovers.length > 0);
    expect(world().takeovers).toEqual([{ by: A, peer: C }]);
  });
});

describe('what the cluster says of policies', () => {
  const deny = policy('deny', { podSelector: {} });

  test('is kept over a restart while the API server is away', async () => {
    const { api } = world();
    world().addNode('n1', A);
    api.put(POLICIES, deny);
    api.put(NAMESPACES, namespace('default', { team: 'x' }));
    world().addPod({ name: 'web', labels: { app: 'web' }, addresses: ['10.32.0.1'] });
    const before = await world().start('n1', A);
    await settled(before);
    await before.stop();
    api.break();
    const after = await world().start('n1', A);
    expect(after.cluster.policies.map(({ policy: { name } }) => name)).toEqual(['deny']);
    expect(after.cluster.pods.get('default/web')).toEqual(before.cluster.pods.get('default/web'));
    expect(after.cluster.namespaces.get('default')).toMatchObject({ team: 'x' });
    await until('it is told', () => world().troubles.length > 0);
    expect(world().troubles).toEqual([expect.stringMatching(/what is known stays in force: .*answers 500/)]);
    expect(after.status()).toMatchObject({
      state: 'failing',
      listedAt: null,
      counts: { policies: 1, pods: 1 },
    });
  });

  test('is kept but for what this version does not understand, after one that did', async () => {
    const { api } = world();
    const stored = (name: string, podSelector: object) => ({
      ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
      ...{ metadata: { name, namespace: 'default' }, spec: { podSelector } },
    });
    const later = stored('later', { matchExpressions: [{ key: 'a', operator: 'Like' }] });
    const policies = [later, stored('deny', {})];
    const file = stateFiles(join(world().directory, 'n1')).kubernetes;
    await file.write(() => ({ policies, namespaces: {}, pods: [], routers: [] }));
    api.break();
    const plugin = await world().start('n1', A, { serves: false });
    expect(plugin.cluster.policies.map(({ policy: { name } }) => name)).toEqual(['deny']);
    await world().comes('it is told', () => world().troubles.some((what) => /default\/later: /.test(what)));
  });

  test('is told once where it is not understood, and hinders no other policy', async () => {
    world().api.put(POLICIES, deny);
    world().api.put(POLICIES, policy('later', { podSelector: {}, ingress: [{ from: [{ service: {} }] }] }));
    world().api.put(POLICIES, policy('odd', { podSelector: { match: 1 } }));
    const plugin = await world().start('n1', A, { serves: false });
    await settled(plugin);
    expect(plugin.cluster.policies).toHaveLength(2);
    await world().comes('both are told', () => world().troubles.length > 1);
    await world().passes(60_000);
    expect(world().troubles).toEqual([
      expect.stringMatching(/^the network policy default\/later denies all that it selects: .*from/),
      expect.stringMatching(/default\/odd: .*spec\.podSelector/),
    ]);
  });

  test('of a pod that is about to start is asked for at once, where its turn has not come', async () => {
    const { api } = world();
    const plugin = await world().start('n1', A);
    await settled(plugin);
    api.silent = true;
    api.break();
    api.broken = false; // watches that begin now say nothing
    await until('it watches again', () => plugin.status().state === 'working');
    world().addPod({ name: 'new', uid: 'u1', labels: { app: 'new' } });
    await plugin.meet({ namespace: 'default', name: 'new', uid: 'u1' });
    expect(plugin.cluster.pods.get('default/new')).toMatchObject({ uid: 'u1', labels: { app: 'new' } });
    const asked = api.asked.length;
    await plugin.meet({ namespace: 'default', name: 'new', uid: 'u1' });
    expect(api.asked).toHaveLength(asked);
  });

  test('of a pod does not hold it up for long where the server is away, nor by a name that is none', async () => {
    const { api } = world();
    api.break();
    const plugin = await world().start('n1', A);
    const began = performance.now();
    await plugin.meet({ namespace: 'default', name: 'new', uid: 'u1' });
    await plugin.meet({ namespace: '..', name: '../../secrets', uid: 'u1' });
    expect(performance.now() - began).toBeLessThan(3_500);
    expect(api.asked.some(({ path }) => path.includes('secrets'))).toBe(false);
  });
});
