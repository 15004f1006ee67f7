/** The log of the daemon, and what of the other rooms it tells. */
export { logForwarder, logMesh, logOverlay } from './event-log.js';
export { createLog, errorFields, type Log, type LogTarget, logFatal } from './log.js';
