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

/** The bytes of an election (docs/protocol.md): what an elector claims, as it is signed, as it travels and as it is stored. */

/** So many routers may elect at most. */
export const MAX_ELECTORS = 1024;
/** Far beyond any number of attempts. */
export const MAX_ROUND = 2 ** 52;
/** Far beyond any clock. */
const MAX_INCARNATION = 2 ** 52;
/** Longest that claims can become: a value of all electors, and numbers. */
const MAX_CLAIMS_BYTES = 8 * MAX_ELECTORS + 256;
const SIGNATURE_BYTES = 64;
const FORMAT = 1;
const LABEL = Buffer.from('weft election v1');

/** An attempt to have a value agreed on. No two have the same three parts. */
export interface Proposal {
  readonly round: number;
  readonly proposer: PeerId;
  /** Of the proposer. */
  readonly incarnation: number;
}

/** The value that an elector accepted, and in which attempt. */
export interface Accepted {
  readonly proposal: Proposal;
  /** The peers that share the ring, sorted. */
  readonly value: readonly PeerId[];
}

/** All that one elector says. It is the only one that can change it. */
export interface Claims {
  readonly publicKey: PublicKey;
  /** The short id of the public key. */
  readonly elector: PeerId;
  /** Unix time in milliseconds at which it first took part: it is kept when the router restarts. */
  readonly incarnation: number;
  /** Counts the changes. */
  readonly version: number;
  /** So many routers elect, as the elector was told. */
  readonly electors: number;
  /** It accepts nothing that was proposed before this. */
  readonly promised: Proposal | null;
  readonly accepted: Accepted | null;
}

/** Claims with the exact bytes that were signed. */
export interface SignedClaims {
  readonly record: Uint8Array;
  readonly signature: Uint8Array;
  readonly claims: Claims;
}

/** What one router tells another: whether an election was called for, and claims. */
export interface ElectionDelta {
  readonly begun: boolean;
  readonly signed: readonly SignedClaims[];
}

/** What an elector must find again after a restart. */
export interface ElectionState {
  /** It forgot how it voted before, and so votes no more. */
  readonly retired: boolean;
  readonly claims: Claims;
}

/** Signs for this router, and checks what others signed. */
export interface Seal {
  readonly publicKey: PublicKey;
  sign(message: Uint8Array): Uint8Array;
  verify(message: Uint8Array, signature: Uint8Array, publicKey: PublicKey): boolean;
}

/** Signs with the router's key pair (Ed25519). */
export function sealOf({ publicKey, secretKey }: Identity): Seal {
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

const claims: Encoder<Omit<Claims, 'elector' | 'publicKey'> & { format: number; publicKey: Uint8Array }> =
  struct({
    format: c.uint,
    publicKey: fixedBytes(32),
    incarnation: c.uint,
    version: c.uint,
    electors: c.uint,
    promised: optional(proposal),
    accepted: optional<Accepted>(struct({ proposal, value: boundedList(peerId, MAX_ELECTORS) })),
  });

const signedClaims = struct<Omit<SignedClaims, 'claims'>>({
  record: boundedBytes(MAX_CLAIMS_BYTES),
  signature: fixedBytes(SIGNATURE_BYTES),
});

const delta = struct({ begun: flag, signed: boundedList(signedClaims, MAX_ELECTORS) });

const state = struct({ retired: flag, claims: boundedBytes(MAX_CLAIMS_BYTES) });

export function signClaims(seal: Seal, content: Claims): SignedClaims {
  const record = encodeClaims(content);
  return { record, signature: seal.sign(Buffer.concat([LABEL, record])), claims: content };
}

/** Throws `bad-signature` unless the elector signed its claims. */
export function checkClaims(seal: Seal, { record, signature, claims: { elector, publicKey } }: SignedClaims) {
  if (!seal.verify(Buffer.concat([LABEL, record]), signature, publicKey)) {
    throw new WeftError('bad-signature', `claims of the elector ${elector} are not signed by it`);
  }
}

export function encodeDelta(content: ElectionDelta): Buffer {
  return encode(delta, content);
}

/** Checks the form, not the signatures. Throws `bad-message`. */
export function decodeDelta(bytes: Uint8Array): ElectionDelta {
  const { begun, signed } = decodeExact(delta, bytes);
  return { begun, signed: signed.map((each) => ({ ...each, claims: readClaims(each.record) })) };
}

export function encodeState({ retired, claims: content }: ElectionState): Buffer {
  return encode(state, { retired, claims: encodeClaims(content) });
}

/** Throws `bad-message`. */
export function decodeState(bytes: Uint8Array): ElectionState {
  const { retired, claims: record } = decodeExact(state, bytes);
  return { retired, claims: readClaims(record) };
}

/** Later proposals are greater; none at all is the least. */
export function compareProposals(a: Proposal | null, b: Proposal | null): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  return a.round - b.round || compareIds(a.proposer, b.proposer) || a.incarnation - b.incarnation;
}

export function compareIds(a: PeerId, b: PeerId): number {
  return Number(a > b) - Number(a < b);
}

function encodeClaims(content: Claims): Buffer {
  return encode(claims, { format: FORMAT, ...content });
}

function readClaims(record: Uint8Array): Claims {
  const { format, publicKey, ...rest } = decodeExact(claims, record);
  if (format !== FORMAT) {
    throw new WeftError('bad-message', `claims of an elector have the unknown format ${format}`);
  }
  const key = parsePublicKey(publicKey);
  const content = { publicKey: key, elector: peerIdOf(key), ...rest };
  if (!isPossible(content)) throw new WeftError('bad-message', 'claims of an elector are impossible');
  return content;
}

function isPossible({ incarnation, electors, promised, accepted }: Claims): boolean {
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

/** A list of at most one element. */
function optional<T>(element: Encoder<T>): Encoder<T | null> {
  const list = boundedList(element, 1);
  const asList = (value: T | null) => (value === null ? [] : [value]);
  return {
    preencode: (at, value) => list.preencode(at, asList(value)),
    encode: (at, value) => list.encode(at, asList(value)),
    decode: (at) => list.decode(at)[0] ?? null,
  };
}
