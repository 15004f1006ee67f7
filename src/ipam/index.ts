/** Who owns which addresses, and which container has which. One address is never given out twice, in any partition. */
export type { AddressAllocator } from './allocator.js';
export { Election, type ElectorOptions } from './election.js';
export { MAX_ELECTORS, sealOf } from './election-wire.js';
export { LONGEST_ABSENCE, RingFiles, type RingFilesOptions } from './files.js';
export { type Block, DEFAULT_RANGE, isWithin, overlappingRoute, parseBlock } from './range.js';
export { AddressService, type AddressServiceOptions, type RingTransport } from './service.js';
export { emptyState, type RingState } from './state.js';
export { Ula } from './ula.js';
export type { OwnerView, RingView } from './view.js';
