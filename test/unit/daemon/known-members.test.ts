import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KnownMembers, refreshed } from '../../../src/daemon/membership/known-members.js';
import { removeState, stateFiles } from '../../../src/daemon/state/state-files.js';
import { identityFromSeed } from '../../../src/identity/index.js';
import type { Mesh } from '../../../src/mesh/index.js';
import { addressOf, fullyLinked, idOf, startMesh } from '../mesh/meshes.js';

const DAY = 24 * 3_600_000;

describe('known members', () => {
  let stateDir: string;

  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'weft-members-'));
  });

  afterEach(() => rm(stateDir, { recursive: true, force: true }));

  const newMembers = (mesh: Mesh) =>
    new KnownMembers({
      mesh,
      file: stateFiles(stateDir).members,
      onFailure: (error) => {
        throw error;
      },
    });

  it('are found again after a restart by a router without targets, at another port than before, though it had said goodbye', async () => {
    const identity = identityFromSeed(randomBytes(32));
    const [anna, ben] = [await startMesh('anna', { identity }), await startMesh('ben')];
    const members = newMembers(anna);
    await members.start();
    ben.connect([addressOf(anna)]);
    await fullyLinked(anna, ben);
    ben.forget([addressOf(anna)]);
    await members.stop();
    await Promise.all([once(ben, 'link-down'), anna.stop()]);
    expect((await stateFiles(stateDir).members.read()).members).toMatchObject([
      { peer: idOf(ben), addresses: [addressOf(ben)] },
    ]);

    const again = await startMesh('anna', { identity });
    const remembering = newMembers(again);
    await remembering.start();
    await fullyLinked(again, ben);
    expect(again.links()).toMatchObject([{ peer: idOf(ben), direction: 'outbound' }]);
    await remembering.stop();
  });

  it('are on the disk soon after the link, so that a killed router finds them, too; a reset removes them', async () => {
    const [anna, ben] = [await startMesh('anna'), await startMesh('ben')];
    const members = newMembers(anna);
    await members.start();
    anna.connect([addressOf(ben)]);
    await fullyLinked(anna, ben);
    while ((await stateFiles(stateDir).members.read()).members.length === 0)
      await new Promise((resolve) => setTimeout(resolve, 20));
    await members.stop();
    await removeState(stateDir);
    await expect(readdir(stateDir)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('are those linked last, the newest 64, and none that was away for 7 days', () => {
    const at = (linkedAt: number, seed: number) => ({
      peer: identityFromSeed(Buffer.alloc(32, seed)).peer,
      addresses: ['192.0.2.1:6783'],
      linkedAt,
    });
    const now = 100 * DAY;
    const known = [at(now - DAY, 1), at(now - 6 * DAY, 2), at(now - 7 * DAY, 3)];
    const { linkedAt: _, ...linked } = at(0, 2);
    expect(refreshed(known, [linked], now)).toEqual([at(now, 2), at(now - DAY, 1)]);
    const many = Array.from({ length: 80 }, (_, i) => at(now - i, i + 3));
    expect(refreshed(many, [linked], now)).toEqual([at(now, 2), ...many.slice(0, 63)]);
  });
});
