import type { ChildProcess } from 'node:child_process';

/** Kills a process that was started as the leader of a group (`detached`), with all that it started there. */
export function killGroup({ pid }: Pick<ChildProcess, 'pid'>): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
