/** Requests for addresses, and whom to ask when this router has none to give. */
export type { AddressAllocator } from './allocator.js';
export { Wants } from './donors.js';
export { Desk } from './request-queue.js';
export type { AddressRequest, Request } from './requests.js';
