/** The containers of this host on the segments: what is attached, how, and what becomes of it. */
export type { AttachedEndpoint, CalledContainer } from './attached-endpoints.js';
export type { ContainerPort, Entry } from './attachment-entry.js';
export { Attachments, type AttachmentsOptions } from './attachments.js';
export { Containers, parseTarget } from './containers.js';
