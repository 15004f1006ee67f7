/** One router's part in the ring: what it owns, how that changes hands, and which of its addresses are allocated. */
export { Holdings, IPV4, IPV6, type Slot, spareBlock } from './allocations.js';
export { Departure } from './handover.js';
export { Outbox, type Output } from './outbox.js';
export { Domain } from './ownership.js';
export { type Estate, emptyState, estateOf, type RingState } from './state.js';
export { seatFacts, Takeover } from './takeover.js';
