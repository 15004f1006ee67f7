/**
 * The composition root: what a router is made of, how it starts, ends, and comes back. Heavy parts are loaded when they are
 * used: the command line asks for little of this.
 */
import type { Cleaned, CleanupOptions } from './cleanup.js';
import type { LaunchRequest } from './launch-request.js';
import type { LogTarget } from './logging.js';
import type { Ready } from './run.js';

export type { Cleaned, CleanupOptions } from './cleanup.js';
export type { ChosenSettings, LaunchRequest } from './launch-request.js';
export { type Launching, startDaemon } from './launcher.js';
export type { LogTarget } from './logging.js';
export { runPaths } from './paths.js';
export type { Ready } from './run.js';

/** Runs a router in this process until it is stopped. See run.ts. */
export async function runRouter(
  request: LaunchRequest,
  logs: LogTarget,
  onReady: (ready: Ready) => Promise<void>,
): Promise<void> {
  const room = await import('./run.js');
  await room.runRouter(request, logs, onReady);
}

/** Takes down what a killed router left. See cleanup.ts. */
export async function cleanUp(options: CleanupOptions): Promise<Cleaned> {
  const room = await import('./cleanup.js');
  return await room.cleanUp(options);
}
