/** What replicates from router to router, whoever uses it: gossip channels, owned records, digests. docs/protocol.md, 3.9 and 6. */
export type { GossipChannel, OpenChannel } from './channel.js';
export { MAX_GOSSIP_BYTES } from './channel.js';
export type { ChannelDigest, ChannelMessage } from './channels.js';
export { Channels } from './channels.js';
export { IncarnationBackoff } from './incarnation-backoff.js';
export type {
  OwnedRecord,
  OwnedRecordsEvents,
  OwnedRecordsLimits,
  OwnedRecordsOptions,
} from './owned-records.js';
export { OwnedRecords } from './owned-records.js';
export type { Item, ItemHash, ItemSet } from './set-digest.js';
export { bucketOf, itemHash, SetDigest } from './set-digest.js';
