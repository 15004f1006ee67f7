import c, { type Encoder } from 'compact-encoding';
import sodium from 'sodium-native';
import { boundedList, decodeExact, encode, fixedBytes, flag, mapped, struct } from '../../codec.js';
import { WeftError } from '../../errors.js';
import {
  blake2b,
  type Identity,
  type PeerId,
  parsePublicKey,
  peerIdBytes,
  peerIdFromBytes,
  peerIdOf,
} from '../../identity/index.js';
import { type Block, isWithin, type Span } from './range.js';
import type {
  OwnershipContent,
  OwnershipRecord,
  ParticipantContent,
  ParticipantRecord,
  RecordSigner,
  RingRecord,
  Signature,
} from './records.js';

/** The records of the ring as they are signed and as they travel. docs/protocol.md, section 12. */

const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** Far enough below 2^53 that every version can be superseded. */
const MAX_VERSION = 2 ** 52;
/** The maximum number of routers that an election can elect. */
const MAX_FOUNDERS = 1024;
/** Maximum number of records in a delta or a message. */
export const MAX_RECORDS = 16_384;
const OWNERSHIP = 1;
const PARTICIPANT = 2;
const LABEL = Buffer.from('weft ring v1');

const peer: Encoder<PeerId> = mapped(fixedBytes(8), peerIdBytes, peerIdFromBytes);
const signature: Encoder<Signature> = struct({
  publicKey: fixedBytes(PUBLIC_KEY_BYTES),
  bytes: fixedBytes(SIGNATURE_BYTES),
});

export const span: Encoder<Span> = struct({ start: c.uint, end: c.uint });

const ownershipContent: Encoder<OwnershipContent> = struct({
  start: c.uint,
  end: c.uint,
  version: c.uint,
  owner: peer,
  ownerIncarnation: c.uint,
  signerIncarnation: c.uint,
});

const participantContent: Encoder<ParticipantContent> = struct({
  peer,
  incarnation: c.uint,
  ended: flag,
  successor: peer,
  successorIncarnation: c.uint,
  sequence: c.uint,
  free: c.uint,
});

/** Kind, content, public key and signature. */
export const ringRecord: Encoder<RingRecord> = {
  preencode(state, value) {
    c.uint8.preencode(state, 0);
    if (value.kind === 'ownership') ownershipContent.preencode(state, value);
    else participantContent.preencode(state, value);
    signature.preencode(state, value.signature);
  },
  encode(state, value) {
    c.uint8.encode(state, value.kind === 'ownership' ? OWNERSHIP : PARTICIPANT);
    if (value.kind === 'ownership') ownershipContent.encode(state, value);
    else participantContent.encode(state, value);
    signature.encode(state, value.signature);
  },
  decode(state) {
    const kind = c.uint8.decode(state);
    if (kind === OWNERSHIP) {
      const content = ownershipContent.decode(state);
      return { kind: 'ownership', ...content, ...signed(signature.decode(state)) };
    }
    if (kind !== PARTICIPANT) throw new RangeError(`a record of the ring has the unknown kind ${kind}`);
    const content = participantContent.decode(state);
    return { kind: 'participant', ...content, ...signed(signature.decode(state)) };
  },
};

/** What all routers of a network must agree on before they exchange records. */
export interface RingConfig {
  /** First address of the range. */
  readonly start: number;
  /** Prefix length of the range. */
  readonly length: number;
  /** Sorted. */
  readonly founders: readonly PeerId[];
}

export interface RingDelta {
  readonly config: RingConfig;
  readonly records: readonly RingRecord[];
}

const config: Encoder<RingConfig> = struct({
  start: c.uint32,
  length: c.uint8,
  founders: boundedList(peer, MAX_FOUNDERS),
});
const delta: Encoder<RingDelta> = struct({ config, records: boundedList(ringRecord, MAX_RECORDS) });

export function encodeDelta(value: RingDelta): Buffer {
  return encode(delta, value);
}

/** Checks the form, not the signatures. Throws `bad-message`. */
export function decodeDelta(bytes: Uint8Array): RingDelta {
  return decodeExact(delta, bytes);
}

/** 8 bytes. */
export function hashOfConfig(value: RingConfig): Buffer {
  return blake2b(16, [LABEL, encode(config, value)]).subarray(0, 8);
}

/** Signs with the router's key pair (Ed25519). */
export function recordSignerOf(identity: Identity): RecordSigner {
  const { publicKey, peer: signer } = identity;
  const sign = (kind: number, content: Buffer): Signature => {
    const bytes = Buffer.alloc(SIGNATURE_BYTES);
    sodium.crypto_sign_detached(bytes, signedBytes(kind, content), identity.secretKey);
    return { publicKey, bytes };
  };
  return {
    peer: signer,
    ownership(content): OwnershipRecord {
      const proof = sign(OWNERSHIP, encode(ownershipContent, content));
      return { kind: 'ownership', ...content, signer, signature: proof };
    },
    participant(content): ParticipantRecord {
      const proof = sign(PARTICIPANT, encode(participantContent, content));
      return { kind: 'participant', ...content, signer, signature: proof };
    },
  };
}

/** Throws `impossible-record` for contents that no correct router signs, and `bad-signature` for a wrong signature. */
export function checkRecord(value: RingRecord, range: Block): void {
  const isPossible =
    value.kind === 'ownership' ? isPossibleOwnership(value, range) : isPossibleParticipant(value);
  if (!isPossible)
    throw new WeftError('impossible-record', `${value.signer} signed an impossible record of the ring`);
  const [kind, content] =
    value.kind === 'ownership'
      ? [OWNERSHIP, encode(ownershipContent, value)]
      : [PARTICIPANT, encode(participantContent, value)];
  const { publicKey, bytes } = value.signature;
  if (!sodium.crypto_sign_verify_detached(bytes, signedBytes(kind, content), publicKey)) {
    throw new WeftError(
      'bad-signature',
      `a record of the ring is not signed by ${value.signer}, which it names as its signer`,
    );
  }
}

function isPossibleOwnership(record: OwnershipRecord, range: Block): boolean {
  const { start, end, version, ownerIncarnation, signerIncarnation } = record;
  const areIncarnations = [ownerIncarnation, signerIncarnation].every(
    (incarnation) => incarnation > 0 && incarnation < MAX_VERSION * 2,
  );
  return start < end && isWithin(record, range) && version > 0 && version <= MAX_VERSION && areIncarnations;
}

/**
 * Only the peer itself states that it participates; the peer or its successor states that its incarnation has
 * ended.
 */
function isPossibleParticipant(record: ParticipantRecord): boolean {
  const { peer: subject, incarnation, ended, successor, successorIncarnation, signer } = record;
  if (ended) return successorIncarnation > 0 && (signer === subject || signer === successor);
  const isOwnSuccessor = successor === subject && successorIncarnation === incarnation;
  return signer === subject && isOwnSuccessor && incarnation > 0;
}

function signedBytes(kind: number, content: Uint8Array): Buffer {
  return Buffer.concat([LABEL, Buffer.of(kind), content]);
}

function signed(proof: Signature): { readonly signer: PeerId; readonly signature: Signature } {
  return { signer: peerIdOf(parsePublicKey(proof.publicKey)), signature: proof };
}
