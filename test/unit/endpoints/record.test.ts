import { describe, expect, it } from 'vitest';
import { decodeExact, encode } from '../../../src/codec.js';
import {
  addressBytes,
  checkRecord,
  endpointKey,
  endpointRecord,
  groupsKey,
} from '../../../src/endpoints/index.js';
import { bytesOf, hexOf, protocolVectors } from '../identity/vectors.js';

const record = { mobility: 3, addresses: ['10.32.0.1/12', 'fd00::1'].map(addressBytes) };

describe('a record of an endpoint', () => {
  it('is read as it was written', () => {
    const read = decodeExact(endpointRecord, encode(endpointRecord, record));
    expect(read.mobility).toBe(3);
    expect(read.addresses.map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual([
      '0a200001',
      'fd000000000000000000000000000001',
    ]);
  });

  it('travels as docs/protocol.md, section 8, says', () => {
    const value = protocolVectors('8')('value');
    expect(hexOf(encode(endpointRecord, decodeExact(endpointRecord, bytesOf(value))))).toBe(value);
    const addresses = ['10.32.0.1', 'fd32::1'].map(addressBytes);
    expect(hexOf(encode(endpointRecord, { mobility: 3, addresses }))).toBe(value);
  });

  it('is for a MAC of a segment, or for the groups of one', () => {
    for (const key of [
      endpointKey(0, '02:00:00:00:00:0a'),
      endpointKey(65_535, '0e:ff:ff:ff:ff:ff'),
      groupsKey(7),
    ]) {
      expect(() => checkRecord(key, record)).not.toThrow();
    }
  });

  it.each([
    '',
    '0',
    '65536/groups',
    '00/groups',
    '-1/groups',
    '0/02:00:00:00:00:0A',
    '0/02:00:00:00:00',
    '0/ff:ff:ff:ff:ff:ff',
    '0/01:00:5e:00:00:01',
    '0/groups/',
  ])('is not for "%s"', (key) => {
    expect(() => checkRecord(key, record)).toThrow(expect.objectContaining({ code: 'bad-endpoint' }));
  });

  it('has addresses of 4 or 16 bytes', () => {
    const bad = { mobility: 0, addresses: [new Uint8Array(5)] };
    expect(() => checkRecord(groupsKey(0), bad)).toThrow(expect.objectContaining({ code: 'bad-endpoint' }));
  });
});
