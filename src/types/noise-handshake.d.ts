/** The parts of noise-handshake that weft uses. */
declare module 'noise-handshake' {
  import type { NoiseCurve } from 'noise-curve-ed';

  interface KeyPair {
    publicKey: Uint8Array;
    secretKey: Uint8Array;
  }

  export default class NoiseState {
    constructor(
      pattern: 'IK' | 'XX',
      isInitiator: boolean,
      staticKeyPair: KeyPair,
      options: { curve: NoiseCurve },
    );
    /** The ephemeral key pair; made when it is needed, unless a test sets it. */
    e: KeyPair | null;
    /** The remote static key, once it is known. */
    readonly rs: Uint8Array | null;
    readonly complete: boolean;
    readonly tx: Uint8Array | null;
    readonly rx: Uint8Array | null;
    readonly hash: Uint8Array | null;
    initialise(prologue: Uint8Array, remoteStatic?: Uint8Array): void;
    send(payload?: Uint8Array): Buffer;
    /** Throws when the message is not genuine. */
    recv(message: Uint8Array): Buffer;
  }
}

declare module 'noise-curve-ed' {
  export interface NoiseCurve {
    generateKeyPair(seed?: Uint8Array): { publicKey: Buffer; secretKey: Buffer };
  }
  const curve: NoiseCurve;
  export default curve;
}
