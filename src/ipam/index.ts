/**
 * Who owns which addresses, and which container has which. One address is never given out twice, in any
 * partition.
 */
export type { AddressAllocator } from './allocation/index.js';
export { Election, type ElectorOptions, MAX_ELECTORS, signerOf } from './election/index.js';
export { LONGEST_ABSENCE, RingFiles, type RingFilesOptions } from './files.js';
export { emptyState, type Move, type RingState } from './ownership/index.js';
export {
  addressText,
  type Block,
  DEFAULT_RANGE,
  isWithin,
  overlappingRoute,
  parseBlock,
  sizeOf,
  spanText,
} from './ring/index.js';
export { AddressService, type AddressServiceOptions, type RingTransport } from './service.js';
export { Ula } from './ula.js';
export type { OwnerView, RingView } from './view.js';
