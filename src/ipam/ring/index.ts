/**
 * Who owns which addresses: signed records that every router replicates, and their bytes. docs/protocol.md,
 * section 12.
 */
export { ringError } from './errors.js';
export { decodeMessage, encodeMessage, recordsIn } from './message-wire.js';
export type { DenialReason, Message, MessageOf, VersionedSpan } from './messages.js';
export {
  addressNumber,
  addressText,
  type Block,
  DEFAULT_RANGE,
  isWithin,
  overlap,
  overlappingRoute,
  parseBlock,
  type Span,
  sizeOf,
  spanText,
} from './range.js';
export {
  checkRecord,
  decodeDelta,
  encodeDelta,
  hashOfConfig,
  type RingConfig,
  recordSignerOf,
  ringRecord,
} from './record-wire.js';
export type {
  OwnershipRecord,
  ParticipantRecord,
  PeerIncarnation,
  RecordSigner,
  RingRecord,
} from './records.js';
export { type Arc, Ring } from './ring.js';
