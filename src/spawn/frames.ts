/** What weft-spawn is asked and what it tells, as frames of bytes: docs/spawn.md. */

export const KIND = {
  start: 1,
  input: 2,
  endInput: 3,
  signal: 4,
  started: 16,
  output: 17,
  errorOutput: 18,
  ended: 19,
  refused: 20,
} as const;

export interface Frame {
  /** Of the command that it is about. */
  readonly id: number;
  readonly kind: number;
  readonly payload: Buffer;
}

const LENGTH_SIZE = 4;
/** Of id and kind, which the length counts. */
const HEAD_SIZE = 5;
const EMPTY = Buffer.alloc(0);

export function encodeFrame(id: number, kind: number, payload: Buffer = EMPTY): Buffer {
  const frame = Buffer.allocUnsafe(LENGTH_SIZE + HEAD_SIZE + payload.length);
  frame.writeUInt32BE(HEAD_SIZE + payload.length);
  frame.writeUInt32BE(id, LENGTH_SIZE);
  frame.writeUInt8(kind, LENGTH_SIZE + 4);
  payload.copy(frame, LENGTH_SIZE + HEAD_SIZE);
  return frame;
}

/** Cuts pieces of a stream into frames. */
export class FrameSplitter {
  #begun: Buffer = EMPTY;

  /** Takes the next piece and gives the frames that it completes. */
  *push(piece: Buffer): Generator<Frame> {
    let left = this.#begun.length === 0 ? piece : Buffer.concat([this.#begun, piece]);
    while (left.length >= LENGTH_SIZE) {
      const size = LENGTH_SIZE + left.readUInt32BE();
      if (left.length < size) break;
      const frame = left.subarray(LENGTH_SIZE, size);
      left = left.subarray(size);
      yield { id: frame.readUInt32BE(), kind: frame.readUInt8(4), payload: frame.subarray(HEAD_SIZE) };
    }
    this.#begun = left;
  }
}
