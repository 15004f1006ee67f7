/** The lines of pieces that end anywhere, in the middle of a character, too. Throws `tooLong` where one is longer than `longest` bytes. */
export async function* linesOf(
  pieces: AsyncIterable<Buffer>,
  longest: number,
  tooLong: () => Error,
): AsyncGenerator<string> {
  let begun: Buffer[] = [];
  let size = 0;
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf(0x0a); end !== -1; end = piece.indexOf(0x0a, from)) {
      yield Buffer.concat([...begun, piece.subarray(from, end)]).toString();
      [begun, size, from] = [[], 0, end + 1];
    }
    begun.push(piece.subarray(from));
    size += piece.length - from;
    if (size > longest) throw tooLong();
  }
}
