import c, { type Encoder } from 'compact-encoding';
import sodium from 'sodium-native';
import {
  boundedBytes,
  boundedList,
  boundedString,
  decodeExact,
  encode,
  fixedBytes,
  struct,
} from '../codec.js';
import { WeftError } from '../errors.js';
import {
  blake2b,
  type Identity,
  type PeerId,
  type PublicKey,
  parsePublicKey,
  peerIdOf,
} from '../identity/index.js';

/** Owned records as they are signed and as they travel (docs/protocol.md, section 6). */

const SIGNATURE_BYTES = 64;
const MAX_KEY_BYTES = 255;
const MAX_VALUE_BYTES = 16 * 1024;
/** Far beyond any clock, and far enough from 2^53 that it can be superseded. */
const MAX_INCARNATION = 2 ** 52;
/** Maximum length of an encoded head. */
const MAX_HEAD_BYTES = 32 + 9 + 9;
const MAX_ENTRY_BYTES = MAX_VALUE_BYTES + MAX_KEY_BYTES + 32;
const HEAD_LABEL = Buffer.from('weft owned head v1');
const ENTRY_LABEL = Buffer.from('weft owned entry v1');

/** A head makes all records of its owner void that are from before its incarnation. */
export interface Head {
  readonly publicKey: PublicKey;
  /** Unix time in milliseconds at which the owner began, or more. */
  readonly incarnation: number;
  /** Number of records that the incarnation began with: a router that has fewer does not know all of them. */
  readonly initial: number;
}

/** A head with its content and the exact bytes that were signed. */
export interface SignedHead {
  readonly record: Uint8Array;
  readonly signature: Uint8Array;
  readonly owner: PeerId;
  readonly content: Head;
}

export interface Entry {
  /** Counts the owner's changes within the incarnation. */
  readonly sequence: number;
  readonly key: string;
  /** Undefined: the owner removed the key. */
  readonly value: Uint8Array | undefined;
}

/** An entry with its content and the exact bytes that were signed. */
export interface SignedEntry {
  readonly record: Uint8Array;
  readonly signature: Uint8Array;
  readonly content: Entry;
}

/** Records of one owner. */
export interface Group {
  readonly head: SignedHead;
  readonly entries: readonly SignedEntry[];
}

const head: Encoder<{ publicKey: Uint8Array; incarnation: number; initial: number }> = struct({
  publicKey: fixedBytes(32),
  incarnation: c.uint,
  initial: c.uint,
});

const entry: Encoder<{ sequence: number; key: string; value: readonly Uint8Array[] }> = struct({
  sequence: c.uint,
  key: boundedString(MAX_KEY_BYTES),
  value: boundedList(boundedBytes(MAX_VALUE_BYTES), 1),
});

interface Signed {
  readonly record: Uint8Array;
  readonly signature: Uint8Array;
}

const signed = (maxBytes: number): Encoder<Signed> =>
  struct({ record: boundedBytes(maxBytes), signature: fixedBytes(SIGNATURE_BYTES) });

/** The bounds of the lists need not be tight, since each element takes its part of a bounded message. */
const delta: Encoder<readonly { head: Signed; entries: readonly Signed[] }[]> = boundedList(
  struct({ head: signed(MAX_HEAD_BYTES), entries: boundedList(signed(MAX_ENTRY_BYTES), 4096) }),
  4096,
);

/** Hashes of what is held of one owner (docs/protocol.md 6). */
export interface OwnerDigest {
  readonly owner: Uint8Array;
  /** Their number is a power of two. */
  readonly buckets: readonly number[];
}

/** The steps of an exchange of digests. */
export const DIGEST_WHOLE = 0;
export const DIGEST_PART = 1;
export const DIGEST_PART_REPLY = 2;

/** Number of slices, into which owners are put by the first bits of their short ids. */
export const SLICES = 64;

export interface Digest {
  readonly kind: number;
  /** In a whole digest, a hash for each slice. */
  readonly hashes: readonly number[];
  /** In a part, the slices that it covers. Owners in them that it does not list are unknown to its sender. */
  readonly slices: readonly number[];
  readonly owners: readonly OwnerDigest[];
}

export const MAX_BUCKETS = 1024;

const digest: Encoder<Digest> = struct({
  kind: c.uint8,
  hashes: boundedList(c.uint32, SLICES),
  slices: boundedList(c.uint8, SLICES),
  owners: boundedList(struct({ owner: fixedBytes(8), buckets: boundedList(c.uint32, MAX_BUCKETS) }), 16_384),
});

