import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Access, findAccess } from '../../../../src/kubernetes/index.js';
import type { Snapshot } from '../../../../src/plugins/discovery/index.js';
import { kubernetesSource } from '../../../../src/plugins/discovery/sources/index.js';
import { ApiServer, accessOf, NODES } from '../../../kubernetes/api-server.js';
import { until } from '../../../lab/until.js';
import { contextOf } from './compliance.js';
import { setNode, setSlice, slice } from './kubernetes.js';

describe('a router in Kubernetes', () => {
  let directory: string;
  let api: ApiServer;
  let ending: AbortController;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-kubernetes-'));
    api = await ApiServer.start(directory);
    ending = new AbortController();
  });

  afterEach(async () => {
    ending.abort();
    api.stop();
    await rm(directory, { recursive: true });
  });

  const follow = (
    more: { access?: () => Promise<Access>; idle?: number } = {},
    sought?: { service: string; namespace?: string },
  ) =>
    kubernetesSource(
      'kubernetes:',
      sought,
      { access: async () => api.access(), ...more },
      contextOf(),
    ).follow(ending.signal);
  const next = async (following: AsyncGenerator<Snapshot>) => (await following.next()).value?.targets;
  const watches = () => api.asked.filter(({ query }) => query.has('watch'));
  const watched = (count: number) => until(`${count} watches`, () => watches().length >= count);

  test('finds the internal addresses of all nodes, of both families, also of more than fit one page', async () => {
    for (let i = 1; i <= 120; i += 1) setNode(api, `n${i}`, `192.0.2.${i}`, `2001:db8::${i}`);
    const targets = await next(follow());
    expect(targets).toHaveLength(240);
    expect(targets).toEqual(expect.arrayContaining(['192.0.2.120', '2001:db8::120']));
    expect(api.asked.map(({ path }) => path)).toContain('/api/v1/nodes');
  });

  test('finds what stands behind a service of its own namespace, ready or not, at its TCP port', async () => {
    setSlice(api, 'a', slice(['192.0.2.1'], 7000));
    setSlice(api, 'b', { ...slice([]), endpoints: [{ addresses: ['2001:db8::1'] }] });
    setSlice(api, 'c', { ...slice([]), endpoints: null });
    expect(await next(follow({}, { service: 'weft' }))).toEqual(['192.0.2.1:7000', '[2001:db8::1]:6783']);
    expect(api.asked[0]?.query.get('labelSelector')).toBe('kubernetes.io/service-name=weft');
  });

  test('asks in the namespace that was named', async () => {
    await expect(next(follow({}, { service: 'weft', namespace: 'other' }))).rejects.toThrow(
      /answers 404: not found/,
    );
    expect(api.asked[0]?.path).toMatch(/namespaces\/other\//);
  });

  test('hears of changes as they happen, and of nothing when a node only says that it lives', async () => {
    setNode(api, 'n1', '192.0.2.1');
    const following = follow();
    await next(following);
    const change = next(following);
    await watched(1);
    for (let i = 0; i < 20; i += 1) setNode(api, 'n1', '192.0.2.1');
    setNode(api, 'nü', '192.0.2.2');
    expect(await change).toEqual(['192.0.2.1', '192.0.2.2']);
    api.remove(NODES, 'n1');
    expect(await next(following)).toEqual(['192.0.2.2']);
    expect(api.asked.filter(({ query }) => !query.has('watch'))).toHaveLength(1);
  });

  test('is told of many changes at once where it was slow to listen', async () => {
    const following = follow();
    await next(following);
    await watched(1);
    for (let i = 0; i < 200; i += 1) setNode(api, `n${i}`, `10.0.${i >> 8}.${i & 255}`);
    await until('all were told', () => api.told === api.version);
    let snapshots = 0;
    for (let found = 0; found < 200; snapshots += 1) found = (await next(following))?.length ?? 0;
    expect(snapshots).toBeLessThan(50);
  });

  test('lists anew when its version is too old, whether the watch says so or its answer', async () => {
    const following = follow();
    await next(following);
    const change = next(following);
    await watched(1);
    api.compact();
    expect(await change).toEqual([]);
    setNode(api, 'n1', '192.0.2.1');
    expect(await next(following)).toEqual(['192.0.2.1']);
  });

  test('goes on with a new watch, from where it was, after one that fell silent', async () => {
    api.silent = true;
    const following = follow({ idle: 1_000 });
    await next(following);
    const change = next(following);
    await watched(1);
    setNode(api, 'n1', '192.0.2.1'); // nobody is told
    api.silent = false;
    expect(await change).toEqual(['192.0.2.1']);
    const [first, second] = watches().map(({ query }) => query.get('resourceVersion'));
    expect(second).toBe(first);
    expect(watches()[0]?.query.toString()).toMatch(/timeoutSeconds=290&allowWatchBookmarks=true/);
  });

  test('that may not list says in one line which right is missing', async () => {
    api.forbids = true;
    const why = next(follow()).catch(String);
    expect(await why).toMatch(
      /answers 403: nodes is forbidden: .*; let this service account list and watch nodes \(docs\/kubernetes\.md/,
    );
    expect(await why).not.toMatch(/\n|first-token/);
  });

  test('shows its token, which is read again each time, and only to the server of its certificate', async () => {
    await next(follow());
    await writeFile(join(directory, 'token'), 'second-token\n');
    await next(follow());
    const tokens = api.asked.filter(({ query }) => !query.has('watch')).map(({ token }) => token);
    expect(tokens).toEqual(['Bearer first-token', 'Bearer second-token']);
    const other = await mkdtemp(join(tmpdir(), 'weft-kubernetes-'));
    const impostor = await ApiServer.start(other);
    await expect(
      next(follow({ access: async () => ({ ...api.access(), origin: impostor.access().origin }) })),
    ).rejects.toThrow(/certificate/);
    expect(impostor.asked).toEqual([]);
    impostor.stop();
    await rm(other, { recursive: true });
  });

  test('that is in no pod, or in one without an account, says so', async () => {
    await expect(next(follow({ access: () => findAccess({}) }))).rejects.toThrow(
      /neither KUBECONFIG nor KUBERNETES_SERVICE_HOST is set/,
    );
    await expect(next(follow({ access: async () => api.access('/nonexistent') }))).rejects.toThrow(
      /the pod needs a service account/,
    );
    const { origin } = accessOf({ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' });
    expect(origin).toBe('https://[fd00::1]:443');
  });

  test.each([
    ['{}', /malformed/],
    ['nonsense', /is not valid JSON/],
    ['{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{}}]}', /metadata/],
  ])('that is answered %s says what is wrong with it', async (text, why) => {
    api.garbage = text;
    await expect(next(follow())).rejects.toThrow(why);
  });
});
