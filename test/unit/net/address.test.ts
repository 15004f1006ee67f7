import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WeftError } from '../../../src/errors.js';
import {
  formatHostPort,
  isLoopback,
  parseAdvertised,
  parseHostPort,
  parseStatusAddress,
  parseTarget,
} from '../../../src/net/index.js';

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
    'http://host-a:6783',
    '127.1',
    '0x7f000001',
  ])('%s is refused', (text) => {
    expect(() => parseHostPort(text)).toThrow(WeftError);
  });

  test.each([
    ['LOCALHOST', /every host is that itself/],
    ['db.localhost.', /every host is that itself/],
    ['127.8.0.1', /every host is that itself/],
    ['[::1]:6783', /every host is that itself/],
    ['0.0.0.0', /of no host/],
    ['::', /of no host/],
    ['224.0.0.1', /of a group/],
    ['ff02::1', /of a group/],
    ['255.255.255.255', /of all hosts/],
    ['::ffff:10.0.0.1', /write 10\.0\.0\.1/],
    ['[fe80::1%eth0]:6783', /zone/],
    ['fe80::1', /one link only/],
  ])('%s is no address of another router, and nobody is sent there', (text, why) => {
    for (const parse of [parseTarget, parseAdvertised]) expect(() => parse(text)).toThrow(why);
  });

  test('that hold on one link are targets, but not told to others', () => {
    expect(parseTarget('169.254.7.7').host).toBe('169.254.7.7');
    expect(() => parseAdvertised('169.254.7.7')).toThrow(/one link only/);
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

describe('the status address', () => {
  const read = (text: string) => {
    const address = parseStatusAddress(text);
    return address && { at: formatHostPort(address), isLoopback: isLoopback(address) };
  };

  test.each([
    ['127.0.0.1', { at: '127.0.0.1:6782', isLoopback: true }],
    ['127.9.9.9:80', { at: '127.9.9.9:80', isLoopback: true }],
    ['::1', { at: '[::1]:6782', isLoopback: true }],
    ['::ffff:127.0.0.1', { at: '[::ffff:7f00:1]:6782', isLoopback: true }],
    ['0.0.0.0', { at: '0.0.0.0:6782', isLoopback: false }],
    ['::', { at: '[::]:6782', isLoopback: false }],
    ['10.0.0.5:9000', { at: '10.0.0.5:9000', isLoopback: false }],
    ['fe80::1%eth0', { at: '[fe80::1%eth0]:6782', isLoopback: false }],
    ['none', undefined],
  ])('%s is read, and others are told from the loopback', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  test.each([
    'localhost',
    'host.example',
    '224.0.0.1',
    '255.255.255.255',
    'ff02::1',
    '',
    '1.2.3',
    '127.0.0.1:0',
  ])('"%s" is refused', (text) => {
    expect(() => parseStatusAddress(text)).toThrow(/address/);
  });
});
