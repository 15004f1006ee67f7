/** Asks the ring for addresses on behalf of containers and of the host, and begins it. */
export { type AddressRequest, parseAddressRequest, parseWantedAddress } from './address-request.js';
export { AddressSource, type AddressSourceOptions, type Holder, platformHolder } from './address-source.js';
export { Addresses } from './addresses.js';
export { type AddressPlan, planAddresses, rangesOf } from './ipalloc.js';
export type { MovedRanges } from './moved-ranges.js';
export { loadRing, type Ring } from './ring-files.js';
