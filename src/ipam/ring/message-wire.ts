import c, { type Encoder } from 'compact-encoding';
import { boundedList, decodeExact, encode, fixedBytes, mapped, struct } from '../../codec.js';
import { WeftError } from '../../errors.js';
import { ringError } from './errors.js';
import type { DenialReason, Message, MessageOf, VersionedSpan } from './messages.js';
import { MAX_RECORDS, ringRecord, span } from './record-wire.js';
import type { ParticipantRecord, RingRecord } from './records.js';

/** The bytes of what participants say to each other. docs/protocol.md, section 12. */

const MAX_SPANS = 65_536;
/** What the mesh carries in one message, and a little less. */
const MAX_BODY_BYTES = 1_000_000;
const HASH_BYTES = 8;
const REASONS: readonly DenialReason[] = ['full', 'used', 'not-mine', 'not-now'];

const records: Encoder<readonly RingRecord[]> = boundedList(ringRecord, MAX_RECORDS);
const versionedSpan: Encoder<VersionedSpan> = struct({ start: c.uint, end: c.uint, version: c.uint });
const spans: Encoder<readonly VersionedSpan[]> = boundedList(versionedSpan, MAX_SPANS);
const participantsHash: Encoder<string> = mapped(
  fixedBytes(HASH_BYTES),
  (text) => Buffer.from(text, 'hex'),
  (bytes) => Buffer.from(bytes).toString('hex'),
);
const reason: Encoder<DenialReason> = mapped(
  c.uint8,
  (value) => REASONS.indexOf(value),
  (index) => {
    const value = REASONS[index];
    if (value === undefined) throw new RangeError(`a denial has the unknown reason ${index}`);
    return value;
  },
);
const participant: Encoder<ParticipantRecord> = mapped(
  ringRecord,
  (value): RingRecord => value,
  (value) => {
    if (value.kind !== 'participant') {
      throw new RangeError('an ownership record stands where a participant record belongs');
    }
    return value;
  },
);

type Body<T extends Message['type']> = Omit<MessageOf<T>, 'type'>;

/** In the order of the type numbers, from 0. */
const BODIES: { readonly [T in Message['type']]: Encoder<Body<T>> } = {
  request: struct({ nonce: c.uint, span, participant }),
  grant: struct({ nonce: c.uint, records }),
  denial: struct({ nonce: c.uint, reason, records }),
  confirm: struct({ round: c.uint, participantsHash, spans, records }),
  confirmed: struct({ round: c.uint, participantsHash, records }),
  mismatch: struct({ round: c.uint, records }),
  offer: struct({ nonce: c.uint }),
  accept: struct({ nonce: c.uint, participant }),
  transfer: struct({ nonce: c.uint, records }),
  receipt: struct({ nonce: c.uint }),
};
const TYPES = Object.keys(BODIES) as Message['type'][];

/**
 * A message, preceded by the hash of the configuration: between routers of different configurations no
 * message has a meaning. Throws `message-too-long` for one that no router could read.
 */
export function encodeMessage(message: Message, configHash: Uint8Array): Buffer {
  const isLong = recordsIn(message).length > MAX_RECORDS || spansIn(message).length > MAX_SPANS;
  if (isLong) throw ringError.tooLong(message.type);
  const body = encode(BODIES[message.type] as Encoder<Message>, message);
  if (body.length > MAX_BODY_BYTES) throw ringError.tooLong(message.type);
  return Buffer.concat([configHash, Buffer.of(TYPES.indexOf(message.type)), body]);
}

/**
 * Checks the form, not the signatures. Throws `bad-message`, and `ring-mismatch` if the sender has another
 * configuration.
 */
export function decodeMessage(bytes: Uint8Array, configHash: Uint8Array): Message {
  if (Buffer.compare(bytes.subarray(0, configHash.length), configHash) !== 0) {
    throw new WeftError(
      'ring-mismatch',
      'another router has a ring of another range or with other founders: launch all routers with the same --ipalloc-range and --ipalloc-init',
    );
  }
  const type = TYPES[bytes[configHash.length] ?? TYPES.length];
  if (type === undefined) throw new WeftError('bad-message', 'a message about addresses has an unknown type');
  const body = decodeExact(BODIES[type] as Encoder<object>, bytes.subarray(configHash.length + 1));
  return { type, ...body } as Message;
}

function spansIn(message: Message): readonly VersionedSpan[] {
  return 'spans' in message ? message.spans : [];
}

/** The records that a message carries. */
export function recordsIn(message: Message): readonly RingRecord[] {
  if ('records' in message) return message.records;
  return 'participant' in message ? [message.participant] : [];
}
