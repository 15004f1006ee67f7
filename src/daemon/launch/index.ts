/**
 * From a launch request to a running router, and away with what a killed one left. What is heavy is loaded when it is used: the command
 * line asks for little of this.
 */
import type { LogTarget } from '../logging/index.js';
import type { ServiceManager } from '../service/index.js';
import type { LaunchRequest } from '../state/index.js';
import type { Cleaned, CleanupOptions } from './cleanup.js';
import type { Ready } from './launch-report.js';
import type { StartRouter } from './run.js';

export type { Cleaned, CleanupOptions } from './cleanup.js';
export type { LaunchReport, Ready } from './launch-report.js';
export { type Launching, startDaemon } from './launcher.js';
export type { Plan } from './plan.js';
export type { LaunchedRouter, StartRouter } from './run.js';

/** Runs a router in this process until it is stopped. See run.ts. */
export async function runRouter(
  request: LaunchRequest,
  logs: LogTarget,
  start: StartRouter,
  onReady: (ready: Ready) => Promise<void>,
  manager?: ServiceManager,
): Promise<void> {
  const room = await import('./run.js');
  await room.runRouter(request, logs, start, onReady, manager);
}

/** Takes down what a killed router left. See cleanup.ts. */
export async function cleanUp(options: CleanupOptions): Promise<Cleaned> {
  const room = await import('./cleanup.js');
  return await room.cleanUp(options);
}

/** Removes the run directory of a launch that was given up before it began. See cleanup.ts. */
export async function sweepRunDir(runDir: string): Promise<void> {
  const room = await import('./cleanup.js');
  await room.sweepRunDir(runDir);
}
