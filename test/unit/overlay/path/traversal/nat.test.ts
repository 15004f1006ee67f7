import { describe, expect, test } from 'vitest';
import { type Nat, natConflict, natOf } from '../../../../../src/overlay/path/traversal/nat.js';

const local = ['192.168.1.5', 'fd00::5'];

describe('what peers see tells what is between', () => {
  test.each<[Nat, string[]]>([
    ['unknown', []],
    ['none', ['192.168.1.5:6783', '[fd00::5]:6783']],
    ['steady', ['203.0.113.1:6783']],
    ['steady', ['203.0.113.1:40000', '203.0.113.1:40000']],
    ['rewriting', ['203.0.113.1:40000']],
    ['changing', ['203.0.113.1:40000', '203.0.113.1:40001']],
    ['changing', ['192.168.1.5:6783', '203.0.113.1:40000', '203.0.113.1:6783']],
  ])('%s: %j', (nat, addresses) => {
    expect(natOf(addresses, local, 6783)).toBe(nat);
  });
});

test('NATs are to blame only when one of them changes ports', () => {
  expect(natConflict('changing', 'rewriting')).toMatch(/both hosts/);
  expect(natConflict('changing', 'steady')).toMatch(/this host/);
  expect(natConflict('steady', 'changing')).toMatch(/the peer/);
  expect(natConflict('steady', 'steady')).toBeUndefined();
  expect(natConflict('none', 'changing')).toBeUndefined();
});
