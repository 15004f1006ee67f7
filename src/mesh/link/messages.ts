import c, { type Encoder } from 'compact-encoding';
import {
  boundedBytes,
  boundedList,
  boundedString,
  decodeExact,
  encode,
  fixedBytes,
  flag,
  struct,
} from '../../codec.js';
import { type ChannelDigest, type ChannelMessage, MAX_GOSSIP_BYTES } from '../../gossip/index.js';
import { PROTOCOL_VERSIONS } from '../../protocol-versions.js';
import { MAX_RECORD_BYTES, SIGNATURE_BYTES, type SignedRecord } from '../membership/index.js';
import { PROOF_BYTES } from './proof.js';
import { MAX_UNICAST_BYTES, type RoutedMessage, routedMessage } from './routed-message.js';

/** The messages on a link after the Noise handshake (docs/protocol.md, section 3). */

export const MAX_MESSAGE_BYTES = 1024 * 1024;
export const LINK_VERSION = PROTOCOL_VERSIONS.link;

/** Kinds of proof messages (3.3). */
export const PROOF_OFFER = 1;
export const PROOF_ANSWER = 2;
export const PROOF_REFUSED = 3;

export interface ProofMessage {
  readonly kind: number;
  readonly proofs: readonly Uint8Array[];
}

export const proofMessage: Encoder<ProofMessage> = struct({
  kind: c.uint8,
  proofs: boundedList(fixedBytes(PROOF_BYTES), 2),
});

/** The Protomux protocol of the control channel (3.4). */
export const CONTROL_PROTOCOL = 'weft/control/1';

const signedRecord: Encoder<SignedRecord> = struct({
  record: boundedBytes(MAX_RECORD_BYTES),
  signature: fixedBytes(SIGNATURE_BYTES),
});

export interface Hello {
  readonly version: number;
  /** Random for each process. */
  readonly instance: Uint8Array;
  /** `address:port` of the receiver of this hello, as its sender sees it. */
  readonly observed: string;
  /** The sender's own record. */
  readonly self: SignedRecord;
}

export const INSTANCE_BYTES = 8;

export const hello: Encoder<Hello> = struct({
  version: c.uint,
  instance: fixedBytes(INSTANCE_BYTES),
  observed: boundedString(64),
  self: signedRecord,
});

export interface Ping {
  readonly answer: number;
  readonly id: number;
}

/** `answer` is 0 in a ping and 1 in the answer to it (3.5). */
export const ping: Encoder<Ping> = struct({ answer: c.uint8, id: c.uint });

export interface Unicast {
  readonly channel: string;
  readonly bytes: Uint8Array;
}

/** A message from one end of a link to the other (3.7). */
export const unicast: Encoder<Unicast> = struct({
  channel: boundedString(32),
  bytes: boundedBytes(MAX_UNICAST_BYTES),
});

/** Why the sender of a bye closes the link (3.8). */
export const BYE_STOPPING = 1;
export const BYE_DUPLICATE = 2;
export const BYE_CLONED = 3;
export const BYE_TOO_MANY_LINKS = 4;
export const BYE_REMOVED = 5;
export const BYE_REVOKED = 6;
export const BYE_OLD_SECRET = 7;

export interface Bye {
  readonly reason: number;
}

export const bye: Encoder<Bye> = struct({ reason: c.uint8 });

const channelName = boundedString(32);

export interface ChannelDeltas {
  readonly channel: string;
  readonly deltas: readonly Uint8Array[];
}

/** Deltas of a gossip channel (3.9). */
export const deltas: Encoder<ChannelDeltas> = struct({
  channel: channelName,
  deltas: boundedList(boundedBytes(MAX_GOSSIP_BYTES), MAX_GOSSIP_BYTES / 8),
});

/** A digest of a gossip channel (3.9). */
export const digest: Encoder<ChannelDigest> = struct({
  channel: channelName,
  answer: flag,
  digest: boundedBytes(MAX_GOSSIP_BYTES),
});

/** The message types of the control channel, in the order of their numbers. */
export const MESSAGE_TYPES = ['ping', 'deltas', 'unicast', 'bye', 'digest', 'routed'] as const;
export type MessageType = (typeof MESSAGE_TYPES)[number];

/** A message that a link carries for its router; pings and byes are the link's own. */
export type LinkMessage =
  | ChannelMessage
  | ({ readonly type: 'unicast' } & Unicast)
  | ({ readonly type: 'routed' } & RoutedMessage);

export function encodeMessage(message: LinkMessage): Buffer {
  switch (message.type) {
    case 'deltas':
      return encode(deltas, message);
    case 'digest':
      return encode(digest, message);
    case 'unicast':
      return encode(unicast, message);
    case 'routed':
      return encode(routedMessage, message);
  }
}

/** Throws `bad-message`. */
export function decodeMessage(type: LinkMessage['type'], bytes: Uint8Array): LinkMessage {
  switch (type) {
    case 'deltas':
      return { type, ...decodeExact(deltas, bytes) };
    case 'digest':
      return { type, ...decodeExact(digest, bytes) };
    case 'unicast':
      return { type, ...decodeExact(unicast, bytes) };
    case 'routed':
      return { type, ...decodeExact(routedMessage, bytes) };
  }
}
