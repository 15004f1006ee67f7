import { join } from 'node:path';
import sodium from 'sodium-native';
import { type PeerId, type PublicKey, parsePublicKey, peerIdOf } from './peer-id.js';
import { corruptFile, readPrivateJson, writePrivateJson } from './private-file.js';

/** This router's key pair. */
export interface Identity {
  readonly publicKey: PublicKey;
  /** Ed25519 secret key as libsodium keeps it: seed, then public key; 64 bytes. */
  readonly secretKey: Buffer;
  readonly peer: PeerId;
}

const SEED_BYTES = 32;

/** The key pair that grows from a seed of 32 bytes. */
export function identityFromSeed(seed: Uint8Array): Identity {
  const publicKey = Buffer.alloc(32);
  const secretKey = Buffer.alloc(64);
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, Buffer.from(seed));
  const key = parsePublicKey(publicKey);
  return { publicKey: key, secretKey, peer: peerIdOf(key) };
}

/**
 * Reads the key pair from `<stateDir>/identity.json`; makes it (0600, on the disk before this resolves) when there is none.
 * Rejects like `readPrivateJson` and `writePrivateJson`; an existing file is never overwritten.
 */
export function loadOrCreateIdentity(stateDir: string): Promise<Identity> {
  return loadOrCreateKeyPair(join(stateDir, 'identity.json'));
}

/** Reads a key pair; undefined when there is none. Rejects like `readPrivateJson`. */
export async function loadKeyPair(path: string): Promise<Identity | undefined> {
  const stored = await readPrivateJson(path);
  return stored === undefined ? undefined : parseStored(path, stored);
}

/** Reads a key pair, or makes it, as `loadOrCreateIdentity` does. */
export async function loadOrCreateKeyPair(path: string): Promise<Identity> {
  const known = await loadKeyPair(path);
  if (known !== undefined) return known;
  const seed = Buffer.alloc(SEED_BYTES);
  sodium.randombytes_buf(seed);
  const identity = identityFromSeed(seed);
  await writePrivateJson(path, {
    publicKey: identity.publicKey.toString('hex'),
    seed: seed.toString('hex'),
  });
  return identity;
}

/** The public key stands in the file to prove that the seed is whole. */
function parseStored(path: string, stored: unknown): Identity {
  if (typeof stored !== 'object' || stored === null || !('seed' in stored) || !('publicKey' in stored)) {
    throw corruptFile(path, 'seed or publicKey is missing');
  }
  const { seed, publicKey } = stored;
  if (typeof seed !== 'string' || !/^[0-9a-f]{64}$/.test(seed)) {
    throw corruptFile(path, 'the seed is not 64 hexadecimal digits');
  }
  const identity = identityFromSeed(Buffer.from(seed, 'hex'));
  if (identity.publicKey.toString('hex') !== publicKey) {
    throw corruptFile(path, 'the public key does not belong to the seed');
  }
  return identity;
}
