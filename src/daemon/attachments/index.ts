export type { AttachedEndpoint, CalledContainer } from './attached-endpoints.js';
export type { ContainerPort, Entry } from './attachment-entry.js';
export { Attachments, type AttachmentsOptions } from './attachments.js';
export { Containers, parseTarget } from './containers.js';
