/**
 * Routers that share only a password agree once on the founders of the ring. docs/protocol.md, section 13.
 */
export { Election, type ElectorOptions } from './election.js';
export { MAX_ELECTORS, signerOf } from './wire.js';
