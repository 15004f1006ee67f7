import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fittingWidths } from '../../../src/cli/terminal/fit.js';

it('lets a table be as it is that fits, or that cannot', () => {
  expect(fittingWidths([['ab', 'c d']], 7)).toBeUndefined();
  expect(fittingWidths([['abcdef', 'ghijkl']], 10)).toBeUndefined();
});

it('takes from the columns that have most, down to their longest words', () => {
  expect(
    fittingWidths(
      [
        ['id', 'a long reason of many words'],
        ['0123456789', 'short'],
      ],
      30,
    ),
  ).toEqual([10, 18]);
  expect(fittingWidths([['aaaa bbbb', 'cc dd']], 12)).toEqual([5, 5]);
});

it('fits any table whose words do', () => {
  const cell = fc.array(fc.stringMatching(/^[a-z]{0,8}$/), { maxLength: 6 }).map((words) => words.join(' '));
  const table = fc
    .integer({ min: 1, max: 5 })
    .chain((n) => fc.array(fc.array(cell, { minLength: n, maxLength: n }), { minLength: 1, maxLength: 4 }));
  fc.assert(
    fc.property(table, fc.integer({ min: 48, max: 120 }), (rows, available) => {
      const widths = fittingWidths(rows, available);
      if (widths === undefined) return;
      expect(widths.reduce((sum, width) => sum + width + 2, -2)).toBeLessThanOrEqual(available);
      for (const row of rows)
        row.forEach((text, i) => {
          for (const word of text.split(' ')) expect(word.length).toBeLessThanOrEqual(widths[i] ?? 0);
        });
    }),
  );
});
