import c, { type Encoder } from 'compact-encoding';
import sodium from 'sodium-native';
import { boundedList, boundedString, decodeExact, encode, fixedBytes, flag, struct } from '../../codec.js';
import { WeftError } from '../../errors.js';
import { type ItemHash, itemHash } from '../../gossip/index.js';
import {
  blake2b,
  type Identity,
  type PeerId,
  type PublicKey,
  parsePublicKey,
  peerIdBytes,
  peerIdFromBytes,
  peerIdOf,
} from '../../identity/index.js';
import { formatHostPort, ipHostPort, parseHostPort } from '../../net/index.js';
import type { CipherSpeed } from './types.js';

/** What a peer says about itself (docs/protocol.md 3.6). */
export interface PeerRecord {
  readonly publicKey: PublicKey;
  readonly nickname: string;
  /** Of its weft, for people. */
  readonly version: string;
  /** Unix time in milliseconds at which the peer's process started, or more. */
  readonly incarnation: number;
  /** Counts the changes within the incarnation. */
  readonly sequence: number;
  /** Of its control links (TCP). */
  readonly port: number;
  /** Of its containers on the overlay, in bytes. */
  readonly mtu: number;
  /** `address:port` of its data plane (UDP), best first. */
  readonly endpoints: readonly string[];
  readonly features: readonly string[];
  readonly ciphers: readonly CipherSpeed[];
  /** The peers that it has links to, while the mesh is small; else none. */
  readonly links: readonly PeerId[];
  readonly left: boolean;
}

/** A record as it travels: the exact bytes that were signed. */
export interface SignedRecord {
  readonly record: Uint8Array;
  readonly signature: Uint8Array;
}

/** A record with its content. */
export interface MemberRecord extends SignedRecord {
  readonly peer: PeerId;
  readonly content: PeerRecord;
  readonly hash: ItemHash;
}

export const SIGNATURE_BYTES = 64;
export const MAX_RECORD_BYTES = 3072;
export const MAX_ENDPOINTS = 16;
const MAX_NICKNAME_BYTES = 63;
const MAX_VERSION_BYTES = 32;
/** Links that a record tells of. */
export const MAX_LINKS = 96;
/** Far beyond any clock, and far enough from 2^53 that it can be outdone. */
const MAX_INCARNATION = 2 ** 52;
/** IPv6 needs as much on every link (RFC 8200). */
const MIN_MTU = 1280;
const FORMAT = 1;
const LABEL = Buffer.from('weft member v1');

const shortId = fixedBytes(8);

/** A cipher that a peer has (docs/protocol.md 3.6). */
export const cipherSpeed: Encoder<CipherSpeed> = struct({
  name: boundedString(32),
  hardware: flag,
  nanosecondsPer1400: c.uint,
});

/** A short id: 8 bytes. */
export const peerId: Encoder<PeerId> = {
  preencode: (state, peer) => shortId.preencode(state, peerIdBytes(peer)),
  encode: (state, peer) => shortId.encode(state, peerIdBytes(peer)),
  decode: (state) => peerIdFromBytes(shortId.decode(state)),
};

const format: Encoder<WireRecord> = struct({
  format: c.uint,
  publicKey: fixedBytes(32),
  nickname: boundedString(MAX_NICKNAME_BYTES),
  version: boundedString(MAX_VERSION_BYTES),
  incarnation: c.uint,
  sequence: c.uint,
  port: c.uint16,
  mtu: c.uint16,
  endpoints: boundedList(boundedString(64), MAX_ENDPOINTS),
  features: boundedList(boundedString(32), 16),
  ciphers: boundedList(cipherSpeed, 8),
  links: boundedList(peerId, MAX_LINKS),
  left: flag,
});

type WireRecord = Omit<PeerRecord, 'publicKey'> & { format: number; publicKey: Uint8Array };

/** Signs our record. */
export function signRecord(identity: Identity, content: PeerRecord): MemberRecord {
  const record = encode(format, { format: FORMAT, ...content });
  const signature = Buffer.alloc(SIGNATURE_BYTES);
  sodium.crypto_sign_detached(signature, Buffer.concat([LABEL, record]), identity.secretKey);
  return { record, signature, peer: identity.peer, content, hash: hashOf(record) };
}

/** Reads a record of somebody without checking its signature. Throws `bad-message`. */
export function readRecord({ record, signature }: SignedRecord): MemberRecord {
  if (record.length > MAX_RECORD_BYTES) throw new WeftError('bad-message', 'a member record is too long');
  const { format: version, publicKey, ...rest } = decodeExact(format, record);
  if (version !== FORMAT)
    throw new WeftError('bad-message', `a member record has the unknown format ${version}`);
  const isPlain = isPlainText(rest.nickname) && isPlainText(rest.version);
  if (!isPlain || rest.incarnation > MAX_INCARNATION || rest.mtu < MIN_MTU) {
    throw new WeftError(
      'bad-message',
      'a member record holds an impossible nickname, version, incarnation or MTU',
    );
  }
  const key = parsePublicKey(publicKey);
  // One that we cannot read, a name for example, is no reason not to know the peer at all.
  const content = { publicKey: key, ...rest, endpoints: rest.endpoints.filter(isEndpoint) };
  return { record, signature, peer: peerIdOf(key), content, hash: hashOf(record) };
}

/** Throws `bad-signature` when the record is not its owner's. */
export function checkSignature({ record, signature, content }: MemberRecord): void {
  if (!sodium.crypto_sign_verify_detached(signature, Buffer.concat([LABEL, record]), content.publicKey)) {
    throw new WeftError('bad-signature', 'a member record is not signed by its owner');
  }
}

/** Cuts a nickname to what a record can hold and strips what would disturb a terminal. */
export function cleanNickname(nickname: string): string {
  const characters = [...nickname.replace(/\p{C}/gu, '').trim()];
  while (Buffer.byteLength(characters.join('')) > MAX_NICKNAME_BYTES) characters.pop();
  return characters.join('');
}

function hashOf(record: Uint8Array): ItemHash {
  return itemHash(blake2b(16, [record]));
}

function isPlainText(text: string): boolean {
  return !/\p{C}/u.test(text);
}

/** An IP address and port in the one way in which we write it. */
export function isEndpoint(text: string): boolean {
  try {
    const { kind, host, port } = parseHostPort(text);
    return kind !== 'name' && !host.includes('%') && formatHostPort(ipHostPort(host, port)) === text;
  } catch {
    return false;
  }
}
