import { chmod, mkdir, open, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { fileError, systemCode, WeftError } from '../errors.js';

/**
 * Reads a JSON file that holds secrets; undefined when there is none.
 *
 * A file of ours that others could read is made private (0600); one that belongs to another user is refused with
 * `file-not-private`, because whoever owns it can read and change it. Rejects with `file-corrupt` when it is not JSON, and
 * with `no-privilege`, `bad-directory` or `file-unreadable` when it cannot be read.
 */
export async function readPrivateJson(path: string): Promise<unknown> {
  const info = await stat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw unreadable(path, error);
  });
  if (info === undefined) return undefined;
  const self = process.getuid?.();
  if (self !== undefined && info.uid !== self && self !== 0) {
    throw new WeftError(
      'file-not-private',
      `${path} holds a secret but belongs to user ${info.uid}, not to ${self}: change its owner with chown, or use another state directory`,
    );
  }
  if ((info.mode & 0o077) !== 0) await chmod(path, 0o600);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw corruptFile(path, 'it is not JSON', error);
  }
}

/**
 * Writes a JSON file, private (0600), all or nothing, and on the disk when this resolves. Rejects with `disk-full`,
 * `no-privilege` or `bad-directory`; what was there before is there still.
 */
export async function writePrivateJson(path: string, value: unknown): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFileAtomic(path, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 });
    await syncDirectory(dirname(path));
  } catch (error) {
    throw fileError(`cannot write to ${path}`, error);
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The error for a file whose contents cannot be used. It is never overwritten: it may be the only copy. */
export function corruptFile(path: string, why: string, cause?: unknown): WeftError {
  return new WeftError(
    'file-corrupt',
    `${path} is damaged: ${why}; restore it from a backup, or move it away to start anew (weft reset does)`,
    { cause },
  );
}

function unreadable(path: string, cause: unknown): WeftError {
  const error = fileError(`${path} cannot be read`, cause);
  if (error instanceof WeftError) return error;
  return new WeftError('file-unreadable', `${path} cannot be read: ${String(cause)}`, { cause });
}
