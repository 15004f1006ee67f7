import { setTimeout as delay } from 'node:timers/promises';
import type { DnsWaiting, RouterControl, Stopped } from '../../api/index.js';
import { WeftError } from '../../errors.js';
import { findForwarders } from '../../forwarder/index.js';
import { kernelFault, removeInterfaces } from '../../hostnet/index.js';
import { rangesOf } from '../addresses/index.js';
import { createLog, errorFields, type Log, type LogTarget } from '../logging/index.js';
import { joinCommand } from '../membership/index.js';
import type { ServiceManager } from '../service/index.js';
import type { LaunchRequest } from '../state/index.js';
import {
  checkRunDir,
  type Lock,
  lockRunDir,
  lockStateDir,
  makeDirectory,
  type RunNote,
  readRunNote,
  removeRunFiles,
  writeRunNote,
} from '../state/index.js';
import { runPaths } from '../state/paths.js';
import type { Ready } from './launch-report.js';
import { makePlan, type Plan } from './plan.js';
import { askedToStop, compileLate, endOnFault } from './process.js';

/** How often to look whether the run directory is still there, in milliseconds. */
const LOCK_CHECK = 2_000;

/** A router that works, as whoever runs it needs it. */
export interface LaunchedRouter {
  readonly control: RouterControl;
  /** Of the overlay. */
  readonly mtu: number;
  readonly names: { waiting(): DnsWaiting[] };
  /** Resolves when it is to stop. */
  readonly stopping: Promise<void>;
  /** Resolves once it was stopped and everything is taken down. */
  readonly stopped: Promise<void>;
  /** Leaves the network and takes everything down; with `forget`, the state too. */
  stop(how: { readonly forget: boolean }): Promise<Stopped>;
  /** Ends it as if it had never been launched. */
  abandon(): Promise<void>;
}

/** Starts the router of a plan; rejects when it cannot be started, and nothing is left then. */
export type StartRouter = (request: LaunchRequest, plan: Plan, log: Log) => Promise<LaunchedRouter>;

/**
 * Runs one router in this process, until it is stopped; everything is taken down then. `onReady` is called when it works, and
 * resolves when whoever launched it knows. Rejects when it cannot be started, with `interrupted` when it was to stop before that, and
 * with `run-dir-gone` when somebody removed its run directory.
 */
export async function runRouter(
  request: LaunchRequest,
  logs: LogTarget,
  start: StartRouter,
  onReady: (ready: Ready) => Promise<void>,
  manager?: ServiceManager,
): Promise<void> {
  process.umask(0o077);
  compileLate();
  const asked = askedToStop(logs);
  endOnFault(logs);
  const fault = kernelFault();
  if (fault !== undefined) throw new WeftError('old-kernel', `${fault.finding}: ${fault.remedy}`);
  checkRunDir(request.runDir);
  await makeDirectory(request.runDir);
  const lock = await lockRunDir(request.runDir);
  try {
    await withState(request, async () => {
      const interrupted = () =>
        asked.then(() => {
          throw new WeftError('interrupted', 'interrupted: no router was launched');
        });
      const running = await begin(request, logs, start, (ready) =>
        Promise.race([interrupted(), onReady(ready)]),
      );
      await manager?.follow(running.router, (what) => running.log.warn(what));
      await untilStopped(running, lock, asked);
    });
  } finally {
    // After a failed start an adopted forwarder is still at work: the next launch needs to find it.
    const { forwarder } = runPaths(request.runDir);
    if (findForwarders(forwarder).length === 0) await removeRunFiles(request.runDir);
    await lock.release();
  }
}

/** Works while no other router has the state directory. */
async function withState({ stateDir }: LaunchRequest, work: () => Promise<void>): Promise<void> {
  await makeDirectory(stateDir);
  const lock = await lockStateDir(stateDir);
  try {
    await work();
  } finally {
    await lock.release();
  }
}

interface Running {
  readonly router: LaunchedRouter;
  readonly api: { close(): Promise<void> };
  readonly log: Log;
  readonly ready: Ready;
}

