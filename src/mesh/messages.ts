import c, { type Encoder } from 'compact-encoding';
import { boundedBytes, boundedList, boundedString, fixedBytes, struct } from '../codec.js';
import { PROOF_BYTES } from './proof.js';
import { MAX_RECORD_BYTES, SIGNATURE_BYTES, type SignedRecord } from './record.js';

/** docs/protocol.md, section 3: everything that is said on a link after the Noise handshake. */

export const MAX_MESSAGE_BYTES = 1024 * 1024;
export const LINK_VERSION = 1;
export const MAX_RECORDS_PER_MESSAGE = 128;

/** 3.3: the initiator proves all its live secrets. */
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

/** 3.4 */
export const CONTROL_PROTOCOL = 'weft/control/1';

const signedRecord: Encoder<SignedRecord> = struct({
  record: boundedBytes(MAX_RECORD_BYTES),
  signature: fixedBytes(SIGNATURE_BYTES),
});

export interface Hello {
  readonly version: number;
  /** Random for each process. */
  readonly instance: Uint8Array;
  /** Address and port of the receiver of this hello, as its sender sees them. */
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

/** 3.5; `answer` is 0 in a ping and 1 in the answer to it. */
export const ping: Encoder<Ping> = struct({ answer: c.uint8, id: c.uint });

/** 3.6 */
export const members: Encoder<readonly SignedRecord[]> = boundedList(signedRecord, MAX_RECORDS_PER_MESSAGE);

export interface Unicast {
  readonly channel: string;
  readonly bytes: Uint8Array;
}

/** 3.7 */
export const unicast: Encoder<Unicast> = struct({
  channel: boundedString(32),
  bytes: boundedBytes(MAX_MESSAGE_BYTES - 256),
});

/** 3.8 */
export const BYE_STOPPING = 1;
export const BYE_DUPLICATE = 2;
export const BYE_CLONED = 3;

export interface Bye {
  readonly reason: number;
}

export const bye: Encoder<Bye> = struct({ reason: c.uint8 });

/** Order of the message types in the control channel. */
export const MESSAGE_TYPES = ['ping', 'members', 'unicast', 'bye'] as const;
export type MessageType = (typeof MESSAGE_TYPES)[number];
