/** The forwarder's control socket: its contract, and the client's end of it. docs/forwarder.md */
export { ControlClient } from './client.js';
export type { AnswerOf, Operation, RequestOf } from './contract.js';
export type { ForwarderEvent } from './events.js';
export { Operations } from './operations.js';
export type {
  ForwarderDump,
  ForwarderGroups,
  ForwarderHello,
  ForwarderMacs,
  ForwarderStats,
} from './reports.js';
