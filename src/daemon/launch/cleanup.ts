import { setTimeout as delay } from 'node:timers/promises';
import { endForwarders, findForwarders } from '../../forwarder/index.js';
import {
  Firewall,
  interfaceNames,
  removeInterfaces,
  removePolicyFilter,
  removePortGuard,
  VxlanGuard,
} from '../../hostnet/index.js';
import { removeCniFiles } from '../../plugins/cni/index.js';
import {
  lockHolder,
  lockStateDir,
  type RunNote,
  readRunNote,
  removeRunFiles,
  removeState,
  stateFiles,
} from '../state/index.js';
import { runPaths } from '../state/paths.js';

const POLL = 20;
const GRACE = 3_000;

export interface CleanupOptions {
  readonly runDir: string;
  readonly stateDir: string;
  /** Also the identity, the network and everything else in the state directory. */
  readonly forget: boolean;
}

/** What was found and removed. */
export interface Cleaned {
  /** A daemon that did not answer any more was ended. */
  readonly daemon: boolean;
  readonly forwarders: number;
  readonly interfaces: readonly string[];
}

/** Takes down what a router left that was killed, or that does not answer any more. Works without the state directory. */
export async function cleanUp({ runDir, stateDir, forget }: CleanupOptions): Promise<Cleaned> {
  const daemon = await endDaemon(runDir);
  const forwarders = await endForwarders(runPaths(runDir).forwarder);
  const note = await readRunNote(runDir);
  const interfaces = note === undefined ? [] : await removeTraces(note);
  await removeRunFiles(runDir);
  if (forget) {
    await withdrawCni(stateDir);
    await removeState(stateDir);
  }
  return { daemon, forwarders, interfaces };
}

/** Runtimes would start containers by a router that is never to run again. State that cannot be read says nothing of it. */
async function withdrawCni(stateDir: string): Promise<void> {
  const { installation } = await stateFiles(stateDir)
    .cni.read()
    .catch(() => ({ installation: null }));
  if (installation !== null) await removeCniFiles(installation);
}

/** What was there before a launch, and is to be left as it is when that fails. */
export interface Former {
  /** A router ran, or had been killed: its forwarder may be at work. */
  readonly ran: boolean;
  /** The state directory was a router's. */
  readonly known: boolean;
}

export type SweepOptions = Pick<CleanupOptions, 'runDir' | 'stateDir'> & { readonly former: Former };

/** Removes what a daemon left that ended before its router worked: all of it when it was killed, else its run files. */
export async function sweep({ runDir, stateDir, former }: SweepOptions): Promise<void> {
  if (former.ran) return await sweepRunDir(runDir);
  if ((await lockHolder(runDir)) !== undefined) return;
  await cleanUp({ runDir, stateDir, forget: false });
  if (!former.known) await forgetUnlessUsed(stateDir);
}

/** Removes run files where nobody needs them: no other router has the directory, and no forwarder is at work. */
export async function sweepRunDir(runDir: string): Promise<void> {
  const { forwarder } = runPaths(runDir);
  if ((await lockHolder(runDir)) !== undefined || findForwarders(forwarder).length > 0) return;
  await removeRunFiles(runDir);
}

async function forgetUnlessUsed(stateDir: string): Promise<void> {
  const lock = await lockStateDir(stateDir).catch(() => undefined);
  if (lock === undefined) return; // another router has it, or nothing is there
  await removeState(stateDir);
  await lock.release();
}

/** Interfaces, and rules of the packet filter: as far as there is a packet filter, and unless the bridge is another router's. */
async function removeTraces({ bridge, peer }: RunNote): Promise<string[]> {
  const removed = await removeInterfaces(bridge, peer);
  if ((await interfaceNames()).has(bridge)) return removed;
  await new Firewall(bridge).remove().catch(() => {});
  await removePortGuard(bridge).catch(() => {});
  await removePolicyFilter(bridge).catch(() => {});
  await new VxlanGuard(bridge).drop().catch(() => {});
  return removed;
}

async function endDaemon(runDir: string): Promise<boolean> {
  const pid = await lockHolder(runDir);
  if (pid === undefined) return false;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    process.kill(pid, signal);
    if (await unlocked(runDir)) break;
  }
  return true;
}

async function unlocked(runDir: string): Promise<boolean> {
  for (let waited = 0; waited < GRACE; waited += POLL) {
    if ((await lockHolder(runDir)) === undefined) return true;
    await delay(POLL);
  }
  return false;
}
