import type { PeerId, PublicKey } from './peer-id.js';

/** This router's key pair. */
export interface Identity {
  readonly publicKey: PublicKey;
  /** Ed25519 secret key as libsodium keeps it: seed, then public key; 64 bytes. */
  readonly secretKey: Buffer;
  readonly peer: PeerId;
}

/** Reads the key pair from `<stateDir>/identity.json`; makes it when there is none. */
export declare function loadOrCreateIdentity(stateDir: string): Promise<Identity>;
