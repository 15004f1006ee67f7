import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import sodium from 'sodium-native';
import { WeftError } from '../../../errors.js';
import { blake2b } from '../../../identity/index.js';

const NONCE_BYTES = 24;
const BLOCK_BYTES = 64;
const LENGTH_BYTES = 3;
const KEY = blake2b(32, [Buffer.from('weft link whitening v1')]);

/** Maximum frame length until the other side has proved the secret. The longest frame before that is the one with its hello. */
const HANDSHAKE_FRAME_LIMIT = 4096;

/** The XChaCha20 key stream of one direction. */
export class Keystream {
  readonly #nonce: Uint8Array;
  #position = 0;

  constructor(nonce: Uint8Array) {
    this.#nonce = nonce;
  }

  /** XORs the next bytes; the input is left as it is. */
  apply(bytes: Uint8Array): Buffer {
    const skipped = this.#position % BLOCK_BYTES;
    const padded = Buffer.alloc(skipped + bytes.length);
    padded.set(bytes, skipped);
    const block = Math.floor(this.#position / BLOCK_BYTES);
    sodium.crypto_stream_xchacha20_xor_ic(padded, padded, this.#nonce, block, KEY);
    this.#position += bytes.length;
    return padded.subarray(skipped);
  }
}

/**
 * A TCP connection on which every byte looks random (docs/protocol.md 3.1).
 *
 * It hides lengths and unencrypted Noise keys from a middlebox that looks for patterns. It protects nothing, since there is no secret in it,
 * on purpose: with one derived from the network's, anybody could test guesses of a weak password against recorded bytes.
 *
 * It also refuses frames that are too long before memory is allocated for them.
 */
export class ObfuscatedStream extends Duplex {
  /** Maximum length of an incoming frame, without its 3 length bytes. */
  frameLimit = HANDSHAKE_FRAME_LIMIT;
  readonly #socket: Socket;
  readonly #outgoing: Keystream;
  #incoming: Keystream | undefined;
  #nonce = Buffer.alloc(0);
  #header = 0;
  #headerBytes = 0;
  #frameRest = 0;

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    const nonce = Buffer.alloc(NONCE_BYTES);
    sodium.randombytes_buf(nonce);
    this.#outgoing = new Keystream(nonce);
    socket.write(nonce);
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  /** Number of bytes that wait in this stream and in the socket. */
  get queued(): number {
    return this.writableLength + this.#socket.writableLength;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(this.#outgoing.apply(chunk), done);
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #receive(bytes: Buffer): void {
    let rest = bytes;
    if (this.#incoming === undefined) {
      const missing = NONCE_BYTES - this.#nonce.length;
      this.#nonce = Buffer.concat([this.#nonce, bytes.subarray(0, missing)]);
      if (this.#nonce.length < NONCE_BYTES) return;
      this.#incoming = new Keystream(this.#nonce);
      rest = bytes.subarray(missing);
    }
    if (rest.length === 0) return;
    const plain = this.#incoming.apply(rest);
    if (!this.#framesFit(plain)) {
      this.destroy(
        new WeftError(
          'frame-too-large',
          'the connection was closed: the other side sent a frame that is too large',
        ),
      );
    } else if (!this.push(plain)) {
      this.#socket.pause();
    }
  }

  /** Follows the frames (3 bytes of length, little-endian, then the content); false when one is too long. */
  #framesFit(bytes: Buffer): boolean {
    let offset = 0;
    while (offset < bytes.length) {
      if (this.#frameRest > 0) {
        const step = Math.min(this.#frameRest, bytes.length - offset);
        this.#frameRest -= step;
        offset += step;
        continue;
      }
      this.#header += (bytes[offset] ?? 0) * 256 ** this.#headerBytes;
      this.#headerBytes += 1;
      offset += 1;
      if (this.#headerBytes < LENGTH_BYTES) continue;
      if (this.#header > this.frameLimit) return false;
      this.#frameRest = this.#header;
      this.#header = 0;
      this.#headerBytes = 0;
    }
    return true;
  }
}
