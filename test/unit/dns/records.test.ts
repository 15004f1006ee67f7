import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encode } from '../../../src/codec.js';
import {
  addressBytes,
  addressText,
  checkNameRecord,
  decodeKey,
  encodeKey,
  nameAddresses,
  parseDomain,
  parseName,
} from '../../../src/dns/index.js';
import { protocolVectors } from '../identity/vectors.js';

const label = fc.stringMatching(/^[a-z0-9_]([a-z0-9_-]{0,10}[a-z0-9_])?$/);
const name = fc
  .array(label, { minLength: 1, maxLength: 5 })
  .map((labels) => labels.join('.'))
  .filter((text) => !/^[\d.]+$/.test(text));

describe('the record of a name', () => {
  test('travels as docs/protocol.md says', () => {
    const vector = protocolVectors('11');
    const addresses = vector('container').split(' ').map(addressBytes);
    expect(encode(nameAddresses, addresses).toString('hex')).toBe(vector('value'));
    expect(encodeKey({ network: 0, name: 'web', container: 'web' })).toBe('0 web web');
  });

  test('has a key from which network, name and container can be read', () => {
    const container = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((text) => /^\P{Cc}+$/u.test(text));
    fc.assert(
      fc.property(fc.nat(0xffff), name, container, (network, name, container) => {
        expect(decodeKey(encodeKey({ network, name, container }))).toEqual({ network, name, container });
      }),
      { examples: [[0, 'web', 'one line\u2028and another']] },
    );
  });

  test.each([
    ['', ['10.0.0.1']],
    ['0 web', ['10.0.0.1']],
    ['00 web c', ['10.0.0.1']],
    ['65536 web c', ['10.0.0.1']],
    ['0 Web c', ['10.0.0.1']],
    ['0 we..b c', ['10.0.0.1']],
    ['0 10.0.0.1 c', ['10.0.0.1']],
    ['0 web c\n', ['10.0.0.1']],
    ['0 web c', []],
    ['0 web c', ['10.0.0.1', '10.0.0.1']],
  ])('is refused as %j for %j', (key, addresses) => {
    expect(() => checkNameRecord(key, addresses.map(addressBytes))).toThrow();
  });

  test('is refused with an address that is none', () => {
    expect(() => checkNameRecord('0 web c', [Buffer.alloc(5)])).toThrow('an address is none');
  });
});

describe('a name', () => {
  test.each([
    ['web', 'web'],
    ['Web.', undefined],
    ['WEB.weft.LOCAL', 'web'],
    ['web.weft.local.', 'web'],
    ['a.b.weft.local', 'a.b'],
    ['web.example.com', 'web.example.com'],
    ['web.example.com.', undefined],
    ['weft.local', undefined],
    ['', undefined],
    ['-web', undefined],
    ['w eb', undefined],
    ['10.0.0.1', undefined],
    [`${'a'.repeat(64)}`, undefined],
    [`${'a.'.repeat(70)}a`, undefined],
  ])('%j is below the domain %j', (text, below) => {
    if (below === undefined) expect(() => parseName(text, 'weft.local')).toThrow('cannot name a container');
    else expect(parseName(text, 'weft.local')).toBe(below);
  });

  test('is in a domain that is one', () => {
    expect(parseDomain('Corp.Internal.')).toBe('corp.internal');
    for (const text of ['', '.', 'a..b', '10.0.0.1', 'x y', `${'a.'.repeat(70)}a`]) {
      expect(() => parseDomain(text)).toThrow('cannot be a DNS domain');
    }
  });
});

describe('an address', () => {
  test('is the same whatever its spelling', () => {
    expect(addressText(addressBytes('FD32:0::0001'))).toBe('fd32::1');
    expect(addressText(addressBytes('::ffff:10.0.0.1'))).toBe('10.0.0.1');
    for (const text of ['10.1', 'fe80::1%eth0', '10.0.0.1/8', '010.0.0.1']) {
      expect(() => addressBytes(text)).toThrow('is not an IP address');
    }
  });
});
