import c, { type Encoder } from 'compact-encoding';
import sodium from 'sodium-native';
import { boundedBytes, boundedList, decodeExact, encode, fixedBytes, flag, struct } from '../../codec.js';
import { WeftError } from '../../errors.js';
import {
  type Identity,
  type PeerId,
  type PublicKey,
  parsePublicKey,
  peerIdBytes,
  peerIdFromBytes,
  peerIdOf,
} from '../../identity/index.js';

/**
 * The records of electors, as they are signed, as they travel and as they are stored. docs/protocol.md,
 * section 13.
 */

/** Maximum number of electors. */
export const MAX_ELECTORS = 1024;
/** Far beyond any number of proposals that are made. */
export const MAX_ROUND = 2 ** 52;
/** Far beyond any clock. */
const MAX_INCARNATION = 2 ** 52;
/** A record is at most a value of all electors, and a few numbers. */
const MAX_RECORD_BYTES = 8 * MAX_ELECTORS + 256;
const SIGNATURE_BYTES = 64;
const FORMAT = 1;
const LABEL = Buffer.from('weft election v1');

/** The number of a Paxos proposal. No two proposals have the same three parts. */
export interface Proposal {
  readonly round: number;
  readonly proposer: PeerId;
  /** The proposer's incarnation. */
  readonly incarnation: number;
}

/** The value that an elector accepted, and in which proposal. */
export interface Accepted {
  readonly proposal: Proposal;
  /** The founders of the ring, sorted. */
  readonly value: readonly PeerId[];
}

/** The state of one elector as a Paxos acceptor. Only the elector itself can change it. */
export interface ElectorRecord {
  readonly publicKey: PublicKey;
  /** The short id of the public key. */
  readonly elector: PeerId;
  /** When the elector first participated (Unix time in milliseconds). Kept over restarts. */
  readonly incarnation: number;
  /** Counts the changes of the record. */
  readonly version: number;
  /** The number of electors with which the elector was launched. */
  readonly electors: number;
  /** The elector accepts nothing in any earlier proposal. */
  readonly promised: Proposal | null;
  readonly accepted: Accepted | null;
}

/** A record with the exact bytes that were signed. */
export interface SignedElectorRecord {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly record: ElectorRecord;
}

/** What one router tells another: records, and whether an election was called for. */
export interface ElectionDelta {
  readonly begun: boolean;
  readonly signed: readonly SignedElectorRecord[];
}

/** What an elector must remember over a restart. */
export interface ElectionState {
  /** Whether the elector has forgotten how it voted before, so that it must not vote any more. */
  readonly retired: boolean;
  readonly record: ElectorRecord;
}

/** Signs for this router, and checks what others signed. */
export interface Signer {
  readonly publicKey: PublicKey;
  sign(message: Uint8Array): Uint8Array;
  verify(message: Uint8Array, signature: Uint8Array, publicKey: PublicKey): boolean;
}

/** Signs with the router's key pair (Ed25519). */
export function signerOf({ publicKey, secretKey }: Identity): Signer {
  return {
    publicKey,
    sign(message) {
      const signature = Buffer.alloc(SIGNATURE_BYTES);
      sodium.crypto_sign_detached(signature, message, secretKey);
      return signature;
    },
    verify: (message, signature, key) => sodium.crypto_sign_verify_detached(signature, message, key),
  };
}

const shortId = fixedBytes(8);

const peerId: Encoder<PeerId> = {
  preencode: (state, peer) => shortId.preencode(state, peerIdBytes(peer)),
  encode: (state, peer) => shortId.encode(state, peerIdBytes(peer)),
  decode: (state) => peerIdFromBytes(shortId.decode(state)),
};

const proposal: Encoder<Proposal> = struct({ round: c.uint, proposer: peerId, incarnation: c.uint });

const record: Encoder<
  Omit<ElectorRecord, 'elector' | 'publicKey'> & { format: number; publicKey: Uint8Array }
> = struct({
  format: c.uint,
  publicKey: fixedBytes(32),
  incarnation: c.uint,
  version: c.uint,
  electors: c.uint,
  promised: optional(proposal),
  accepted: optional<Accepted>(struct({ proposal, value: boundedList(peerId, MAX_ELECTORS) })),
});

