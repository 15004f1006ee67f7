/** Secure control links between routers, and who is a member of the network. docs/protocol.md, section 3. */
export type { GossipChannel, OpenChannel } from '../gossip/channel.js';
export { MAX_GOSSIP_BYTES } from '../gossip/channel.js';
export type {
  OwnedRecord,
  OwnedRecordsEvents,
  OwnedRecordsLimits,
  OwnedRecordsOptions,
} from '../gossip/owned-records.js';
export { OwnedRecords } from '../gossip/owned-records.js';
export type { Item, ItemHash, ItemSet } from '../gossip/set-digest.js';
export { bucketOf, itemHash, SetDigest } from '../gossip/set-digest.js';
export { cipherSpeed } from './membership/record.js';
export { Mesh } from './mesh.js';
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
