import sodium from 'sodium-native';
import { WeftError } from '../errors.js';
import { blake2b } from './hash.js';
import type { PublicKey } from './peer-id.js';

declare const brand: unique symbol;

/** 32 random (or stretched) bytes that every member of the network has. */
export type NetworkSecret = Buffer & { readonly [brand]: 'NetworkSecret' };

export const SECRET_BYTES = 32;

/** Takes 32 bytes (copied) as a network secret. Throws `bad-secret` for any other length. */
export function parseSecret(bytes: Uint8Array): NetworkSecret {
  if (bytes.length !== SECRET_BYTES) {
    throw new WeftError('bad-secret', `a network secret has ${SECRET_BYTES} bytes, not ${bytes.length}`);
  }
  return Buffer.from(bytes) as NetworkSecret;
}

export function newSecret(): NetworkSecret {
  const secret = Buffer.alloc(SECRET_BYTES);
  sodium.randombytes_buf(secret);
  return parseSecret(secret);
}

/** The secret of a network with an administrator: with another one's key it is another network's. */
export function boundSecret(secret: NetworkSecret, admin: PublicKey): NetworkSecret {
  return parseSecret(blake2b(SECRET_BYTES, [Buffer.from('weft administrator v1'), admin], secret));
}

/** The key of link and session proofs that belongs to a secret. */
export function proofKeyOf(secret: NetworkSecret): Buffer {
  return blake2b(32, [Buffer.from('weft link proof v1')], secret);
}
