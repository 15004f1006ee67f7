/**
 * One router's part in the ring: what it owns, how that changes hands, and which of its addresses are
 * allocated.
 */
export { type Allocation, Allocations, IPV4, IPV6 } from './allocations.js';
export { Donation } from './donation.js';
export { Handover } from './handover.js';
export type { Move } from './moves.js';
export { Outbox, type Output } from './outbox.js';
export { Ownership } from './ownership.js';
export { emptyState, type OwnArcs, ownArcsOf, type RingState } from './state.js';
export { Takeover } from './takeover.js';
