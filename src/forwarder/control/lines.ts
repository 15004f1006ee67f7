import { WeftError } from '../../errors.js';

/** Cuts a byte stream into lines of UTF-8, at most `limit` bytes each. */
export class LineSplitter {
  readonly #limit: number;
  #pieces: Buffer[] = [];
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes the next bytes and gives the lines that they complete. Throws `line-too-long`. */
  push(bytes: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, from)) {
      this.#hold(bytes.subarray(from, end));
      lines.push(Buffer.concat(this.#pieces, this.#held).toString('utf8'));
      this.#pieces = [];
      this.#held = 0;
      from = end + 1;
    }
    if (from < bytes.length) this.#hold(bytes.subarray(from));
    return lines;
  }

  #hold(piece: Buffer): void {
    this.#held += piece.length;
    if (this.#held > this.#limit) {
      throw new WeftError('line-too-long', `a line is longer than ${this.#limit} bytes`);
    }
    this.#pieces.push(piece);
  }
}
