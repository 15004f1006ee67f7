import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { WeftError } from '../../../src/errors.js';
import { identityFromSeed } from '../../../src/identity/index.js';
import type { Mesh, MeshOptions } from '../../../src/mesh/index.js';
import { Overlay, type OverlayOptions } from '../../../src/overlay/index.js';
import { addressOf, fullyLinked, network, startMesh } from '../mesh/meshes.js';
import { MemoryDataPlane } from './memory-data-plane.js';

interface Host {
  readonly mesh: Mesh;
  readonly plane: MemoryDataPlane;
  readonly overlay: Overlay;
}

const overlays = new Set<Overlay>();
afterEach(() => {
  for (const overlay of overlays) overlay.stop();
  overlays.clear();
});

async function startHost(
  name: string,
  options: Partial<OverlayOptions> = {},
  seed = randomBytes(32),
  meshOptions: Partial<MeshOptions> = {},
): Promise<Host> {
  const identity = identityFromSeed(seed);
  const mesh = await startMesh(name, { identity, ...meshOptions });
  const plane = new MemoryDataPlane(identity.peer);
  const overlay = await startOverlay({ identity, mesh, dataPlane: plane, ...options });
  return { mesh, plane, overlay };
}

async function startOverlay(
  options: Pick<OverlayOptions, 'identity' | 'mesh' | 'dataPlane'> & Partial<OverlayOptions>,
): Promise<Overlay> {
  const overlay = new Overlay({ network, cipher: 'auto', ...options });
  overlays.add(overlay);
  await overlay.start();
  return overlay;
}

/** Two hosts whose data planes reach each other and which have agreed on a first key. */
async function twoHosts(
  left: Partial<OverlayOptions> = {},
  right: Partial<OverlayOptions> = {},
): Promise<[Host, Host]> {
  const [anna, ben] = [await startHost('anna', left), await startHost('ben', right)];
  MemoryDataPlane.wire(anna.plane, ben.plane);
  const sessions = [once(anna.overlay, 'session'), once(ben.overlay, 'session')];
  anna.mesh.connect([addressOf(ben.mesh)]);
  await Promise.all([fullyLinked(anna.mesh, ben.mesh), ...sessions]);
  return [anna, ben];
}

