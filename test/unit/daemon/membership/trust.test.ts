import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Log } from '../../../../src/daemon/logging/index.js';
import { Trust } from '../../../../src/daemon/membership/trust.js';
import { stateFiles } from '../../../../src/daemon/state/index.js';
import {
  adminKeyPath,
  identityFromSeed,
  loadNetwork,
  loadOrCreateKeyPair,
  type Network,
  newNetwork,
} from '../../../../src/identity/index.js';
import { FakeMesh } from '../mesh.js';

const [self, other] = [1, 2].map((seed) => identityFromSeed(Buffer.alloc(32, seed)));
if (self === undefined || other === undefined) throw new Error('two identities are made');
const log = { info: () => {}, warn: () => {}, error: () => {} } as unknown as Log;

let directory: string;
let world: FakeMesh;
let network: Network;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'weft-trust-'));
  world = new FakeMesh();
  network = newNetwork();
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A router that begins with what the disk has. */
async function start(): Promise<Trust> {
  const file = stateFiles(directory).trust;
  const trust = new Trust({
    identity: self as NonNullable<typeof self>,
    network: (await loadNetwork(directory)) ?? network,
    stored: await file.read(),
    file,
    stateDir: directory,
    log,
  });
  await trust.start(world.mesh, { setSecrets: () => {} });
  world.meets({ peer: self?.peer as never, nickname: 'a' }, { peer: other?.peer as never, nickname: 'b' });
  return trust;
}

describe('what members say about each other', () => {
  it('expels a member, and holds after a restart', async () => {
    const trust = await start();
    await trust.revoke({ peer: 'b' });
    expect(world.removed).toEqual([{ peer: other.peer, expelled: true }]);
    expect(trust.admits(other.peer, 99)).toBe(false);
    const again = await start();
    expect(again.admits(other.peer, 99)).toBe(false);
    expect(again.revoked()).toMatchObject([{ peer: other.peer, nickname: 'b' }]);
  });

  it('does not remove a member that lives', async () => {
    const trust = await start();
    await expect(trust.remove({ peer: 'b' })).rejects.toMatchObject({ code: 'peer-alive' });
    expect(world.removed).toEqual([]);
  });

  it('removes a dead member once, and lets a later run of it come back', async () => {
    const trust = await start();
    world.unreachable.add(other.peer);
    world.meets({ peer: self.peer, nickname: 'a' }, { peer: other.peer, nickname: 'b', linked: false });
    await trust.remove({ peer: 'b' });
    expect(world.removed).toEqual([{ peer: other.peer, expelled: false }]);
    expect(trust.admits(other.peer, 1)).toBe(false);
    expect(trust.admits(other.peer, 2)).toBe(true);
    world.meets({ peer: self.peer, nickname: 'a' });
    await expect(trust.remove({ peer: other.peer })).rejects.toMatchObject({ code: 'removed-already' });
  });

  it('removes a dead member again when it was restarted since, or the one that removed it is gone: nobody may have its addresses', async () => {
    const trust = await start();
    world.unreachable.add(other.peer);
    world.meets({ peer: self.peer, nickname: 'a' });
    await trust.remove({ peer: other.peer });
    const removed = Date.now();
    await expect.poll(() => Date.now()).toBeGreaterThan(removed);
    const again = await start();
    world.meets({ peer: self.peer, nickname: 'a' });
    await again.remove({ peer: other.peer });
    expect(world.removed.map(({ peer }) => peer)).toEqual([other.peer, other.peer]);
    await expect(again.remove({ peer: other.peer })).rejects.toMatchObject({ code: 'removed-already' });
  });

  it('does not expel the router itself by its own name', async () => {
    const trust = await start();
    await expect(trust.revoke({ peer: 'a' })).rejects.toMatchObject({ code: 'own-peer' });
  });
});

