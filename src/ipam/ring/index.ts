/** Who owns which addresses: signed records that every router replicates, and how they travel. docs/protocol.md, section 12. */
export { refusal } from './errors.js';
export type { Denial, Message, Question } from './messages.js';
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
} from './range.js';
export type { Deed, Fact, Holder, Notary, Seat } from './records.js';
export { Ring, type Segment } from './ring.js';
export {
  type Charter,
  checkFact,
  decodeDelta,
  decodeMessage,
  encodeDelta,
  encodeMessage,
  fact,
  factsIn,
  hashOfCharter,
  notaryOf,
} from './wire.js';
