/** The native forwarder: its process, its control socket, and the data plane that it is for the overlay. docs/forwarder.md */
export { locateForwarder, type SelfTestReport, selfTest } from './binary.js';
export type {
  ForwarderDump,
  ForwarderEvent,
  ForwarderHello,
  ForwarderMacs,
  ForwarderStats,
} from './control/index.js';
export { ForwarderDataPlane } from './data-plane.js';
export {
  Forwarder,
  type ForwarderEvents,
  type ForwarderNetwork,
  type ForwarderOptions,
} from './forwarder.js';
export { endForwarders, findForwarders } from './processes.js';