/** Signs a head for one channel. */
export function signHead(channel: string, identity: Identity, content: Head): SignedHead {
  const record = encode(head, content);
  const signature = sign(identity, [HEAD_LABEL, prefixed(channel), record]);
  return { record, signature, owner: identity.peer, content };
}

export function signEntry(
  channel: string,
  identity: Identity,
  incarnation: number,
  content: Entry,
): SignedEntry {
  const { sequence, key, value } = content;
  const record = encode(entry, { sequence, key, value: value === undefined ? [] : [value] });
  const context = entryContext(channel, { publicKey: identity.publicKey, incarnation });
  return { record, signature: sign(identity, [...context, record]), content };
}

/** Throws `bad-signature`. */
export function checkHead(channel: string, { record, signature, content }: SignedHead): void {
  verify(signature, [HEAD_LABEL, prefixed(channel), record], content.publicKey);
}

/** Throws `bad-signature`. The head says whose entry it is. */
export function checkEntry(
  channel: string,
  { content }: SignedHead,
  { record, signature }: SignedEntry,
): void {
  verify(signature, [...entryContext(channel, content), record], content.publicKey);
}

/** Encodes groups as one delta. */
export function encodeDelta(groups: readonly Group[]): Buffer {
  return encode(delta, groups);
}

/** Checks the form, not the signatures. Throws `bad-message`. */
export function decodeDelta(bytes: Uint8Array): Group[] {
  return decodeExact(delta, bytes).map(({ head, entries }) => ({
    head: readHead(head),
    entries: entries.map(readEntry),
  }));
}

export function encodeDigest(content: Digest): Buffer {
  return encode(digest, content);
}

/** Throws `bad-message`. */
export function decodeDigest(bytes: Uint8Array): Digest {
  const content = decodeExact(digest, bytes);
  const isPowerOfTwo = (count: number) => count > 0 && (count & (count - 1)) === 0;
  const whole = content.kind === DIGEST_WHOLE;
  if (
    content.kind > DIGEST_PART_REPLY ||
    content.hashes.length !== (whole ? SLICES : 0) ||
    !content.owners.every(({ buckets }) => isPowerOfTwo(buckets.length))
  ) {
    throw new WeftError(
      'bad-message',
      'a digest was dropped: its lists do not have the sizes that its kind demands',
    );
  }
  return content;
}

function readHead({ record, signature }: Signed): SignedHead {
  const { publicKey, incarnation, initial } = decodeExact(head, record);
  if (incarnation > MAX_INCARNATION)
    throw new WeftError('bad-message', 'a record was dropped: its incarnation is impossibly high');
  const key = parsePublicKey(publicKey);
  return { record, signature, owner: peerIdOf(key), content: { publicKey: key, incarnation, initial } };
}

function readEntry({ record, signature }: Signed): SignedEntry {
  const { sequence, key, value } = decodeExact(entry, record);
  return { record, signature, content: { sequence, key, value: value[0] } };
}

/** What the signature of an entry covers beside it, so that the entry cannot be moved to another channel, owner or incarnation. */
function entryContext(channel: string, { publicKey, incarnation }: Pick<Head, 'publicKey' | 'incarnation'>) {
  return [ENTRY_LABEL, prefixed(channel), publicKey, encode(c.uint64, incarnation)];
}

function prefixed(channel: string): Buffer {
  const name = Buffer.from(channel);
  return Buffer.concat([Buffer.of(name.length), name]);
}

function sign(identity: Identity, parts: readonly Uint8Array[]): Buffer {
  const signature = Buffer.alloc(SIGNATURE_BYTES);
  sodium.crypto_sign_detached(signature, Buffer.concat(parts), identity.secretKey);
  return signature;
}

function verify(signature: Uint8Array, parts: readonly Uint8Array[], publicKey: PublicKey): void {
  if (!sodium.crypto_sign_verify_detached(signature, Buffer.concat(parts), publicKey)) {
    throw new WeftError('bad-signature', 'a record was dropped: it is not signed by its owner');
  }
}

/** `place` names the bucket of a record in a digest, `print` is what the record adds to that bucket. */
export function fingerprint(record: Uint8Array): { readonly place: number; readonly print: number } {
  const hash = blake2b(16, [record]);
  return { place: hash.readUInt32LE(0), print: hash.readUInt32LE(4) };
}
