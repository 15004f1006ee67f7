import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockHolder, lockRunDir, lockStateDir } from '../../../src/daemon/state/lock.js';

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
    await lock.release();
  });

  it('knows a directory under all its names', async () => {
    const lock = await lockRunDir(directory);
    const alias = `${directory}-alias`;
    await symlink(directory, alias);
    await expect(lockRunDir(alias)).rejects.toMatchObject({ code: 'already-running' });
    await rm(alias);
    await lock.release();
  });

  it('is free again after its release, whatever files are left', async () => {
    await (await lockRunDir(directory)).release();
    expect(await lockHolder(directory)).toBeUndefined();
    await (await lockRunDir(directory)).release();
  });

  it('is held by nobody where there is no directory', async () => {
    expect(await lockHolder(join(directory, 'nowhere'))).toBeUndefined();
  });

  it('stands until somebody removes the directory, also when another one takes its place', async () => {
    const inner = join(directory, 'run');
    await mkdir(inner);
    const lock = await lockRunDir(inner);
    expect(await lock.stands()).toBe(true);
    await rm(inner, { recursive: true });
    expect(await lock.stands()).toBe(false);
    await mkdir(inner);
    expect(await lock.stands()).toBe(false);
    await lock.release();
  });
});

describe('the lock of a state directory', () => {
  it('keeps a second router with another run directory out, and may be of the run directory itself', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'weft-lock-'));
    const locks = [await lockRunDir(directory), await lockStateDir(directory)];
    await expect(lockStateDir(directory)).rejects.toMatchObject({
      code: 'already-running',
      message: expect.stringContaining(`state directory ${directory}`),
    });
    for (const lock of locks) await lock.release();
    await rm(directory, { recursive: true });
  });
});
