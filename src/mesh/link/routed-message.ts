import c, { type Encoder } from 'compact-encoding';
import sodium from 'sodium-native';
import { boundedBytes, boundedString, encode, fixedBytes, struct } from '../../codec.js';
import { WeftError } from '../../errors.js';
import type { Identity, PeerId, PublicKey } from '../../identity/index.js';
import { peerId, SIGNATURE_BYTES } from '../membership/index.js';

/** A message to a member that may be several hops away (docs/protocol.md 3.10), as its source signs it. */
export interface Letter {
  readonly source: PeerId;
  readonly destination: PeerId;
  /** Of the source's record. */
  readonly incarnation: number;
  /** Counts the letters of the source within its incarnation. */
  readonly count: number;
  /** Of the destination's record, as the source knows it: a letter to an earlier run is void. */
  readonly destinationIncarnation: number;
  readonly channel: string;
  readonly bytes: Uint8Array;
}

/** A letter on its way. */
export interface Routed {
  /** How many more times it may be handed on. */
  readonly hops: number;
  readonly letter: Letter;
  readonly signature: Uint8Array;
}

export const MAX_HOPS = 64;
export const MAX_UNICAST_BYTES = 1024 * 1024 - 512;
/** Letters that may overtake one another. */
const WINDOW = 256;
const LABEL = Buffer.from('weft letter v1');

const letter: Encoder<Letter> = struct({
  source: peerId,
  destination: peerId,
  incarnation: c.uint,
  count: c.uint,
  destinationIncarnation: c.uint,
  channel: boundedString(32),
  bytes: boundedBytes(MAX_UNICAST_BYTES),
});

export const routed: Encoder<Routed> = struct({
  hops: c.uint8,
  letter,
  signature: fixedBytes(SIGNATURE_BYTES),
});

export function sealLetter(identity: Identity, content: Letter): Routed {
  const signature = Buffer.alloc(SIGNATURE_BYTES);
  sodium.crypto_sign_detached(signature, signedBytes(content), identity.secretKey);
  return { hops: MAX_HOPS, letter: content, signature };
}

/** Throws `bad-signature` when the letter does not come from the holder of this key. */
export function checkLetter({ letter: content, signature }: Routed, source: PublicKey): void {
  if (!sodium.crypto_sign_verify_detached(signature, signedBytes(content), source)) {
    throw new WeftError('bad-signature', 'a routed message is not signed by its source');
  }
}

/** Takes each letter of a source once. */
export class LetterWindow {
  #incarnation = -1;
  #highest = -1;
  readonly #seen = new Set<number>();

  /** False for a letter that was seen, or that is too old to tell. */
  admit({ incarnation, count }: Letter): boolean {
    if (incarnation < this.#incarnation) return false;
    if (incarnation > this.#incarnation) {
      this.#incarnation = incarnation;
      this.#highest = -1;
      this.#seen.clear();
    }
    if (count <= this.#highest - WINDOW || this.#seen.has(count)) return false;
    this.#seen.add(count);
    this.#highest = Math.max(this.#highest, count);
    if (this.#seen.size > 2 * WINDOW) {
      for (const old of this.#seen) if (old <= this.#highest - WINDOW) this.#seen.delete(old);
    }
    return true;
  }
}

function signedBytes(content: Letter): Buffer {
  return Buffer.concat([LABEL, encode(letter, content)]);
}