/** Starts everything, and tells it. When that fails, the state directory is left as it was. */
async function begin(
  request: LaunchRequest,
  logs: LogTarget,
  start: StartRouter,
  tell: (ready: Ready) => Promise<void>,
): Promise<Running> {
  const plan = await makePlan(request);
  try {
    const running = await beginPlanned(request, plan, createLog(plan.settings.logLevel, logs), start);
    await tell(running.ready).catch(async (error: unknown) => {
      await running.router.abandon();
      await close(running);
      throw error;
    });
    return running;
  } catch (error) {
    await plan.undo();
    throw error;
  }
}

async function beginPlanned(
  request: LaunchRequest,
  plan: Plan,
  log: Log,
  start: StartRouter,
): Promise<Running> {
  await takeOver(request.runDir, { peer: plan.identity.peer, bridge: plan.settings.bridge });
  const { network, settings } = plan;
  // Loading the API takes a while, and so does the forwarder's start.
  const starting = start(request, plan, log);
  try {
    const [router, { serveApi }, join] = await Promise.all([
      starting,
      import('../../api/index.js'),
      joinCommand({
        network,
        port: settings.port,
        addresses: settings.advertise,
        inside: rangesOf(plan.addresses),
      }),
    ]);
    const api = await serveApi({
      socketPath: runPaths(request.runDir).api,
      router: router.control,
      onFault: (error, what) => log.error(`${what} failed: ${error.message}`, errorFields(error)),
    });
    return { router, api, log, ready: readiness(plan, router, join) };
  } catch (error) {
    await starting.then(
      (router) => router.abandon(),
      () => {}, // it has ended itself
    );
    throw error;
  }
}

/** Resolves when the router was stopped, whoever wanted that, and nothing is left of it but its run files. */
async function untilStopped(running: Running, lock: Lock, asked: Promise<void>): Promise<void> {
  const { router, log, ready } = running;
  log.info('ready', { peer: ready.peer, port: ready.port });
  void asked.then(() => stopQuietly(router, log));
  const ended = new AbortController();
  const removed = isRemoved(lock, ended.signal);
  void removed.then(async (yes) => {
    if (!yes) return;
    log.error('the run directory was removed: nobody can reach this router any more, it stops');
    await stopQuietly(router, log);
  });
  await router.stopped;
  ended.abort();
  await close(running);
  if (!(await removed)) return;
  throw new WeftError(
    'run-dir-gone',
    'the run directory was removed while the router ran, so it stopped: `weft launch` starts it again',
  );
}

async function close({ api, log }: Running): Promise<void> {
  await api.close();
  log.close();
}

/** True once somebody removed the locked directory, false when the signal came before. */
async function isRemoved(lock: Lock, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (!(await lock.stands())) return true;
    await delay(LOCK_CHECK, undefined, { signal }).catch(() => {}); // the signal came
  }
  return false;
}

/** Notes whose interfaces are being made. Those of a killed router that was somebody else, or had another bridge, go. */
async function takeOver(runDir: string, note: RunNote): Promise<void> {
  const former = await readRunNote(runDir);
  if (former !== undefined && (former.peer !== note.peer || former.bridge !== note.bridge)) {
    await removeInterfaces(former.bridge, former.peer);
  }
  await writeRunNote(runDir, note);
}

function readiness(
  { identity, network, settings, resumed }: Plan,
  router: LaunchedRouter,
  join: string,
): Ready {
  const { nickname, port, bridge } = settings;
  return {
    peer: identity.peer,
    nickname,
    network: network.id,
    mode: network.mode,
    resumed,
    port,
    bridge,
    mtu: router.mtu,
    pid: process.pid,
    dnsWaiting: router.names.waiting(),
    join,
  };
}

async function stopQuietly(router: LaunchedRouter, log: Log): Promise<void> {
  try {
    await router.stop({ forget: false });
  } catch (error) {
    log.warn(`not stopped: ${String(error)}`, errorFields(error)); // somebody else stops it already
  }
}
