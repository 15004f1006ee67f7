import { describe, expect, it } from 'vitest';
import { checkPassword, decodePassword } from '../../../src/cli/password.js';

const file = 'the password file f';

describe('a password', () => {
  it.each([
    ['secret', 'secret'],
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    ['secret\n\n', 'secret\n'],
    [' two words ', ' two words '],
    ['pässwörd €𝄞', 'pässwörd €𝄞'],
  ])('in a file that holds %j is read', (text, password) => {
    expect(decodePassword(Buffer.from(text), file)).toBe(password);
  });

  it.each([
    ['efbbbf736563726574', 'begins with a byte order mark (ef bb bf at byte 0)'],
    ['fffe73006500', 'is UTF-16 (ff fe at byte 0)'],
    ['feff00730065', 'is UTF-16 (fe ff at byte 0)'],
    ['730065006300', 'has a NUL byte, as UTF-16 does (00 at byte 1)'],
    ['73656300', 'has a NUL byte, as UTF-16 does (00 at byte 3)'],
    ['7365e963726574', 'is not UTF-8 (e9 at byte 2)'],
    ['73c3a4e282', 'is not UTF-8 (e2 at byte 3)'],
    ['73c080', 'is not UTF-8 (c0 at byte 1)'],
    ['73f09d849eff', 'is not UTF-8 (ff at byte 5)'],
  ])('in a file of the bytes %s is refused: it %s', (bytes, fault) => {
    expect(() => decodePassword(Buffer.from(bytes, 'hex'), file)).toThrow(
      expect.objectContaining({
        code: 'bad-password',
        message: `${file} ${fault}: save it as UTF-8 without a byte order mark`,
      }),
    );
  });

  it.each([
    ['', 'is empty'],
    ['\n', 'is empty'],
    ['  \t\n', 'holds nothing but blanks (20 20 09 at byte 0)'],
    ['\n\n', 'holds nothing but blanks (0a at byte 0)'],
    ['\u00a0', 'holds nothing but blanks (c2 a0 at byte 0)'],
  ])('in a file that holds %j is refused', (text, fault) => {
    expect(() => decodePassword(Buffer.from(text), file)).toThrow(`${file} ${fault}`);
  });

  it('out of the command line is taken as it is', () => {
    expect(checkPassword(' pässword\n', 'WEFT_PASSWORD')).toBe(' pässword\n');
  });

  it.each([
    ['\ufeffsecret', 'begins with a byte order mark (ef bb bf at byte 0): leave that out'],
    ['se\ufffdret', 'is not UTF-8 from its character 3 on'],
    ['', 'is empty'],
    ['   ', 'holds nothing but blanks (20 20 20 at byte 0)'],
  ])('out of the command line that is %j is refused', (password, fault) => {
    expect(() => checkPassword(password, 'WEFT_PASSWORD')).toThrow(`WEFT_PASSWORD ${fault}`);
  });
});
