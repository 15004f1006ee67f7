import { readFile, stat } from 'node:fs/promises';
import { systemCode, WeftError } from '../errors.js';

/** A network namespace to attach. */
export interface Namespace {
  /** As the user named it: a name of `ip netns`, a path, or a process id. */
  readonly target: string;
  readonly path: string;
  /** Identifies the namespace as long as it exists: inode number in nsfs. */
  readonly inode: number;
}

/**
 * Finds a namespace by name (`ip netns`), path (`/…`) or process id. Rejects with `no-such-namespace`, `not-a-namespace`,
 * `own-namespace`, `no-privilege`.
 */
export async function resolveNamespace(target: string): Promise<Namespace> {
  const path = pathOf(target);
  const [inode, own] = await Promise.all([inodeOf(path, target), inodeOf('/proc/self/ns/net', 'self')]);
  if (inode === own) {
    throw new WeftError(
      'own-namespace',
      `${target} is the router's own network namespace (the host): only containers can be attached`,
    );
  }
  return { target, path, inode };
}

function pathOf(target: string): string {
  if (/^\/[^\s"']+$/.test(target)) return target;
  if (/^[1-9]\d*$/.test(target)) return `/proc/${target}/ns/net`;
  if (/^[^/\s"']+$/.test(target) && target !== '.' && target !== '..') return `/run/netns/${target}`;
  throw new WeftError('no-such-namespace', `"${target}" is not a namespace's name or path, nor a process id`);
}

/** Opens and stats it. `/proc/PID/ns/net` and bind mounts both give the nsfs inode. */
async function inodeOf(path: string, target: string): Promise<number> {
  try {
    const { ino, dev } = await stat(path);
    if (path.startsWith('/proc/') || dev === (await stat('/proc/self/ns/net')).dev) return ino;
  } catch (error) {
    throw explain(error, path, target);
  }
  throw new WeftError(
    'not-a-namespace',
    `${path} is a file but no network namespace: give a name of \`ip netns\`, the path of one, or a process id`,
  );
}

function explain(error: unknown, path: string, target: string): WeftError {
  if (systemCode(error) === 'EACCES' || systemCode(error) === 'EPERM') {
    return new WeftError('no-privilege', `${path} may not be entered: run weft as root`, { cause: error });
  }
  return new WeftError(
    'no-such-namespace',
    `there is no network namespace "${target}" (looked at ${path}): \`ip netns list\` shows the named ones; for a container give the id of one of its processes`,
    { cause: error },
  );
}

/** Changes with each boot of the machine: process ids and inodes of an earlier one mean nothing. */
export async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}
