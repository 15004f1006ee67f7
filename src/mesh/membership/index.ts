/** Who exists: signed member records, suspicions of failure, and where this router can be reached. docs/protocol.md, 3.6. */
export { CloneWatch, COPIED, clonedAt, clonedPeer } from './clones.js';
export { type Contact, Contacts, hostOf } from './contacts.js';
export { OwnEndpoints } from './endpoints.js';
export { decodeMemberDelta, encodeRecord, type MemberDelta } from './member-deltas.js';
export { type MemberView, memberView } from './member-view.js';
export { Membership, type RecordReader, type SelfDescription } from './membership.js';
export {
  checkSignature,
  cipherSpeed,
  cleanNickname,
  isEndpoint,
  MAX_LINKS,
  MAX_RECORD_BYTES,
  type MemberRecord,
  peerId,
  readRecord,
  SIGNATURE_BYTES,
  type SignedRecord,
} from './record.js';
export type { CipherSpeed, LocalAddress } from './types.js';
