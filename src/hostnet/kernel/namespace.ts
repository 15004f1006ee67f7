import { statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { systemCode, WeftError } from '../../errors.js';

/** A network namespace to attach. */
export interface Namespace {
  /** A name of `ip netns` (`netns:` before one of digits only), a path, or a process id. */
  readonly target: string;
  readonly path: string;
  /** Identifies the namespace as long as it exists: inode number in nsfs. */
  readonly inode: number;
}

/**
 * Finds a namespace by name (`ip netns`; also `netns:NAME`), path (`/…`) or process id (also `pid:ID`). Rejects with `no-such-namespace`, `not-a-namespace`,
 * `own-namespace`, `no-privilege`.
 */
export async function resolveNamespace(target: string): Promise<Namespace> {
  const path = pathOf(target);
  if (path === undefined) {
    throw new WeftError(
      'no-such-namespace',
      `"${target}" is not a namespace's name or path, nor a process id`,
    );
  }
  const [inode, own] = await Promise.all([inodeOf(path, target), inodeOf('/proc/self/ns/net', 'self')]);
  if (inode === own) {
    throw new WeftError(
      'own-namespace',
      `${target} is the router's own network namespace (the host): only containers can be attached`,
    );
  }
  return { target, path, inode };
}

/** The inode of the namespace that a target means now; undefined when there is none. Without a wait: asked of all containers every two seconds. */
export function namespaceInode(target: string): number | undefined {
  const path = pathOf(target);
  return path === undefined ? undefined : statSync(path, { throwIfNoEntry: false })?.ino;
}

/** How a namespace is called for good: of several ways to write it the shortest that means nothing else. */
export function canonicalTarget(target: string): string {
  if (target.startsWith('pid:')) return target.slice('pid:'.length);
  const name = target.replace(/^netns:/, '');
  return isProcessId(name) && name !== target ? target : name;
}

function pathOf(target: string): string | undefined {
  if (/^\/[^\s"']+$/.test(target)) return target;
  const pid = target.replace(/^pid:/, '');
  if (isProcessId(pid)) return `/proc/${pid}/ns/net`;
  const name = target.replace(/^netns:/, '');
  return /^[^/\s"']+$/.test(name) && name !== '.' && name !== '..' ? `/run/netns/${name}` : undefined;
}

function isProcessId(text: string): boolean {
  return /^[1-9]\d*$/.test(text);
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
