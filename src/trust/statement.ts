import c, { type Encoder } from 'compact-encoding';
import sodium from 'sodium-native';
import { boundedList, boundedString, decodeExact, encode, fixedBytes, struct } from '../codec.js';
import { WeftError } from '../errors.js';
import {
  blake2b,
  type Identity,
  type NetworkSecret,
  type PeerId,
  type PublicKey,
  parsePublicKey,
  parseSecret,
  peerIdBytes,
  peerIdFromBytes,
  peerIdOf,
} from '../identity/index.js';

/** docs/protocol.md, section 10: what a member says to all about another one, or about the network's secret. */

const REMOVED = 1;
const REVOKED = 2;
const ROTATED = 3;
const FINISHED = 4;

/** A peer is gone for good: its records up to this incarnation are void. It may come back with a later one. */
export interface Removed {
  readonly kind: 'removed';
  readonly subject: PeerId;
  /** Nickname, as the issuer knew it. */
  readonly name: string;
  /** The router that takes over what the subject owned. */
  readonly heir: PeerId;
  readonly incarnation: number;
}

/** A peer is expelled; nothing brings this identity back. */
export interface Revoked {
  readonly kind: 'revoked';
  readonly subject: PeerId;
  readonly name: string;
  readonly heir: PeerId;
}

/** The network has a new secret; the one before it is good for members until `finished`. */
export interface Rotated {
  readonly kind: 'rotated';
  /** Counts the secrets that followed the first. */
  readonly generation: number;
  readonly secret: NetworkSecret;
}

/** No secret from before this generation is good any more. */
export interface Finished {
  readonly kind: 'finished';
  readonly generation: number;
}

export type Content = Removed | Revoked | Rotated | Finished;

/** A statement as it travels: the exact bytes that were signed, and what they say. */
export interface Statement<C extends Content = Content> {
  readonly record: Uint8Array;
  readonly signature: Uint8Array;
  readonly content: C;
  readonly issuer: PeerId;
  readonly issuerKey: PublicKey;
  /** How often trust had been reset when it was said. */
  readonly epoch: number;
  /** Unix time in milliseconds, by the issuer's clock. */
  readonly time: number;
}

interface Wire {
  readonly kind: number;
  readonly epoch: number;
  readonly issuer: Uint8Array;
  readonly time: number;
  readonly subject: readonly Uint8Array[];
  readonly name: string;
  readonly heir: readonly Uint8Array[];
  readonly number: number;
  readonly secret: readonly Uint8Array[];
}

/**
 * Of a removal: no clock shows more before the year 2248. A member record may have an incarnation 512 times as high, so that whoever
 * was removed can always come back with a later one.
 */
export const MAX_REMOVED_INCARNATION = 2 ** 43;
export const MAX_GENERATION = 2 ** 32 - 1;
const LABEL = Buffer.from('weft statement v2');
const SIGNATURE_BYTES = 64;

const record: Encoder<Wire> = struct({
  kind: c.uint8,
  epoch: c.uint,
  issuer: fixedBytes(32),
  time: c.uint,
  subject: boundedList(fixedBytes(8), 1),
  name: boundedString(63),
  heir: boundedList(fixedBytes(8), 1),
  number: c.uint,
  secret: boundedList(fixedBytes(32), 1),
});

const signed: Encoder<{ record: Uint8Array; signature: Uint8Array }> = struct({
  record: c.buffer,
  signature: fixedBytes(SIGNATURE_BYTES),
});

/** When something is said. */
export type Occasion = Pick<Statement, 'epoch' | 'time'>;

export function makeStatement(identity: Identity, content: Content, { epoch, time }: Occasion): Statement {
  const bytes = encode(record, { ...wireOf(content), epoch, issuer: identity.publicKey, time });
  const signature = Buffer.alloc(SIGNATURE_BYTES);
  sodium.crypto_sign_detached(signature, Buffer.concat([LABEL, bytes]), identity.secretKey);
  const { peer: issuer, publicKey: issuerKey } = identity;
  return { record: bytes, signature, content, issuer, issuerKey, epoch, time };
}

