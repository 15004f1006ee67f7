export { logForwarder, logMesh, logOverlay } from './event-log.js';
export { createLog, errorFields, type Log, type LogTarget, logFatal } from './log.js';