describe('two hosts', () => {
  test('agree on keys, each for the direction in which the other uses it, and on the fastest cipher', async () => {
    const [anna, ben] = await twoHosts();
    for (const { overlay } of [anna, ben]) {
      expect(await overlay.connections()).toMatchObject([
        { link: 'up', udp: 'up', cipher: 'aes-256-gcm', via: null, pathMtu: 1500 },
      ]);
    }
    expect(anna.plane.lost + ben.plane.lost).toBe(0);
    const [setting] = anna.plane.peers.values();
    expect(setting?.endpoints).toContain(addressOf(ben.mesh));
    expect(setting?.networks).toEqual([0]);
  });

  test('use the cipher that one of them insists on', async () => {
    const [anna] = await twoHosts({ cipher: 'chacha20-poly1305' });
    expect(await anna.overlay.connections()).toMatchObject([{ cipher: 'chacha20-poly1305' }]);
  });

  test('that insist on different ciphers use the common one, and say so', async () => {
    const anna = await startHost('anna', { cipher: 'chacha20-poly1305' });
    const ben = await startHost('ben', { cipher: 'aes-256-gcm' });
    MemoryDataPlane.wire(anna.plane, ben.plane);
    const warnings = [once(anna.overlay, 'warning'), once(ben.overlay, 'warning')];
    const session = once(anna.overlay, 'session');
    anna.mesh.connect([addressOf(ben.mesh)]);
    for (const [error] of await Promise.all(warnings))
      expect(error).toMatchObject({ code: 'cipher-conflict' });
    expect((await session)[1]).toMatchObject({ cipher: 'xsalsa20-poly1305' });
  });

  test('renew their keys again and again without losing a packet', async () => {
    const timings = { rekeyInterval: 20, keyGrace: 60, retryInitial: 200 };
    const [anna, ben] = await twoHosts({ timings }, { timings });
    const packets = setInterval(() => {
      anna.plane.sendPacket();
      ben.plane.sendPacket();
    }, 1);
    const indexes = new Set<number>();
    for (let i = 0; i < 20; i++) {
      await once(anna.overlay, 'session');
      for (const key of anna.plane.keys) indexes.add(key.localIndex);
    }
    clearInterval(packets);
    expect(anna.plane.lost + ben.plane.lost).toBe(0);
    expect(indexes.size).toBeGreaterThanOrEqual(20);
    expect(anna.plane.keys.length).toBeLessThanOrEqual(4);
  });

  test('agree on another key soon when their forwarders did not take the first', async () => {
    const timings = { retryInitial: 50 };
    const [anna, ben] = [await startHost('anna', { timings }), await startHost('ben', { timings })];
    MemoryDataPlane.wire(anna.plane, ben.plane);
    for (const { plane } of [anna, ben]) plane.refusals = 2;
    const sessions = [once(anna.overlay, 'session'), once(ben.overlay, 'session')];
    anna.mesh.connect([addressOf(ben.mesh)]);
    await Promise.all(sessions);
    const common = anna.plane.keys.filter(({ remoteIndex }) =>
      ben.plane.keys.some(({ localIndex }) => localIndex === remoteIndex),
    );
    expect(common).not.toEqual([]);
  });

  test('go on to look at their forwarders when one did not answer once', async () => {
    const [{ plane }] = await twoHosts();
    const answer = plane.dump.bind(plane);
    const isAskedAgain = new Promise<void>((resolve) => {
      plane.dump = async () => {
        plane.dump = () => {
          resolve();
          return answer();
        };
        throw new WeftError('forwarder-timeout', 'the forwarder did not answer');
      };
    });
    await isAskedAgain;
  });

  test('agree anew at once when either forwarder is restarted and has lost everything', async () => {
    const [anna, ben] = await twoHosts();
    for (const restarted of [anna, ben]) {
      const begin = performance.now();
      const sessions = [once(anna.overlay, 'session'), once(ben.overlay, 'session')];
      restarted.plane.restart();
      await Promise.all(sessions);
      expect(performance.now() - begin).toBeLessThan(1000);
      expect(restarted.plane.peers.size).toBe(1);
    }
  });

  test('agree at once when the forwarder of one comes up after the link', async () => {
    const [anna, ben] = [await startHost('anna'), await startHost('ben')];
    MemoryDataPlane.wire(anna.plane, ben.plane);
    for (const { plane } of [anna, ben]) {
      plane.connected = false;
      plane.emit('lost');
    }
    anna.mesh.connect([addressOf(ben.mesh)]);
    await fullyLinked(anna.mesh, ben.mesh);
    const sessions = [once(anna.overlay, 'session'), once(ben.overlay, 'session')];
    const begin = performance.now();
    anna.plane.restart();
    await new Promise((resolve) => setTimeout(resolve, 50));
    ben.plane.restart();
    await Promise.all(sessions);
    expect(performance.now() - begin).toBeLessThan(800);
  });

  test('keep the keys of a forwarder that outlived its daemon', async () => {
    const seed = randomBytes(32);
    const ben = await startHost('ben');
    const anna = await startHost('anna', {}, seed);
    MemoryDataPlane.wire(anna.plane, ben.plane);
    const sessions = [once(anna.overlay, 'session'), once(ben.overlay, 'session')];
    anna.mesh.connect([addressOf(ben.mesh)]);
    await Promise.all(sessions);
    const before = anna.plane.keys.map((key) => key.localIndex);

    anna.overlay.stop();
    await anna.mesh.stop({ leave: false });
    const mesh = await startMesh('anna', { identity: identityFromSeed(seed) });
    const overlay = await startOverlay({ identity: identityFromSeed(seed), mesh, dataPlane: anna.plane });
    expect(await overlay.connections()).toMatchObject([{ link: 'down', udp: 'up' }]);
    mesh.connect([addressOf(ben.mesh)]);
    await fullyLinked(mesh, ben.mesh);
    expect(anna.plane.keys.map((key) => key.localIndex)).toEqual(before);
    expect(await overlay.connections()).toMatchObject([{ link: 'up', udp: 'up', nickname: 'ben' }]);
  });

  test('tell each other their networks', async () => {
    const [anna, ben] = await twoHosts();
    const sessions = [once(anna.overlay, 'session'), once(ben.overlay, 'session')];
    anna.overlay.setNetworks([0, 7]);
    await Promise.all(sessions);
    const [setting] = ben.plane.peers.values();
    expect(setting?.networks).toEqual([0, 7]);
  });

  test('tell their data planes the MTU of the other, also when it comes back with another one and the keys stay', async () => {
    const seed = randomBytes(32);
    const ben = await startHost('ben', {}, randomBytes(32), { mtu: 8918 });
    const anna = await startHost('anna', {}, seed, { mtu: 1418 });
    MemoryDataPlane.wire(anna.plane, ben.plane);
    const sessions = [once(anna.overlay, 'session'), once(ben.overlay, 'session')];
    anna.mesh.connect([addressOf(ben.mesh)]);
    await Promise.all(sessions);
    expect([...anna.plane.peers.values()].map(({ mtu }) => mtu)).toEqual([8918]);
    expect([...ben.plane.peers.values()].map(({ mtu }) => mtu)).toEqual([1418]);

    anna.overlay.stop();
    await anna.mesh.stop({ leave: false });
    const identity = identityFromSeed(seed);
    const mesh = await startMesh('anna', { identity, mtu: 1300 });
    await startOverlay({ identity, mesh, dataPlane: anna.plane });
    mesh.connect([addressOf(ben.mesh)]);
    await fullyLinked(mesh, ben.mesh);
    while (ben.plane.peers.get(identity.peer)?.mtu !== 1300) await new Promise(setImmediate);
  });
});

