import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemCode } from '../errors.js';

const POLL = 10;
const GRACE = 2_000;

/**
 * The pids of running forwarders that serve this control socket, in our own network namespace. Found by their command line,
 * so that one is found even when its socket or our notes are gone. Synchronous: procfs answers from memory.
 */
export function findForwarders(controlPath: string): number[] {
  const own = readlinkSync('/proc/self/ns/net');
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => serves(pid, controlPath, own)).map(Number);
}

function serves(pid: string, controlPath: string, namespace: string): boolean {
  try {
    const [command = '', verb, ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return (
      basename(command) === 'weft-forwarder' &&
      verb === 'run' &&
      args[args.indexOf('--control') + 1] === controlPath &&
      mayBeIn(namespace, pid)
    );
  } catch {
    return false; // it ended meanwhile
  }
}

/** Without CAP_SYS_PTRACE the namespace of a process that dropped its privileges is not to be seen: then the path decides. */
function mayBeIn(namespace: string, pid: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`) === namespace;
  } catch (error) {
    return systemCode(error) === 'EACCES';
  }
}

/**
 * Ends every forwarder that serves this control socket: SIGTERM, and SIGKILL after 2 s. Gives how many there were. The socket goes, too: from its sandbox a
 * forwarder sees no files.
 */
export async function endForwarders(controlPath: string): Promise<number> {
  const pids = findForwarders(controlPath);
  for (const pid of pids) signal(pid, 'SIGTERM');
  if (!(await forwardersGone(controlPath))) {
    killForwarders(controlPath);
    await forwardersGone(controlPath);
  }
  await rm(controlPath, { force: true });
  return pids.length;
}

/** Kills every forwarder that serves this control socket. */
export function killForwarders(controlPath: string): void {
  for (const pid of findForwarders(controlPath)) killForwarder(pid);
}

/** Kills this forwarder alone. */
export function killForwarder(pid: number): void {
  signal(pid, 'SIGKILL');
}

/** Waits until no forwarder serves this control socket; false when one still does after 2 s. */
export async function forwardersGone(controlPath: string): Promise<boolean> {
  for (let waited = 0; waited < GRACE; waited += POLL) {
    if (findForwarders(controlPath).length === 0) return true;
    await delay(POLL);
  }
  return false;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it ended by itself
  }
}
