import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PublishedPolicies } from '../../../../src/daemon/policies/published-policies.js';
import { stateFiles } from '../../../../src/daemon/state/state-files.js';
import type { Identity } from '../../../../src/identity/index.js';
import type { Mesh } from '../../../../src/mesh/index.js';
import { cleanPolicy } from '../../../../src/policy/index.js';
import { Routers } from '../../../fuzz/router.js';
import { FakeMesh } from '../mesh.js';

const KEY = 'default/deny';
const TEXT = JSON.stringify(
  cleanPolicy(
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'deny' },
      spec: { podSelector: {} },
    },
    'a policy',
  ),
);
const [alice, bob] = Routers.identities(2, 3) as [Identity, Identity];
const both = [alice, bob].map(({ peer }, index) => ({ peer, nickname: `host${index}` }));

let directory: string;
let started: PublishedPolicies[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'weft-policies-'));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(started.map((published) => published.publish(new Map()))); // all is on the disk
  for (const published of started) published.stop();
  started = [];
  rmSync(directory, { recursive: true });
});

async function router(identity: Identity, isKeeper = true) {
  const faked = new FakeMesh();
  faked.meets(...[...both].sort((a) => (a.peer === identity.peer ? -1 : 1)));
  const published = new PublishedPolicies({
    identity,
    mesh: faked.mesh as unknown as Mesh,
    file: stateFiles(join(directory, identity.peer)).policies,
    isKeeper: () => isKeeper,
    onFailure: (error) => {
      throw error;
    },
  });
  await published.start();
  started.push(published);
  const channel = () => faked.channels.get('policies');
  return { published, faked, channel };
}

type Router = Awaited<ReturnType<typeof router>>;

/** What the one knows the other hears. */
function tell(from: Router, to: Router, identity: Identity): void {
  for (const delta of from.channel()?.takeDeltas() ?? []) to.channel()?.merge(delta, identity.peer);
}

const namesOf = ({ published }: Router) => published.book.objects().map(({ metadata }) => metadata.name);

test('a policy that one router applies another one has, and removes for both', async () => {
  const [a, b] = [await router(alice), await router(bob)];
  await a.published.publish(new Map([[KEY, TEXT]]));
  tell(a, b, alice);
  expect(namesOf(b)).toEqual(['deny']);
  await b.published.publish(new Map([[KEY, undefined]]));
  tell(b, a, bob);
  expect([namesOf(a), namesOf(b)]).toEqual([[], []]);
});

test.each([
  ['is published by a keeper once its router has left', true, 1],
  ['is not published by others', false, 0],
])('a policy %s', async (_, isKeeper, count) => {
  const [a, b] = [await router(alice), await router(bob, isKeeper)];
  await a.published.publish(new Map([[KEY, TEXT]]));
  tell(a, b, alice);
  b.channel()?.takeDeltas();
  b.faked.events.emit('forgotten', alice.peer);
  expect(namesOf(b)).toEqual(['deny']);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(b.channel()?.takeDeltas()).toHaveLength(count);
});

test('what others applied holds after a restart, before anybody was heard', async () => {
  const [a, b] = [await router(alice), await router(bob)];
  await a.published.publish(new Map([[KEY, TEXT]]));
  tell(a, b, alice);
  await b.published.publish(new Map()); // all is on the disk
  b.published.stop();
  expect(namesOf(await router(bob))).toEqual(['deny']);
});