describe('a peer', () => {
  test('stays while its UDP lives, though its control link is gone', async () => {
    const timings = { deadPeer: 50 };
    const [anna, ben] = await twoHosts({ timings });
    const down = once(anna.mesh, 'link-down');
    await ben.mesh.stop({ leave: false });
    await down;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await anna.overlay.connections()).toMatchObject([{ link: 'down', udp: 'up' }]);

    const gone = once(anna.overlay, 'peer-down');
    anna.plane.emit('peer-down', { peer: ben.plane.self });
    await gone;
    while (anna.plane.peers.size > 0) await new Promise(setImmediate);
    expect(await anna.overlay.connections()).toEqual([]);
  });

  test('that was removed and lives agrees on keys again as soon as it is back, though it remembers the former ones', async () => {
    const seeds = [randomBytes(32), randomBytes(32)].sort((a, b) =>
      Buffer.compare(identityFromSeed(a).publicKey, identityFromSeed(b).publicKey),
    );
    // The one that initiates forgets the other.
    const [anna, ben] = [await startHost('anna', {}, seeds[0]), await startHost('ben', {}, seeds[1])];
    MemoryDataPlane.wire(anna.plane, ben.plane);
    const sessionOfBoth = () => Promise.all([once(anna.overlay, 'session'), once(ben.overlay, 'session')]);
    const warnings: string[] = [];
    ben.overlay.on('warning', ({ code }) => warnings.push(code));
    const agreed = sessionOfBoth();
    ben.mesh.connect([addressOf(anna.mesh)]);
    await agreed;
    const { incarnation = 0 } = anna.mesh.member(ben.plane.self) ?? {};
    const again = sessionOfBoth();
    for (const { mesh } of [anna, ben]) {
      mesh.remove(ben.plane.self, anna.plane.self, { expelled: false, incarnation });
    }
    await again;
    expect(warnings).not.toContain('session-replayed');
  });

  test('that leaves is removed at once', async () => {
    const [anna, ben] = await twoHosts();
    const down = once(anna.overlay, 'peer-down');
    await ben.mesh.stop();
    await down;
    expect(await anna.overlay.connections()).toEqual([]);
    expect(anna.plane.peers.size).toBe(0);
  });
});
