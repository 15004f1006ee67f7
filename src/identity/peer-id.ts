import { WeftError } from '../errors.js';
import { blake2b } from './hash.js';

declare const brand: unique symbol;

/** An Ed25519 public key, 32 bytes: who a peer is. */
export type PublicKey = Buffer & { readonly [brand]: 'PublicKey' };

/** A peer's short id as 16 lower-case hexadecimal digits. Compared with `===`, usable as a map key. */
export type PeerId = string & { readonly [brand]: 'PeerId' };

const LABEL = Buffer.from('weft peer id v1');
const PUBLIC_KEY_BYTES = 32;
const SHORT_ID_BYTES = 8;

/** The short id of a public key: the first 8 bytes of BLAKE2b-256(label || key). */
export function peerIdOf(publicKey: PublicKey): PeerId {
  return peerIdFromBytes(blake2b(32, [LABEL, publicKey]).subarray(0, SHORT_ID_BYTES));
}

/** 16 hexadecimal digits, in lower case. */
export function isPeerId(text: string): text is PeerId {
  return /^[0-9a-f]{16}$/.test(text);
}

/** Reads 16 hexadecimal digits, either case. Throws `bad-peer-id`. */
export function parsePeerId(text: string): PeerId {
  const id = text.toLowerCase();
  if (isPeerId(id)) return id;
  throw new WeftError('bad-peer-id', `"${text}" is not a peer id: expected 16 hexadecimal digits`);
}

/** The 8 bytes of a peer id. */
export function peerIdBytes(peer: PeerId): Buffer {
  return Buffer.from(peer, 'hex');
}

/** The peer id of 8 bytes. Throws `bad-peer-id`. */
export function peerIdFromBytes(bytes: Uint8Array): PeerId {
  if (bytes.length !== SHORT_ID_BYTES) {
    throw new WeftError('bad-peer-id', `a short id has ${SHORT_ID_BYTES} bytes, not ${bytes.length}`);
  }
  return Buffer.from(bytes).toString('hex') as PeerId;
}

/** Takes 32 bytes (copied) as a public key. Throws `bad-public-key` for any other length. */
export function parsePublicKey(bytes: Uint8Array): PublicKey {
  if (bytes.length !== PUBLIC_KEY_BYTES) {
    throw new WeftError('bad-public-key', `a public key has ${PUBLIC_KEY_BYTES} bytes, not ${bytes.length}`);
  }
  return Buffer.from(bytes) as PublicKey;
}

/** True when both are the same key. */
export function samePublicKey(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
