/** The parts of protomux that weft uses. */
declare module 'protomux' {
  import type { EventEmitter } from 'node:events';
  import type { Encoder } from 'compact-encoding';

  export interface ProtomuxMessage {
    /** False when the stream below is full. */
    send(message: Uint8Array): boolean;
  }

  export interface ProtomuxChannel {
    readonly opened: boolean;
    readonly closed: boolean;
    readonly messages: readonly ProtomuxMessage[];
    open(handshake: Uint8Array): void;
    close(): void;
  }

  export interface ProtomuxChannelOptions {
    protocol: string;
    handshake?: Encoder<Uint8Array>;
    messages?: readonly { encoding: Encoder<Uint8Array>; onmessage(message: Uint8Array): void }[];
    onopen?(handshake: Uint8Array): void;
    onclose?(): void;
    ondrain?(): void;
  }

  /** What protomux asks of the stream below it. */
  export interface ProtomuxStream extends EventEmitter {
    userData: unknown;
    readonly destroyed: boolean;
    alloc(length: number): Buffer;
    write(message: Uint8Array): boolean;
    end(): void;
    destroy(error?: Error): void;
    pause(): void;
    resume(): void;
  }

  export default class Protomux {
    constructor(stream: ProtomuxStream);
    /** Null when the channel exists already or the stream is gone. */
    createChannel(options: ProtomuxChannelOptions): ProtomuxChannel | null;
  }
}
