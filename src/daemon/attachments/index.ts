/** The containers of this host on the segments: what is attached, how, and what becomes of it. */
export { Attachments, type AttachmentsOptions } from './attachments.js';
export { Containers, parseTarget } from './containers.js';
export type { PlatformAttachments } from './platform-attachments.js';
export type { AttachedEndpoint, CalledContainer, ContainerPort, Entry } from './table/index.js';
