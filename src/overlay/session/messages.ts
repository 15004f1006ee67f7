import c, { type Encoder } from 'compact-encoding';
import { boundedBytes, boundedList, boundedString, struct } from '../../codec.js';
import { type CipherSpeed, cipherSpeed } from '../../mesh/index.js';

/** docs/protocol.md, section 4: what is said in the mesh's channel `session`. */

export const SESSION_CHANNEL = 'session';

export const INITIATION = 1;
export const RESPONSE = 2;
/** The responder asks the initiator for a new key. */
export const REQUEST = 3;

export const EXCHANGE_BYTES = 8;

/** The envelope; `exchange` and `noise` are empty in a request. */
export interface SessionMessage {
  readonly kind: number;
  /** Random, the same in an initiation, its repetitions and their response. */
  readonly exchange: Uint8Array;
  /** A Noise message with an encrypted payload. */
  readonly noise: Uint8Array;
}

export const sessionMessage: Encoder<SessionMessage> = struct({
  kind: c.uint8,
  exchange: boundedBytes(EXCHANGE_BYTES),
  noise: boundedBytes(8192),
});

/** What each end tells about itself. */
export interface Offer {
  /** Of packets that this end receives; random, not 0. */
  readonly keyIndex: number;
  readonly ciphers: readonly CipherSpeed[];
  /** Cipher name or `auto`. */
  readonly pinned: string;
  /** Numbers of its Ethernet segments. */
  readonly networks: readonly number[];
  /** `address:port` of its data plane, best first. */
  readonly endpoints: readonly string[];
  /** Subnets in which it does without encryption, if the other end does, too: `10.0.0.0/8`. */
  readonly trusted: readonly string[];
}

/** Longest text of an IPv6 subnet. */
const SUBNET_LENGTH = 43;

const offer = {
  keyIndex: c.uint32,
  ciphers: boundedList(cipherSpeed, 8),
  pinned: boundedString(32),
  networks: boundedList(c.uint16, 256),
  endpoints: boundedList(boundedString(64), 16),
  trusted: boundedList(boundedString(SUBNET_LENGTH), 32),
};

/** Payload of the first Noise message. The version of the exchange makes repetitions of old ones worthless. */
export interface InitiationPayload extends Offer {
  readonly incarnation: number;
  readonly sequence: number;
}

export const initiationPayload: Encoder<InitiationPayload> = struct({
  incarnation: c.uint,
  sequence: c.uint,
  ...offer,
});

/** Payload of the second: the responder has both offers and says which cipher follows from them. */
export interface ResponsePayload extends Offer {
  readonly cipher: string;
}

export const responsePayload: Encoder<ResponsePayload> = struct({ ...offer, cipher: boundedString(32) });
