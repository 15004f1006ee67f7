import c, { type Encoder, type State } from 'compact-encoding';
import { WeftError } from './errors.js';

/*
 * Wire formats are declared from these pieces. `decodeExact` is the only way in for bytes of others: every length is bounded,
 * nothing may be left over, and there is exactly one encoding of each value (so that signatures and comparisons can rely on bytes).
 */

/** The fields in the order in which they are listed. */
export function struct<T extends object>(fields: { readonly [K in keyof T]: Encoder<T[K]> }): Encoder<T> {
  const names = Object.keys(fields) as (keyof T)[];
  return {
    preencode(state, value) {
      for (const name of names) fields[name].preencode(state, value[name]);
    },
    encode(state, value) {
      for (const name of names) fields[name].encode(state, value[name]);
    },
    decode(state) {
      return Object.fromEntries(names.map((name) => [name, fields[name].decode(state)])) as T;
    },
  };
}

/** UTF-8 with its length in bytes in front. */
export function boundedString(maxBytes: number): Encoder<string> {
  return bounded(c.string, (value) => Buffer.byteLength(value) <= maxBytes, `longer than ${maxBytes} bytes`);
}

/** Bytes with their length in front. Decoding copies, so that a small value does not keep a large message alive. */
export function boundedBytes(maxBytes: number): Encoder<Uint8Array> {
  const checked = bounded(c.buffer, (value) => value.length <= maxBytes, `longer than ${maxBytes} bytes`);
  return { ...checked, decode: (state) => Buffer.from(checked.decode(state)) };
}

/** Exactly so many bytes, without a length. Decoding copies. */
export function fixedBytes(length: number): Encoder<Uint8Array> {
  const fixed = bounded(c.fixed(length), (value) => value.length === length, `not ${length} bytes long`);
  return { ...fixed, decode: (state) => Buffer.from(fixed.decode(state)) };
}

/** The number of elements, then the elements. */
export function boundedList<T>(element: Encoder<T>, maxLength: number): Encoder<readonly T[]> {
  return {
    preencode(state, list) {
      if (list.length > maxLength) throw new RangeError(`more than ${maxLength} elements`);
      c.uint.preencode(state, list.length);
      for (const value of list) element.preencode(state, value);
    },
    encode(state, list) {
      c.uint.encode(state, list.length);
      for (const value of list) element.encode(state, value);
    },
    decode(state) {
      const length = c.uint.decode(state);
      if (length > maxLength) throw new RangeError(`more than ${maxLength} elements`);
      return Array.from({ length }, () => element.decode(state));
    },
  };
}

/** One byte, 0 or 1. */
export const flag: Encoder<boolean> = {
  preencode: (state) => c.uint8.preencode(state, 0),
  encode: (state, value) => c.uint8.encode(state, value ? 1 : 0),
  decode: (state) => c.uint8.decode(state) === 1,
};

/** A value that is encoded as another one. */
export function mapped<T, U>(encoder: Encoder<U>, to: (value: T) => U, from: (value: U) => T): Encoder<T> {
  return {
    preencode: (state, value) => encoder.preencode(state, to(value)),
    encode: (state, value) => encoder.encode(state, to(value)),
    decode: (state) => from(encoder.decode(state)),
  };
}

/** Encodes a value of ours. Throws RangeError when it breaks the bounds of its format. */
export function encode<T>(encoder: Encoder<T>, value: T): Buffer {
  const state: State = { start: 0, end: 0, buffer: null };
  encoder.preencode(state, value);
  const buffer = Buffer.alloc(state.end);
  encoder.encode({ start: 0, end: buffer.length, buffer }, value);
  return buffer;
}

/** Decodes bytes from outside. Throws `bad-message` unless they are the one encoding of a value. */
export function decodeExact<T>(encoder: Encoder<T>, bytes: Uint8Array): T {
  try {
    const value = encoder.decode({ start: 0, end: bytes.length, buffer: bytes });
    if (Buffer.compare(encode(encoder, value), bytes) !== 0)
      throw new RangeError('not the canonical encoding');
    return value;
  } catch (error) {
    throw new WeftError('bad-message', `a message cannot be read: ${String(error)}`, { cause: error });
  }
}

function bounded<T>(encoder: Encoder<T>, holds: (value: T) => boolean, why: string): Encoder<T> {
  return {
    preencode(state, value) {
      if (!holds(value)) throw new RangeError(why);
      encoder.preencode(state, value);
    },
    encode: (state, value) => encoder.encode(state, value),
    decode(state) {
      const value = encoder.decode(state);
      if (!holds(value)) throw new RangeError(why);
      return value;
    },
  };
}
