import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHostPort, parseHostPort } from '../../src/address.js';
import { WeftError } from '../../src/errors.js';

describe('addresses', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1:6783'],
    ['10.0.0.1:1', '10.0.0.1:1'],
    ['2001:DB8:0::1', '[2001:db8::1]:6783'],
    ['[2001:db8::1]:70', '[2001:db8::1]:70'],
    ['[fe80::1%eth0]:70', '[fe80::1%eth0]:70'],
    ['Host.Example', 'host.example:6783'],
    ['host_1:70', 'host_1:70'],
  ])('%s is read as %s', (text, canonical) => {
    expect(formatHostPort(parseHostPort(text))).toBe(canonical);
  });

  test.each([
    '',
    ':1',
    'a b',
    '10.0.0',
    '1.2.3.4.5',
    '10.0.0.1:0',
    '10.0.0.1:65536',
    'host:x',
    '[::1',
    '[host]:1',
    'a:1:2',
    '-a',
  ])('%s is refused', (text) => {
    expect(() => parseHostPort(text)).toThrow(WeftError);
  });

  test('any text is read or refused', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          const address = parseHostPort(text);
          expect(parseHostPort(formatHostPort(address))).toEqual(address);
        } catch (error) {
          expect(error).toBeInstanceOf(WeftError);
        }
      }),
    );
  });
});