describe('the secret', () => {
  it('is two while not everybody has confirmed the new one, on the disk, too', async () => {
    const trust = await start();
    const rotation = await trust.rotate({});
    expect(rotation).toMatchObject({ generation: 1, finished: false, waiting: [{ nickname: 'b' }] });
    expect(world.secrets).toBe(2);
    expect((await loadNetwork(directory))?.secrets).toHaveLength(2);
    await expect(trust.rotate({})).rejects.toMatchObject({ code: 'rotation-unfinished' });
  });

  it('is the new one alone when the rotation is finished', async () => {
    const trust = await start();
    await trust.rotate({});
    expect(await trust.rotate({ finish: true })).toMatchObject({ finished: true });
    expect(world.secrets).toBe(1);
    expect((await loadNetwork(directory))?.secrets).toHaveLength(1);
    await expect(trust.rotate({ finish: true })).rejects.toMatchObject({ code: 'no-rotation' });
  });

  it('is not replaced where it is a password', async () => {
    network = { ...network, mode: 'password' };
    const trust = await start();
    await expect(trust.rotate({})).rejects.toMatchObject({ code: 'password-network' });
  });

  it('is one that nobody else has after trust was reset, and nothing counts that was said before', async () => {
    const trust = await start();
    await trust.revoke({ peer: 'b' });
    await trust.rotate({});
    const [before] = trust.network.secrets;
    expect(await trust.rotate({ resetTrust: true })).toMatchObject({ generation: 0, finished: true });
    expect(world.secrets).toBe(1);
    expect(world.mesh.members()).toHaveLength(1);
    expect(trust.admits(other.peer, 1)).toBe(true);
    const stored = await loadNetwork(directory);
    expect(stored).toMatchObject({ id: network.id, epoch: 1, generation: 0 });
    expect(stored?.secrets[0].equals(before)).toBe(false);
    const again = await start();
    expect(again.revoked()).toEqual([]);
    expect(await again.rotate({})).toMatchObject({ generation: 1 });
  });

  it('can be reset even where generations are used up', async () => {
    network = { ...network, generation: 2 ** 32 - 1 };
    const trust = await start();
    await expect(trust.rotate({})).rejects.toMatchObject({ code: 'rotation-exhausted' });
    await trust.rotate({ resetTrust: true });
    expect(await trust.rotate({})).toMatchObject({ generation: 1 });
  });
});

describe('a network with an administrator', () => {
  const admin = identityFromSeed(Buffer.alloc(32, 8));
  const seedOf = (seed: number) => Buffer.alloc(32, seed).toString('hex');

  beforeEach(() => {
    network = newNetwork(admin.publicKey);
  });

  it('is told who may say what is refused, and is not changed', async () => {
    const trust = await start();
    await expect(trust.revoke({ peer: 'b' })).rejects.toMatchObject({ code: 'administrator-only' });
    await expect(trust.remove({ peer: 'b' })).rejects.toMatchObject({ code: 'administrator-only' });
    await expect(trust.rotate({})).rejects.toMatchObject({ code: 'administrator-only' });
    const resetting = trust.rotate({ resetTrust: true });
    await expect(resetting).rejects.toMatchObject({ code: 'administrator-only' });
    const wrong = trust.revoke({ peer: 'b', adminKey: seedOf(9) });
    await expect(wrong).rejects.toMatchObject({ code: 'wrong-admin-key' });
    expect(trust.admits(other.peer, 99)).toBe(true);
  });

  it('obeys the key that a command gives, once, and writes it nowhere', async () => {
    const trust = await start();
    const adminKey = seedOf(8);
    expect(await trust.revoke({ peer: 'b', adminKey })).toMatchObject({ peer: other.peer, by: self.peer });
    await trust.rotate({ adminKey });
    world.meets({ peer: self.peer, nickname: 'a' });
    await expect.poll(() => trust.network.secrets.length).toBe(1);
    await expect(trust.rotate({})).rejects.toMatchObject({ code: 'administrator-only' });
    for (const name of readdirSync(directory)) {
      expect(readFileSync(join(directory, name), 'utf8')).not.toContain(adminKey);
    }
    const again = await start();
    expect(again.admits(other.peer, 99)).toBe(false);
    expect(again.network).toMatchObject({ generation: 1, admin: admin.publicKey });
  });

  it('obeys the key in the state directory', async () => {
    const key = await loadOrCreateKeyPair(adminKeyPath(directory));
    network = newNetwork(key.publicKey);
    const trust = await start();
    await trust.revoke({ peer: 'b' });
    expect(trust.admits(other.peer, 99)).toBe(false);
  });

  it('is what a key is for', async () => {
    network = newNetwork();
    const trust = await start();
    const saying = trust.revoke({ peer: 'b', adminKey: seedOf(8) });
    await expect(saying).rejects.toMatchObject({ code: 'no-administrator' });
  });
});