export function encodeStatement(statement: Statement): Buffer {
  return encode(signed, { record: statement.record, signature: statement.signature });
}

/** Reads a statement without checking its signature. Throws `bad-message`. */
export function readStatement(bytes: Uint8Array): Statement {
  const { record: raw, signature } = decodeExact(signed, bytes);
  const copy = Buffer.from(raw);
  const wire = decodeExact(record, copy);
  const content = contentOf(wire);
  if (content === undefined || !sameBytes(encode(record, { ...wire, ...wireOf(content) }), copy)) {
    throw new WeftError('bad-message', 'a statement says something impossible');
  }
  const issuerKey = parsePublicKey(wire.issuer);
  const { epoch, time } = wire;
  return { record: copy, signature, content, issuer: peerIdOf(issuerKey), issuerKey, epoch, time };
}

/** Throws `bad-signature`. */
export function checkStatement({ record: bytes, signature, issuerKey }: Statement): void {
  if (!sodium.crypto_sign_verify_detached(signature, Buffer.concat([LABEL, bytes]), issuerKey)) {
    throw new WeftError('bad-signature', 'a statement is not signed by its issuer');
  }
}

/** What a statement is about: of all with one topic, one counts. */
export function topicOf({ content }: Statement): string {
  return topic(content.kind, 'subject' in content ? content.subject : undefined);
}

export function topic(kind: Content['kind'], subject?: PeerId): string {
  return subject === undefined ? kind : `${kind} ${subject}`;
}

/** Of all that one issuer says about one topic, one is kept. 16 hexadecimal digits. */
export function keyOf({ content, issuerKey }: Statement): string {
  return key(issuerKey, content.kind, 'subject' in content ? content.subject : undefined);
}

export function key(issuer: PublicKey, kind: Content['kind'], subject?: PeerId): string {
  const about = subject === undefined ? [] : [peerIdBytes(subject)];
  return blake2b(16, [issuer, Buffer.from(kind), ...about])
    .subarray(0, 8)
    .toString('hex');
}

/** Of two about one topic the later generation or incarnation counts, then the earlier time, then the lower bytes. */
export function outranks(a: Statement, b: Statement): boolean {
  const difference = wireOf(a.content).number - wireOf(b.content).number || b.time - a.time;
  return difference === 0 ? Buffer.compare(a.record, b.record) < 0 : difference > 0;
}

function wireOf(content: Content): Omit<Wire, 'issuer' | 'epoch' | 'time'> {
  const nothing = { subject: [], name: '', heir: [], number: 0, secret: [] };
  switch (content.kind) {
    case 'removed':
      return { ...nothing, ...aboutPeer(content), kind: REMOVED, number: content.incarnation };
    case 'revoked':
      return { ...nothing, ...aboutPeer(content), kind: REVOKED };
    case 'rotated':
      return { ...nothing, kind: ROTATED, number: content.generation, secret: [content.secret] };
    case 'finished':
      return { ...nothing, kind: FINISHED, number: content.generation };
  }
}

function aboutPeer({ subject, name, heir }: Removed | Revoked) {
  return { subject: [peerIdBytes(subject)], name, heir: [peerIdBytes(heir)] };
}

function contentOf(wire: Wire): Content | undefined {
  const { kind, name, number } = wire;
  const [[subject], [heir], [secret]] = [wire.subject, wire.heir, wire.secret];
  const limit = kind === REMOVED ? MAX_REMOVED_INCARNATION : MAX_GENERATION;
  if (/\p{C}/u.test(name) || number > limit) return undefined;
  if (subject !== undefined && heir !== undefined) {
    const about = { subject: peerIdFromBytes(subject), name, heir: peerIdFromBytes(heir) };
    if (kind === REMOVED) return { kind: 'removed', ...about, incarnation: number };
    if (kind === REVOKED) return { kind: 'revoked', ...about };
  }
  if (kind === ROTATED && secret !== undefined) {
    return { kind: 'rotated', generation: number, secret: parseSecret(secret) };
  }
  return kind === FINISHED ? { kind: 'finished', generation: number } : undefined;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
