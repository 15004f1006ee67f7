import jsqr from 'jsqr';
import { describe, expect, test } from 'vitest';
import { qrCode } from '../../../src/cli/terminal/index.js';

const LINE = `weft launch --token weft1${'Ab3-_'.repeat(40)}`;
/** Pixels of a module. */
const SCALE = 4;

describe('the QR code of a line', () => {
  test('is read by a camera as that line', async () => {
    const code = await qrCode(LINE, { columns: 120, colours: false });
    expect(seen(code)).toBe(LINE);
  });

  test('has the same colours on every terminal, if colours are wanted', async () => {
    const code = await qrCode(LINE, { columns: 120, colours: true });
    for (const line of code.split('\n')) {
      expect(line.startsWith('\u001b[97;40m')).toBe(true);
      expect(line.endsWith('\u001b[0m')).toBe(true);
    }
  });

  test('is not shown on a terminal that is too narrow', async () => {
    await expect(qrCode(LINE, { columns: 40, colours: false })).rejects.toThrow(/\d+ columns wide.* has 40/);
  });
});

/** What a camera reads on a dark screen: each character is two modules, one above the other. */
function seen(code: string): string | undefined {
  const rows = code
    .split('\n')
    .flatMap((line) => [
      [...line].map((block) => block === '█' || block === '▀'),
      [...line].map((block) => block === '█' || block === '▄'),
    ]);
  const width = (rows[0]?.length ?? 0) * SCALE;
  const pixels = rows.flatMap((row) =>
    Array.from({ length: SCALE }, () => row.flatMap((light) => Array(SCALE).fill(light ? 255 : 0))).flat(),
  );
  const image = Uint8ClampedArray.from(pixels.flatMap((grey) => [grey, grey, grey, 255]));
  return jsqr.default(image, width, rows.length * SCALE)?.data;
}
