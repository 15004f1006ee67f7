import sodium from 'sodium-native';

/** BLAKE2b of the parts in a row, keyed when a key is given; 16 to 64 bytes long. */
export function blake2b(length: number, parts: readonly Uint8Array[], key?: Uint8Array): Buffer {
  const hash = Buffer.alloc(length);
  sodium.crypto_generichash(hash, Buffer.concat(parts), key);
  return hash;
}
