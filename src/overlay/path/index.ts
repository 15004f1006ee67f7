/** How a peer's packets get there: directly or over relays, and what helps them through. docs/protocol.md, section 7. */
export { PathChannel } from './channel.js';
export { type LostWays, lostWayRemedy, lostWays, lostWayText, type Way } from './lost-ways.js';
export { PATH_CHANNEL } from './messages.js';
export { Paths } from './paths.js';
export type { LinkStates, RelayOption } from './relays.js';
export { type Hop, Tracer } from './tracer.js';
export { candidatesOf, type Nat, natConflict, Rendezvous, Streams } from './traversal/index.js';
