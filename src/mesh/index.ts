/** Secure control links between routers, and who is a member of the network. docs/protocol.md, section 3. */
export type { GossipChannel, OpenChannel } from './channel.js';
export { MAX_GOSSIP_BYTES } from './channel.js';
export { Mesh } from './mesh.js';
export type {
  OwnedRecord,
  OwnedRecordsEvents,
  OwnedRecordsLimits,
  OwnedRecordsOptions,
} from './owned-records.js';
export { OwnedRecords } from './owned-records.js';
export { cipherSpeed } from './record.js';
export type { Item, ItemHash, ItemSet } from './set-digest.js';
export { bucketOf, itemHash, SetDigest } from './set-digest.js';
export type {
  CipherSpeed,
  Contact,
  LinkView,
  MemberView,
  MeshEvents,
  MeshLimits,
  MeshOptions,
  MeshTimings,
  TargetState,
  TargetView,
} from './types.js';
