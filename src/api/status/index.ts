/**
 * The status address: what everybody on this host may read of the router, by HTTP. Others add to it by `StatusRoutes`.
 */
export type { DaemonFacts, DockerActivity, Observation, Observe } from './observation.js';
export { observationRoutes } from './routes.js';
export { type StatusRoutes, type StatusServer, serveStatus } from './server.js';
