/** The parts of sodium-native that weft uses; the names are libsodium's. */
declare module 'sodium-native' {
  const sodium: {
    readonly crypto_pwhash_ALG_ARGON2ID13: number;
    crypto_generichash(output: Uint8Array, input: Uint8Array, key?: Uint8Array): void;
    crypto_pwhash_async(
      output: Uint8Array,
      password: Uint8Array,
      salt: Uint8Array,
      opslimit: number,
      memlimit: number,
      algorithm: number,
    ): Promise<void>;
    crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void;
    crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void;
    crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
    /** `block` is the number of the first 64-byte block of the key stream. */
    crypto_stream_xchacha20_xor_ic(
      output: Uint8Array,
      input: Uint8Array,
      nonce: Uint8Array,
      block: number,
      key: Uint8Array,
    ): void;
    randombytes_buf(buffer: Uint8Array): void;
    /** Constant time; both must have the same length. */
    sodium_memcmp(a: Uint8Array, b: Uint8Array): boolean;
  };
  export default sodium;
}
