/** Requests for addresses, and which donor to ask when this router has none to give. */
export type { AddressAllocator } from './allocator.js';
export { Donors } from './donors.js';
export { RequestQueue } from './request-queue.js';
export type { AddressRequest, Request } from './requests.js';
