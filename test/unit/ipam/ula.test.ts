import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressNumber } from '../../../src/ipam/ring/range.js';
import { Ula } from '../../../src/ipam/ula.js';

test('every IPv4 address has one IPv6 address of the network, and the other way round', () => {
  const ula = new Ula('0123456789abcdef');
  expect(ula.range).toMatch(/^fd[0-9a-f:]+::\/96$/);
  expect(new Ula('0123456789abcdee').range).not.toBe(ula.range);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (address) => {
      const [host = ''] = ula.text(address, 12).split('/');
      expect(ula.embedded(host)).toBe(address);
    }),
  );
  expect(ula.text(addressNumber('10.32.0.1'), 12)).toMatch(/:a20:1\/108$/);
  expect(ula.embedded('fd00::a20:1')).toBeUndefined();
});
