/** What is attached on this host, as it is noted: in memory, on the disk, and as others were told of it. */
export type { AttachedEndpoint, CalledContainer } from './attached-endpoints.js';
export {
  type ContainerPort,
  type Entry,
  fixedAddresses,
  isLoose,
  NO_INODE,
  ownAddresses,
  platformKey,
  ringHolder,
} from './attachment-entry.js';
export { AttachmentTable } from './attachment-table.js';
export { everybody, handedOn, holderOf, view, withoutSharer, withSharer } from './sharing.js';
