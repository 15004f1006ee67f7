import { expect, test } from 'vitest';
import { errorsPage, errorsPageNow } from '../../scripts/errors.js';
import { ERRORS_BY_SUBJECT } from '../../src/error-codes/index.js';
import { errorFrom } from '../../src/errors.js';

test('docs/errors.md is what the registry of errors says: `npx tsx scripts/errors.ts` writes it anew', () => {
  expect(errorsPageNow()).toBe(errorsPage());
});

test('no code has two meanings', () => {
  const codes = Object.values(ERRORS_BY_SUBJECT).flatMap((errors) => Object.keys(errors));
  expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
});

test('an error of another process keeps its code, and one that this version does not know is a fault', () => {
  expect(errorFrom({ code: 'no-space', message: 'full' })).toMatchObject({
    code: 'no-space',
    message: 'full',
  });
  expect(errorFrom({ code: 'no-such-code', message: 'odd' })).toMatchObject({
    code: 'internal',
    message: 'odd',
  });
});
