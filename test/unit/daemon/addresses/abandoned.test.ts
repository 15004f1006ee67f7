import { describe, expect, test } from 'vitest';
import { Abandoned } from '../../../../src/daemon/addresses/abandoned.js';
import { parsePeerId } from '../../../../src/identity/index.js';

const GONE = parsePeerId('aa'.repeat(8));
const OTHER = parsePeerId('bb'.repeat(8));

describe('what a removed peer had and nobody takes over', () => {
  test('is for the one who removed it first, and then for one after the other', () => {
    for (const rank of [0, 1, 7]) {
      const abandoned = new Abandoned(10);
      expect(abandoned.due(new Set([GONE]), rank, 100)).toEqual([]);
      expect(abandoned.due(new Set([GONE]), rank, 100 + (2 + rank) * 10 - 1)).toEqual([]);
      expect(abandoned.due(new Set([GONE]), rank, 100 + (2 + rank) * 10)).toEqual([GONE]);
    }
  });

  test('is due again as long as it is there', () => {
    const abandoned = new Abandoned(10);
    abandoned.due(new Set([GONE]), 0, 0);
    expect(abandoned.due(new Set([GONE]), 0, 20)).toEqual([GONE]);
    expect(abandoned.due(new Set([GONE, OTHER]), 0, 25)).toEqual([GONE]);
    expect(abandoned.due(new Set([GONE, OTHER]), 0, 45)).toEqual([GONE, OTHER]);
  });

  test('is waited for anew when it was taken over meanwhile', () => {
    const abandoned = new Abandoned(10);
    abandoned.due(new Set([GONE]), 0, 0);
    abandoned.due(new Set(), 0, 15);
    expect(abandoned.due(new Set([GONE]), 0, 20)).toEqual([]);
  });
});
