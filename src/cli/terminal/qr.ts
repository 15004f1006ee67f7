import { usageError } from '../errors.js';
import { hasColours } from './output.js';

/** Light on dark, whatever colours the terminal has. */
const COLOURS = '\u001b[97;40m';
const RESET = '\u001b[0m';

/**
 * A text as a QR code of half blocks, for a camera in front of the screen. Its light modules are the blocks, which is right on a dark terminal; with
 * `colours` on any. Throws `usage` when a line is longer than `columns`: wrapped, nobody could read it.
 */
export async function qrCode(
  text: string,
  { columns, colours }: { readonly columns: number; readonly colours: boolean },
): Promise<string> {
  const { renderUnicodeCompact } = await import('uqr');
  const lines = renderUnicodeCompact(text, { ecc: 'L', border: 2 }).split('\n');
  const width = Math.max(...lines.map((line) => line.length));
  if (width > columns)
    throw usageError(`the QR code is ${width} columns wide, and this terminal has ${columns}: make it wider`);
  return lines.map((line) => (colours ? `${COLOURS}${line.padEnd(width)}${RESET}` : line)).join('\n');
}

/** The same for stdout as it is. */
export function qrCodeHere(text: string): Promise<string> {
  const { isTTY, columns } = process.stdout;
  return qrCode(text, { columns: isTTY ? columns : Number.POSITIVE_INFINITY, colours: hasColours() });
}
