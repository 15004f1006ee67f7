import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL = 10;
const GRACE = 2_000;

/**
 * The pids of running forwarders that serve this control socket, in our own network namespace. Found by their command line,
 * so that one is found even when its socket or our notes are gone.
 */
export async function findForwarders(controlPath: string): Promise<number[]> {
  const own = await readlink('/proc/self/ns/net');
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => ((await serves(pid, controlPath, own)) ? Number(pid) : undefined)),
  );
  return found.filter((pid) => pid !== undefined);
}

async function serves(pid: string, controlPath: string, namespace: string): Promise<boolean> {
  try {
    const [command = '', verb, ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
    return (
      basename(command) === 'weft-forwarder' &&
      verb === 'run' &&
      args[args.indexOf('--control') + 1] === controlPath &&
      (await readlink(`/proc/${pid}/ns/net`)) === namespace
    );
  } catch {
    return false; // it ended meanwhile
  }
}

/** Ends every forwarder that serves this control socket: SIGTERM, and SIGKILL after 2 s. Gives how many there were. */
export async function endForwarders(controlPath: string): Promise<number> {
  const pids = await findForwarders(controlPath);
  for (const pid of pids) signal(pid, 'SIGTERM');
  if (!(await forwardersGone(controlPath))) {
    for (const pid of await findForwarders(controlPath)) signal(pid, 'SIGKILL');
    await forwardersGone(controlPath);
  }
  return pids.length;
}

/** Waits until no forwarder serves this control socket; false when one still does after 2 s. */
export async function forwardersGone(controlPath: string): Promise<boolean> {
  for (let waited = 0; waited < GRACE; waited += POLL) {
    if ((await findForwarders(controlPath)).length === 0) return true;
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
