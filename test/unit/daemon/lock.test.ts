import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockHolder, lockRunDir } from '../../../src/daemon/lock.js';

describe('the lock of a run directory', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-lock-'));
  });

  afterEach(() => rm(directory, { recursive: true }));

  it('lets one router in, and tells the second the pid of the first', async () => {
    const lock = await lockRunDir(directory);
    await expect(lockRunDir(directory)).rejects.toMatchObject({
      code: 'already-running',
      message: expect.stringContaining(`pid ${process.pid}`),
    });
    expect(await lockHolder(directory)).toBe(process.pid);
    lock.release();
  });

  it('knows a directory under all its names', async () => {
    const lock = await lockRunDir(directory);
    const alias = `${directory}-alias`;
    await symlink(directory, alias);
    await expect(lockRunDir(alias)).rejects.toMatchObject({ code: 'already-running' });
    await rm(alias);
    lock.release();
  });

  it('is free again after its release, whatever files are left', async () => {
    (await lockRunDir(directory)).release();
    expect(await lockHolder(directory)).toBeUndefined();
    (await lockRunDir(directory)).release();
  });

  it('is held by nobody where there is no directory', async () => {
    expect(await lockHolder(join(directory, 'nowhere'))).toBeUndefined();
  });
});
