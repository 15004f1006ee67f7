import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterEach } from 'vitest';
import { identityFromSeed, type Network, newNetwork, type PeerId } from '../../../src/identity/index.js';
import { Mesh, type MeshLimits, type MeshOptions, type MeshTimings } from '../../../src/mesh/index.js';

/** Fast enough for tests, slow enough for a busy machine. */
const TIMINGS: Partial<MeshTimings> = { backoffInitial: 50, backoffMax: 400, gossipDelay: 10 };
/** All meshes of a test share one address. */
const LIMITS: Partial<MeshLimits> = { acceptBurst: 1000, acceptRate: 1000, handshakesPerAddress: 64 };

export const network: Network = newNetwork();
const running = new Set<Mesh>();

afterEach(async () => {
  await Promise.all([...running].map((mesh) => mesh.stop()));
  running.clear();
});

/** A started mesh on a free port of 127.0.0.1; stopped after the test. */
export async function startMesh(nickname: string, options: Partial<MeshOptions> = {}): Promise<Mesh> {
  const mesh = new Mesh({
    identity: identityFromSeed(randomBytes(32)),
    network,
    nickname,
    version: '0.1.0',
    port: 0,
    mtu: 1418,
    host: '127.0.0.1',
    ...options,
    timings: { ...TIMINGS, ...options.timings },
    limits: { ...LIMITS, ...options.limits },
  });
  await mesh.start();
  running.add(mesh);
  return mesh;
}

export function addressOf(mesh: Mesh): string {
  return `127.0.0.1:${mesh.port}`;
}

export function idOf(mesh: Mesh): PeerId {
  const self = mesh.members().find((member) => member.self);
  if (self === undefined) throw new Error('the mesh is not running');
  return self.peer;
}

/** Resolves when the condition holds, checked at each of the events; the test's own timeout is the limit. */
export async function until(
  mesh: Mesh,
  events: readonly ('link-up' | 'link-down' | 'member' | 'warning' | 'message')[],
  holds: () => boolean,
): Promise<void> {
  while (!holds()) {
    const waiting = new AbortController();
    await Promise.race(events.map((event) => once(mesh, event, { signal: waiting.signal })));
    waiting.abort();
  }
}

/** Resolves when each mesh has a link to each other one. */
export async function fullyLinked(...meshes: readonly Mesh[]): Promise<void> {
  await Promise.all(
    meshes.map((mesh) => until(mesh, ['link-up'], () => mesh.links().length >= meshes.length - 1)),
  );
}
