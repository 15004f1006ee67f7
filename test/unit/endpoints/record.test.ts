import { describe, expect, it } from 'vitest';
import { decodeExact, encode } from '../../../src/codec.js';
import {
  addressBytes,
  checkRecord,
  endpointKey,
  endpointRecord,
  groupsKey,
  weightOf,
} from '../../../src/endpoints/index.js';
import type { Labels } from '../../../src/labels.js';
import { bytesOf, hexOf, protocolVectors } from '../identity/vectors.js';

const record = { mobility: 3, addresses: ['10.32.0.1/12', 'fd00::1'].map(addressBytes), labels: {} };
const labelled = (labels: Labels) => ({ ...record, labels });

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
    expect(hexOf(encode(endpointRecord, { mobility: 3, addresses, labels: {} }))).toBe(value);
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
    const bad = { mobility: 0, addresses: [new Uint8Array(5)], labels: {} };
    expect(() => checkRecord(groupsKey(0), bad)).toThrow(expect.objectContaining({ code: 'bad-endpoint' }));
  });

  it('has labels at its end, in the order of their keys', () => {
    const value = protocolVectors('8')('labelled');
    const read = decodeExact(endpointRecord, bytesOf(value));
    expect(read.labels).toEqual({ app: 'shop', tier: '' });
    expect(hexOf(encode(endpointRecord, { ...read, labels: { tier: '', app: 'shop' } }))).toBe(value);
  });

  it.each([
    ['an empty list of them', '00'],
    ['another order', '02047469657200036170700473686f70'],
    ['one key twice', '0203617070000361707000'],
    ['a text that is no UTF-8', '010361707001ff'],
    ['a key that is too long', `0140${'61'.repeat(64)}00`],
    ['a value that is too long', `0103617070fdfe00${'61'.repeat(254)}`],
    ['too many', `11${Array.from({ length: 17 }, (_, i) => `01${(0x61 + i).toString(16)}00`).join('')}`],
  ])('is not read with %s', (_what, tail) => {
    const bytes = Buffer.concat([encode(endpointRecord, record), Buffer.from(tail, 'hex')]);
    expect(() => decodeExact(endpointRecord, bytes)).toThrow(
      expect.objectContaining({ code: 'bad-message' }),
    );
  });

  it.each([
    ['escapes for terminals', { app: '\u001b[2J' }],
    ['what hides text', { app: '\u202eshop' }],
    ['a blank in a key', { 'a b': '' }],
    ['an empty key', { '': '' }],
    ['a prototype for a key', JSON.parse('{"__proto__":"x"}')],
    [
      'more bytes than are kept',
      Object.fromEntries([...'abcdefghijklmnop'].map((key) => [key.repeat(20), 'x'.repeat(253)])),
    ],
  ])('is refused with %s among its labels, though its owner signed it', (_what, labels: Labels) => {
    const read = decodeExact(endpointRecord, encode(endpointRecord, labelled(labels)));
    expect(() => checkRecord(endpointKey(0, '02:00:00:00:00:0a'), read)).toThrow(
      expect.objectContaining({ code: 'bad-endpoint' }),
    );
  });

  it('has none for the groups of a segment', () => {
    const bad = labelled({ app: 'shop' });
    expect(() => checkRecord(groupsKey(0), bad)).toThrow(expect.objectContaining({ code: 'bad-endpoint' }));
    expect(() => checkRecord(endpointKey(0, '02:00:00:00:00:0a'), bad)).not.toThrow();
  });

  it('counts for what its labels take in memory', () => {
    expect(weightOf(labelled({ app: 'shop', tier: '' })) - weightOf(record)).toBe(2 * 64 + 2 * 11);
  });
});
