/** Reads a network's password. What another host might read otherwise is refused: it would silently be another network. */
import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { systemCode, WeftError } from '../errors.js';

/** The password in a file, without the line break at its end. Rejects with `bad-password`. */
export async function readPasswordFile(file: string): Promise<string> {
  const where = `the password file ${file}`;
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new WeftError(
      'bad-password',
      `${where} cannot be read (${systemCode(error)}): check its path and permissions`,
      { cause: error },
    );
  });
  return decodePassword(bytes, where);
}

/** The password in these bytes; `where` is the subject of the message. Throws `bad-password`. */
export function decodePassword(bytes: Buffer, where: string): string {
  const fault = byteOrderMark(bytes) ?? nulByte(bytes) ?? notUtf8(bytes);
  if (fault !== undefined) throw refused(where, `${fault}: save it as UTF-8 without a byte order mark`);
  return notBlank(bytes.toString('utf8').replace(/\r?\n$/, ''), where);
}

/** A password out of the command line or the environment. Throws `bad-password`. */
export function checkPassword(password: string, where: string): string {
  const mark = byteOrderMark(Buffer.from(password));
  if (mark !== undefined) throw refused(where, `${mark}: leave that out`);
  // Node.js puts it in the place of bytes that it cannot decode.
  const replaced = password.indexOf('\ufffd');
  if (replaced >= 0) throw refused(where, `is not UTF-8 from its character ${replaced + 1} on`);
  return notBlank(password, where);
}

function notBlank(password: string, where: string): string {
  if (password === '') throw refused(where, 'is empty');
  if (password.trim() !== '') return password;
  const first = hex(Buffer.from(password).subarray(0, 4));
  throw refused(where, `holds nothing but blanks (${first} at byte 0)`);
}

const MARKS: readonly (readonly [mark: string, what: string])[] = [
  ['ef bb bf', 'begins with a byte order mark'],
  ['ff fe', 'is UTF-16'],
  ['fe ff', 'is UTF-16'],
];

function byteOrderMark(bytes: Buffer): string | undefined {
  const start = hex(bytes.subarray(0, 3));
  const found = MARKS.find(([mark]) => start.startsWith(mark));
  return found && `${found[1]} (${found[0]} at byte 0)`;
}

function nulByte(bytes: Buffer): string | undefined {
  const at = bytes.indexOf(0);
  return at < 0 ? undefined : `has a NUL byte, as UTF-16 does (00 at byte ${at})`;
}

/** Names the first byte only: the next ones may be of the password. */
function notUtf8(bytes: Buffer): string | undefined {
  if (isUtf8(bytes)) return undefined;
  const end = (from: number) => from + sequenceLength(bytes[from] ?? 0);
  let at = 0;
  while (isUtf8(bytes.subarray(at, end(at)))) at = end(at);
  return `is not UTF-8 (${hex(bytes.subarray(at, at + 1))} at byte ${at})`;
}

/** Of a character in UTF-8, by its first byte. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

const hex = (bytes: Buffer) => bytes.toString('hex').replace(/(..)(?=.)/g, '$1 ');

function refused(where: string, why: string): WeftError {
  return new WeftError('bad-password', `${where} ${why}`);
}
