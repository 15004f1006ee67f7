/** Commands of other programs, started at little cost. */
export { describeEnding, type Executed, execute, spawner } from './execute.js';
export type { Ending, Listener, Spawned } from './spawner.js';
