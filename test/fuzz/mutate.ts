/** Changes messages as a hostile sender would, by chance: the same for the same numbers. */

/** Numbers from 0 to 1. */
export type Random = () => number;

/** Numbers that decoders get wrong, in the one encoding that each has: docs/protocol.md, section 3. */
const EXTREMES = [
  '00',
  'fc',
  'fdfd00',
  'fdffff',
  'fe00000100',
  'feffffffff',
  'ff0000000001000000',
  'ff0000000000001000',
  'ffffffffffffff1f00',
  'ffffffffffffffffff',
  // Not canonical, or beyond 2^53.
  'fd0000',
  'fe00000000',
].map((hex) => Buffer.from(hex, 'hex'));
const INTERESTING = [0, 1, 0x7f, 0x80, 0xfb, 0xfc, 0xfd, 0xfe, 0xff];
const MAX_MUTATIONS = 4;
const MAX_REPEATED = 64;
/** Longer messages are not made of shorter ones. */
const MAX_BYTES = 64 * 1024;

type Mutation = (bytes: Buffer, random: Random, others: readonly Uint8Array[]) => Buffer;

/** An integer below `limit`. */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[below(random, list.length)] as T;
}

/** The message with one to four changes; `others` are messages of which pieces are taken. */
export function mutated(bytes: Uint8Array, random: Random, others: readonly Uint8Array[]): Buffer {
  let result: Buffer = Buffer.from(bytes);
  for (let left = 1 + below(random, MAX_MUTATIONS); left > 0; left--) {
    result = pick(random, MUTATIONS)(result, random, others).subarray(0, MAX_BYTES);
  }
  return result;
}

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  addToByte,
  truncate,
  extend,
  putExtreme,
  putExtreme,
  removePiece,
  repeatPiece,
  splice,
  transplant,
  transplant,
];

function flipBit(bytes: Buffer, random: Random): Buffer {
  return withByte(bytes, random, (byte) => byte ^ (1 << below(random, 8)));
}

function setByte(bytes: Buffer, random: Random): Buffer {
  return withByte(bytes, random, () => pick(random, INTERESTING));
}

/** Lengths and counts that are a little wrong. */
function addToByte(bytes: Buffer, random: Random): Buffer {
  return withByte(bytes, random, (byte) => byte + pick(random, [-2, -1, 1, 2]));
}

function truncate(bytes: Buffer, random: Random): Buffer {
  return bytes.subarray(0, below(random, bytes.length + 1));
}

function extend(bytes: Buffer, random: Random): Buffer {
  const more = Buffer.from(Array.from({ length: 1 + below(random, 32) }, () => below(random, 256)));
  return Buffer.concat([bytes, more]);
}

/** A number in place of another, perhaps of another length. */
function putExtreme(bytes: Buffer, random: Random): Buffer {
  const at = below(random, bytes.length + 1);
  const length = { 253: 3, 254: 5, 255: 9 }[bytes[at] ?? 0] ?? 1;
  return Buffer.concat([bytes.subarray(0, at), pick(random, EXTREMES), bytes.subarray(at + length)]);
}

function removePiece(bytes: Buffer, random: Random): Buffer {
  const [start, end] = pieceOf(bytes, random);
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
}

/** Elements of a list, perhaps: the number in front is raised, too. */
function repeatPiece(bytes: Buffer, random: Random): Buffer {
  const [start, end] = pieceOf(bytes, random);
  const times = 1 + below(random, random() < 0.1 ? MAX_REPEATED : 2);
  const copies = Array.from({ length: times }, () => bytes.subarray(start, end));
  const front = Buffer.from(bytes.subarray(0, end));
  if (start > 0) front[start - 1] = (front[start - 1] ?? 0) + times;
  return Buffer.concat([front, ...copies, bytes.subarray(end)]);
}

/** The beginning of this message and the end of another. */
function splice(bytes: Buffer, random: Random, others: readonly Uint8Array[]): Buffer {
  const other = pick(random, others);
  return Buffer.concat([
    bytes.subarray(0, below(random, bytes.length + 1)),
    other.subarray(below(random, other.length + 1)),
  ]);
}

/** A piece of another message in the place of as many bytes of this one: ids, keys, signatures. */
function transplant(bytes: Buffer, random: Random, others: readonly Uint8Array[]): Buffer {
  const other = pick(random, others);
  const length = Math.min(pick(random, [1, 2, 4, 8, 9, 32, 64]), other.length, bytes.length);
  const from = below(random, other.length - length + 1);
  const to =
    random() < 0.5 && from + length <= bytes.length ? from : below(random, bytes.length - length + 1);
  const result = Buffer.from(bytes);
  result.set(other.subarray(from, from + length), to);
  return result;
}

function withByte(bytes: Buffer, random: Random, change: (byte: number) => number): Buffer {
  const result = Buffer.from(bytes);
  if (result.length === 0) return result;
  const at = below(random, result.length);
  result[at] = change(result[at] ?? 0);
  return result;
}

function pieceOf(bytes: Buffer, random: Random): [start: number, end: number] {
  const start = below(random, bytes.length + 1);
  const length =
    random() < 0.5 ? pick(random, [1, 4, 8, 16, 32, 64]) : below(random, bytes.length - start + 1);
  return [start, Math.min(bytes.length, start + length)];
}
