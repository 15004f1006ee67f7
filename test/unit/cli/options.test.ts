import { describe, expect, it } from 'vitest';
import { autoOrNumber, collectOf, noneOrNumber } from '../../../src/cli/options.js';

describe('the value of an option', () => {
  const workers = autoOrNumber(1, 16);
  const limit = noneOrNumber(100);

  it('is read', () => {
    expect([workers('auto'), workers('1'), workers('16')]).toEqual(['auto', 1, 16]);
    expect([limit('none'), limit('0'), limit('100')]).toEqual([0, 0, 100]);
    expect(collectOf(['a', 'b'])('b', ['a'])).toEqual(['a', 'b']);
  });

  it.each([
    '0',
    '17',
    '-1',
    '1.5',
    '',
    ' 4',
    'none',
    '1e1',
    '0x4',
  ])('that is "%s" is no number of 1 to 16', (text) => {
    expect(() => workers(text)).toThrow('It must be auto or a whole number from 1 to 16.');
  });

  it.each(['101', '-1', '1.5', '', 'auto'])('that is "%s" is no limit', (text) => {
    expect(() => limit(text)).toThrow('It must be none or a whole number from 0 to 100.');
  });

  it.each(['c', '', 'A'])('that is "%s" is none of the words', (text) => {
    expect(() => collectOf(['a', 'b'])(text, undefined)).toThrow('It must be one of a, b.');
  });
});
