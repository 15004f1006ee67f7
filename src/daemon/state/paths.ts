import { join } from 'node:path';

/** Where a running router has its files. */
export function runPaths(runDir: string) {
  return {
    api: join(runDir, 'weft.sock'),
    forwarder: join(runDir, 'forwarder.sock'),
    forwarderLog: join(runDir, 'forwarder.log'),
    daemonLog: join(runDir, 'daemon.log'),
    pid: join(runDir, 'daemon.pid'),
    note: join(runDir, 'router.json'),
    witness: join(runDir, 'witness.json'),
  };
}
