/** The parts of @hyperswarm/secret-stream that weft uses: Noise XX, then libsodium's secretstream, over a raw stream. */
declare module '@hyperswarm/secret-stream' {
  import type { EventEmitter } from 'node:events';
  import type { Duplex } from 'node:stream';

  interface SecretStreamEvents {
    handshake: [];
    connect: [];
    data: [message: Buffer];
    drain: [];
    end: [];
    error: [error: Error];
    close: [];
    warning: [error: Error];
  }

  export default class NoiseSecretStream extends EventEmitter<SecretStreamEvents> {
    constructor(
      isInitiator: boolean,
      rawStream: Duplex,
      options?: {
        keyPair?: { publicKey: Uint8Array; secretKey: Uint8Array };
        enableSend?: boolean;
      },
    );
    readonly isInitiator: boolean;
    readonly destroyed: boolean;
    readonly destroying: boolean;
    /** Resolves to false when the stream dies before the handshake is complete. */
    readonly opened: Promise<boolean>;
    readonly handshakeHash: Buffer | null;
    readonly remotePublicKey: Buffer | null;
    readonly rawBytesWritten: number;
    userData: unknown;
    /** A buffer in which a message can be encrypted in place, when it is the next that is written. */
    alloc(length: number): Buffer;
    write(message: Uint8Array): boolean;
    end(): void;
    destroy(error?: Error): void;
    pause(): void;
    resume(): void;
  }
}
