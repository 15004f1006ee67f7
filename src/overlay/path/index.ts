/** How a peer's packets get there: candidates, hole punching, relays, TCP. docs/protocol.md, section 7. */
export { candidatesOf } from './candidates.js';
export { type LostWays, lostWayRemedy, lostWays, lostWayText, type Way } from './lost-ways.js';
export { PATH_CHANNEL } from './messages.js';
export { type Nat, natConflict } from './nat.js';
export { Paths } from './paths.js';
export { Rendezvous } from './rendezvous.js';
export type { RelayOption } from './routes.js';
export { Streams } from './streams.js';
export { type Hop, Tracer } from './tracer.js';
