/** Who owns which addresses, and which container has which. One address is never given out twice, in any partition. */
export type { AddressAllocator } from './allocator.js';
