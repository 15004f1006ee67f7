import { findForwarders } from '../forwarder/index.js';
import { removeInterfaces } from '../hostnet/index.js';
import { unwritable } from '../identity/index.js';
import { joinCommand } from './join.js';
import type { LaunchRequest } from './launch-request.js';
import { lockRunDir } from './lock.js';
import { createLog, errorFields, type Log, type LogTarget, logFatal } from './logging.js';
import { runPaths } from './paths.js';
import { makePlan, type Plan } from './plan.js';
import { Router } from './router.js';
import { makeRunDir, type RunNote, readRunNote, removeRunFiles, writeRunNote } from './run-dir.js';

/** What the launcher is told once everything works. */
export interface Ready {
  readonly peer: string;
  readonly nickname: string;
  readonly network: string;
  readonly mode: 'token' | 'password';
  /** The network and the targets come from an earlier launch. */
  readonly resumed: boolean;
  readonly port: number;
  readonly bridge: string;
  readonly mtu: number;
  readonly pid: number;
  /** The command that joins another host. */
  readonly join: string;
}

/**
 * Runs one router in this process, until it is stopped; everything is taken down then. `onReady` is called when it works.
 * Rejects when it cannot be started.
 */
export async function runRouter(
  request: LaunchRequest,
  logs: LogTarget,
  onReady: (ready: Ready) => void,
): Promise<void> {
  process.umask(0o077);
  const lock = await explained(request, async () => {
    await makeRunDir(request.runDir);
    return await lockRunDir(request.runDir);
  });
  try {
    await explained(request, () => runLocked(request, logs, onReady));
  } finally {
    // After a failed start an adopted forwarder is still at work: the next launch needs to find it.
    const { forwarder } = runPaths(request.runDir);
    if (findForwarders(forwarder).length === 0) await removeRunFiles(request.runDir);
    lock.release();
  }
}

async function runLocked(
  request: LaunchRequest,
  logs: LogTarget,
  onReady: (ready: Ready) => void,
): Promise<void> {
  const plan = await makePlan(request);
  const log = createLog(plan.settings.logLevel, logs);
  endOnFault(logs);
  const asked = askedToStop();
  await takeOver(request.runDir, { peer: plan.identity.peer, bridge: plan.settings.bridge });
  const { network, settings } = plan;
  // Loading the API takes a while, and so does the forwarder's start.
  const [router, { serveApi }, join] = await Promise.all([
    Router.start(request, plan, log),
    import('../api/index.js'),
    joinCommand({ network, port: settings.port, addresses: settings.advertise }),
  ]);
  const api = await serveApi({
    socketPath: runPaths(request.runDir).api,
    router,
    onFault: (error, what) => log.error(`${what} failed: ${error.message}`, errorFields(error)),
  });
  void asked.then(() => stopQuietly(router, log));
  onReady(readiness(plan, router.mtu, join));
  log.info('ready', { peer: plan.identity.peer, port: settings.port });
  await router.stopped;
  await api.close();
  log.close();
}

/** Notes whose interfaces are being made. Those of a killed router that was somebody else, or had another bridge, go. */
async function takeOver(runDir: string, note: RunNote): Promise<void> {
  const former = await readRunNote(runDir);
  if (former !== undefined && (former.peer !== note.peer || former.bridge !== note.bridge)) {
    await removeInterfaces(former.bridge, former.peer);
  }
  await writeRunNote(runDir, note);
}

function readiness({ identity, network, settings, resumed }: Plan, mtu: number, join: string): Ready {
  const { nickname, port, bridge } = settings;
  return {
    peer: identity.peer,
    nickname,
    network: network.id,
    mode: network.mode,
    resumed,
    port,
    bridge,
    mtu,
    pid: process.pid,
    join,
  };
}

/** Resolves at SIGTERM or SIGINT. One that comes while the router starts counts once it has. */
function askedToStop(): Promise<void> {
  process.on('SIGHUP', () => {}); // the terminal that launched us is gone; we stay
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
  });
}

async function stopQuietly(router: Router, log: Log): Promise<void> {
  try {
    await router.stop({ forget: false });
  } catch (error) {
    log.warn(`not stopped: ${String(error)}`, errorFields(error)); // somebody else stops it already
  }
}

/** After a fault nothing in this process can be trusted. The forwarder goes on, and the next launch adopts it. */
function endOnFault(logs: LogTarget): void {
  process.on('uncaughtException', (error) => {
    logFatal(logs, error);
    process.exit(1);
  });
}

/** Turns the usual failures of the file system into something to act on. */
async function explained<T>({ runDir, stateDir }: LaunchRequest, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const path = error instanceof Error && 'path' in error ? String(error.path) : `${stateDir} or ${runDir}`;
    throw unwritable(path, error) ?? error;
  }
}