const signedRecord = struct<Omit<SignedElectorRecord, 'record'>>({
  bytes: boundedBytes(MAX_RECORD_BYTES),
  signature: fixedBytes(SIGNATURE_BYTES),
});

const delta = struct({ begun: flag, signed: boundedList(signedRecord, MAX_ELECTORS) });

const state = struct({ retired: flag, record: boundedBytes(MAX_RECORD_BYTES) });

export function signRecord(signer: Signer, content: ElectorRecord): SignedElectorRecord {
  const bytes = encodeRecord(content);
  return { bytes, signature: signer.sign(Buffer.concat([LABEL, bytes])), record: content };
}

/** Throws `bad-signature` unless the elector signed its record. */
export function checkRecord(
  signer: Signer,
  { bytes, signature, record: { elector, publicKey } }: SignedElectorRecord,
) {
  if (!signer.verify(Buffer.concat([LABEL, bytes]), signature, publicKey)) {
    throw new WeftError('bad-signature', `a record of the elector ${elector} is not signed by it`);
  }
}

export function encodeDelta(content: ElectionDelta): Buffer {
  return encode(delta, content);
}

/** Checks the form, not the signatures. Throws `bad-message`. */
export function decodeDelta(bytes: Uint8Array): ElectionDelta {
  const { begun, signed } = decodeExact(delta, bytes);
  return { begun, signed: signed.map((each) => ({ ...each, record: readRecord(each.bytes) })) };
}

export function encodeState({ retired, record: content }: ElectionState): Buffer {
  return encode(state, { retired, record: encodeRecord(content) });
}

/** Throws `bad-message`. */
export function decodeState(bytes: Uint8Array): ElectionState {
  const { retired, record: inner } = decodeExact(state, bytes);
  return { retired, record: readRecord(inner) };
}

/** Orders proposals by number; no proposal comes before every other. */
export function compareProposals(a: Proposal | null, b: Proposal | null): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  return a.round - b.round || compareIds(a.proposer, b.proposer) || a.incarnation - b.incarnation;
}

export function compareIds(a: PeerId, b: PeerId): number {
  return Number(a > b) - Number(a < b);
}

function encodeRecord(content: ElectorRecord): Buffer {
  return encode(record, { format: FORMAT, ...content });
}

function readRecord(bytes: Uint8Array): ElectorRecord {
  const { format, publicKey, ...rest } = decodeExact(record, bytes);
  if (format !== FORMAT) {
    throw new WeftError('bad-message', `a record of an elector has the unknown format ${format}`);
  }
  const key = parsePublicKey(publicKey);
  const content = { publicKey: key, elector: peerIdOf(key), ...rest };
  if (!isPossible(content)) throw new WeftError('bad-message', 'an elector signed an impossible record');
  return content;
}

function isPossible({ incarnation, electors, promised, accepted }: ElectorRecord): boolean {
  return (
    incarnation <= MAX_INCARNATION &&
    electors >= 1 &&
    electors <= MAX_ELECTORS &&
    (promised === null || isPossibleProposal(promised)) &&
    (accepted === null ||
      (isPossibleProposal(accepted.proposal) &&
        compareProposals(accepted.proposal, promised) <= 0 &&
        isPossibleValue(accepted.value, electors)))
  );
}

function isPossibleProposal({ round, incarnation }: Proposal): boolean {
  return round >= 1 && round <= MAX_ROUND && incarnation <= MAX_INCARNATION;
}

function isPossibleValue(value: readonly PeerId[], electors: number): boolean {
  const ascends = value.every((peer, index) => index === 0 || (value[index - 1] ?? peer) < peer);
  return value.length >= 1 && value.length <= electors && ascends;
}

/** Encoded as a list of at most one element. */
function optional<T>(element: Encoder<T>): Encoder<T | null> {
  const list = boundedList(element, 1);
  const asList = (value: T | null) => (value === null ? [] : [value]);
  return {
    preencode: (at, value) => list.preencode(at, asList(value)),
    encode: (at, value) => list.encode(at, asList(value)),
    decode: (at) => list.decode(at)[0] ?? null,
  };
}
