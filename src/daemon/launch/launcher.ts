import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { errorFrom, fileError, WeftError } from '../../errors.js';
import { ROUTER_FLAGS } from '../../node-flags.js';
import { packageRoot } from '../../version.js';
import type { LaunchRequest } from '../state/index.js';
import { runPaths } from '../state/paths.js';
import type { LaunchReport, Ready } from './launch-report.js';

const TIMEOUT = 30_000;

/** A daemon's process that waits for its launch request. */
export interface Launching {
  /**
   * Sends the request (over a pipe: it may hold a secret) and waits until the router works. When the signal comes before,
   * the router is stopped again, and it rejects with `interrupted`.
   */
  launch(request: LaunchRequest, signal: AbortSignal): Promise<Ready>;
  /** Ends the process, when there is nothing to launch after all. */
  cancel(): Promise<void>;
}

/** Where a router has its files. */
export interface Places {
  readonly runDir: string;
  readonly stateDir: string;
}

/** Starts a daemon's process, which outlives us. It can load itself while we find out what to launch. */
export function startDaemon({ runDir, stateDir }: Places): Launching {
  const former = {
    ran: existsSync(runPaths(runDir).note),
    known: existsSync(join(stateDir, 'identity.json')),
  };
  const log = openLog(runDir);
  const flags = new Set([...process.execArgv, ...ROUTER_FLAGS]);
  const child = spawn(process.execPath, [...flags, daemonProgram(), runDir], {
    cwd: '/',
    detached: true,
    // Whoever manages the service that launches a router in the background manages that service, not the router.
    env: { ...process.env, NOTIFY_SOCKET: undefined },
    stdio: ['pipe', 'ignore', log, 'pipe'],
  });
  closeSync(log);
  child.unref();
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const [stdin, , , report] = child.stdio as unknown as [Writable, null, null, Readable];
  stdin.on('error', () => {}); // it ended: its report says why
  const end = async (signal: NodeJS.Signals) => {
    child.ref();
    child.kill(signal);
    await exited;
    const { sweep } = await import('./cleanup.js');
    await sweep({ runDir, stateDir, former });
  };
  return {
    cancel: () => end('SIGKILL'),
    launch: async (request, signal) => {
      stdin.write(`${JSON.stringify(request)}\n`);
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        child.kill('SIGKILL');
      }, TIMEOUT);
      const interrupt = () => child.kill('SIGTERM');
      if (signal.aborted) interrupt();
      signal.addEventListener('abort', interrupt);
      try {
        const line = await text(report);
        if (signal.aborted) throw new WeftError('interrupted', 'interrupted: no router was launched');
        if (late) throw tooLate(runDir);
        stdin.end(); // it stays now
        return await outcome(line, runDir);
      } catch (error) {
        await end('SIGTERM');
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** Built, or in its source when we run from there. */
function daemonProgram(): string {
  const here = import.meta.url;
  if (here.endsWith('.ts')) return fileURLToPath(new URL('../main.ts', here));
  return join(packageRoot(), 'dist/daemon/main.js');
}

function openLog(runDir: string): number {
  try {
    mkdirSync(runDir, { recursive: true, mode: 0o700 });
    return openSync(runPaths(runDir).daemonLog, 'a', 0o600);
  } catch (error) {
    throw fileError(`the run directory ${runDir} cannot be written`, error);
  }
}

/** It was we who ended it: its log ends in the middle of something. */
function tooLate(runDir: string): WeftError {
  return new WeftError(
    'launch-timeout',
    `the router was not ready within ${TIMEOUT / 1000} s, so this command ended it: its log says how far it came (${runPaths(runDir).daemonLog}); \`weft doctor\` looks for what is in the way`,
  );
}

async function outcome(line: string, runDir: string): Promise<Ready> {
  if (line !== '') {
    const report = JSON.parse(line) as LaunchReport;
    if ('ready' in report) return report.ready;
    throw errorFrom(report.error);
  }
  const { daemonLog } = runPaths(runDir);
  const last = (await readFile(daemonLog, 'utf8').catch(() => '')).trim().split('\n').at(-1) ?? '';
  throw new WeftError(
    'launch-failed',
    `the router ended before it was ready: ${last} (its log: ${daemonLog})`,
  );
}
