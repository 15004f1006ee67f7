/**
 * The status address: what everybody on this host may read of the router, by HTTP. Others add to it by `StatusRoutes`.
 */
export { readiness } from './health.js';
export * from './mesh/index.js';
export type {
  DaemonFacts,
  DockerActivity,
  EnforcementActivity,
  KernelPathActivity,
  Observation,
  Observe,
} from './observation.js';
export { pathOf } from './peer-path.js';
export { observationRoutes } from './routes.js';
export { type StatusRoutes, type StatusServer, serveStatus } from './server.js';
