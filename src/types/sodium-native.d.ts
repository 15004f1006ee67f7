/** The parts of sodium-native (libsodium's own names) that weft uses. */
declare module 'sodium-native' {
  const sodium: {
    readonly crypto_pwhash_ALG_ARGON2ID13: number;
    crypto_generichash(output: Buffer, input: Uint8Array, key?: Uint8Array): void;
    crypto_pwhash_async(
      output: Buffer,
      password: Buffer,
      salt: Buffer,
      opslimit: number,
      memlimit: number,
      algorithm: number,
    ): Promise<void>;
    crypto_sign_keypair(publicKey: Buffer, secretKey: Buffer): void;
    crypto_sign_seed_keypair(publicKey: Buffer, secretKey: Buffer, seed: Buffer): void;
    crypto_sign_detached(signature: Buffer, message: Uint8Array, secretKey: Buffer): void;
    crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
    crypto_stream_xor_STATEBYTES: number;
    randombytes_buf(buffer: Uint8Array): void;
    sodium_memcmp(a: Uint8Array, b: Uint8Array): boolean;
    sodium_memzero(buffer: Uint8Array): void;
  };
  export default sodium;
}
