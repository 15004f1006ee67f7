/**
 * The composition root: what a router is made of, how it starts, ends, and comes back. Heavy parts are loaded when they are
 * used: the command line asks for little of this.
 */
import { type Ready, runRouter as run } from './launch/index.js';
import type { LogTarget } from './logging/index.js';
import type { ServiceManager } from './service/index.js';
import type { LaunchRequest } from './state/index.js';

export {
  type Cleaned,
  type CleanupOptions,
  cleanUp,
  type Launching,
  type Ready,
  startDaemon,
} from './launch/index.js';
export type { LogTarget } from './logging/index.js';
export { takeServiceManager } from './service/index.js';
export type { ChosenSettings, LaunchRequest } from './state/index.js';
export { runPaths } from './state/paths.js';

/** Runs a router in this process until it is stopped. See launch/run.ts. */
export async function runRouter(
  request: LaunchRequest,
  logs: LogTarget,
  onReady: (ready: Ready) => Promise<void>,
  manager?: ServiceManager,
): Promise<void> {
  const { Router } = await import('./lifecycle.js');
  await run(request, logs, Router.start, onReady, manager);
}
