import { describe, expect, test } from 'vitest';
import { between, cycle, pastTheIndex, picture, pictureOnPage, readImports } from '../../scripts/rooms.js';

describe('the source', () => {
  const imports = readImports();

  test('imports another room through its index only', () => {
    expect(pastTheIndex(imports)).toEqual([]);
  });

  test('has no file that needs itself, type imports included', () => {
    expect(cycle(imports)).toBeUndefined();
  });

  test.each([1, 2, 3])('has no room that needs itself, to %i levels of folders', (levels) => {
    expect(cycle(between(imports, levels))).toBeUndefined();
  });

  test('has the rooms that docs/architecture.md shows: `npx tsx scripts/rooms.ts` draws them anew', () => {
    expect(pictureOnPage()).toBe(picture(imports));
  });
});

test('a way round is found', () => {
  const edge = (from: string, to: string) => ({ from, to });
  expect(cycle([edge('a', 'b'), edge('b', 'c'), edge('c', 'b')])).toEqual(['b', 'c', 'b']);
  expect(cycle([edge('a', 'b'), edge('a', 'c'), edge('b', 'c')])).toBeUndefined();
});
