import { EventEmitter } from 'node:events';
import type NoiseSecretStream from '@hyperswarm/secret-stream';

/** Protomux's channel 0 opens and closes channels. */
const MUX_CONTROL = 0;
const MUX_OPEN = 1;
/** The one channel that each side opens has the first number. */
const CHANNEL = 1;
const NO_ID = 0;

/**
 * Lets only those frames of a link through to Protomux that a weft router sends.
 *
 * Protomux trusts its peer: some of its control frames make it throw a TypeError out of any reach, which would end the
 * process. So each side may open one channel, once, and every other frame that would change Protomux's own state is dropped.
 */
export class MuxStream extends EventEmitter {
  userData: unknown = null;
  readonly #stream: NoiseSecretStream;
  readonly #onRefused: () => void;
  readonly #messageTypes: number;
  readonly #opening: Buffer;
  #opened = false;

  /** `messageTypes` is the number of message types that the protocol's channel has. */
  constructor(stream: NoiseSecretStream, protocol: string, messageTypes: number, onRefused: () => void) {
    super();
    this.#messageTypes = messageTypes;
    this.#stream = stream;
    this.#onRefused = onRefused;
    this.#opening = Buffer.concat([
      Buffer.of(MUX_CONTROL, MUX_OPEN, CHANNEL, protocol.length),
      Buffer.from(protocol, 'latin1'),
      Buffer.of(NO_ID),
    ]);
    stream.on('drain', () => this.emit('drain'));
    stream.on('end', () => this.emit('end'));
    stream.on('close', () => this.emit('close'));
  }

  get destroyed(): boolean {
    return this.#stream.destroyed;
  }

  /** Hands a decrypted frame to Protomux, if a weft router sends such frames. */
  receive(frame: Buffer): void {
    if (this.#isExpected(frame)) this.emit('data', frame);
    else this.#onRefused();
  }

  alloc(length: number): Buffer {
    return this.#stream.alloc(length);
  }

  write(frame: Uint8Array): boolean {
    return this.#stream.write(frame);
  }

  end(): void {
    this.#stream.end();
  }

  destroy(error?: Error): void {
    this.#stream.destroy(error);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  #isExpected(frame: Buffer): boolean {
    const [channel, type = Infinity] = frame;
    if (channel === CHANNEL) return this.#opened && type < this.#messageTypes;
    if (this.#opened || !frame.subarray(0, this.#opening.length).equals(this.#opening)) return false;
    this.#opened = true;
    return true;
  }
}
