import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeExact, encode } from '../../../src/codec.js';
import type { PeerId } from '../../../src/identity/index.js';
import {
  checkNetworkName,
  checkNetworkRecord,
  type NetworkClaim,
  networkRecord,
  numberOf,
  parseSubnets,
  resolveNetworks,
} from '../../../src/networks/index.js';
import { hexOf, protocolVectors } from '../identity/vectors.js';

const claim = (owner: string, name: string, changes: Partial<NetworkClaim['record']> = {}): NetworkClaim => ({
  owner: owner as PeerId,
  name,
  record: { createdAt: 1000, number: 7, state: 'idle', subnets: ['10.40.0.0/16'], ...changes },
});

const anyClaim = fc.record({
  owner: fc.constantFrom('a', 'b', 'c', 'd').map((owner) => owner as PeerId),
  name: fc.constantFrom('red', 'green', 'blue', 'grey'),
  record: fc.record({
    createdAt: fc.integer({ min: 0, max: 5 }),
    number: fc.constantFrom(1, 2, 65_535),
    state: fc.constantFrom('removed' as const, 'idle' as const, 'used' as const),
    subnets: fc.constantFrom<string[]>(['10.40.0.0/16'], ['10.41.0.0/16'], []),
  }),
});

describe('the networks that all routers know', () => {
  it('are the same on every router, in whichever order the records came, and no two have one number', () => {
    fc.assert(
      fc.property(fc.array(anyClaim, { maxLength: 12 }), fc.integer(), (claims, seed) => {
        const shuffled = [...claims].sort(
          (x, y) => ((JSON.stringify(x).length * seed) % 7) - ((JSON.stringify(y).length * seed) % 7),
        );
        const here = [...resolveNetworks(claims).networks.values()];
        const there = [...resolveNetworks([...shuffled].reverse()).networks.values()];
        expect(here).toEqual(there);
        expect(new Set(here.map(({ number }) => number)).size).toBe(here.length);
        for (const { number } of here) expect(number).toBeGreaterThan(0);
      }),
    );
  });

  it('count once when two hosts made the same name apart: the older one', () => {
    const [older, newer] = [
      claim('a', 'red', { createdAt: 5, subnets: ['10.1.0.0/16'] }),
      claim('b', 'red', { createdAt: 6, subnets: ['10.2.0.0/16'] }),
    ];
    expect([...resolveNetworks([newer, older]).networks.values()]).toEqual([
      { name: 'red', number: 7, subnets: ['10.1.0.0/16'], createdAt: 5, usedBy: [] },
    ]);
  });

  it('keep their number when a newer network wants the same', () => {
    const { networks } = resolveNetworks([
      claim('a', 'newer', { createdAt: 9 }),
      claim('b', 'older', { createdAt: 8 }),
    ]);
    expect(networks.get('older')?.number).toBe(7);
    expect(networks.get('newer')?.number).toBe(8);
  });

  it('are gone when anybody removed them, whoever has a record of them, and may be made again', () => {
    const made = claim('a', 'red', { createdAt: 5 });
    const copy = claim('b', 'red', { createdAt: 5, state: 'used' });
    const removal = claim('c', 'red', { createdAt: 5, state: 'removed' });
    expect(resolveNetworks([made, copy, removal]).networks.size).toBe(0);
    const again = claim('b', 'red', { createdAt: 6 });
    expect(resolveNetworks([made, removal, again]).networks.get('red')?.createdAt).toBe(6);
  });

  it('outlive the router that made them where another one uses them', () => {
    const { networks } = resolveNetworks([claim('b', 'red', { state: 'used' })]);
    expect(networks.get('red')?.usedBy).toEqual(['b']);
  });

  it('are numbered by their name, or the next number when that is taken', () => {
    const number = numberOf('red', new Set()) ?? 0;
    expect(numberOf('red', new Set())).toBe(number);
    expect(numberOf('red', new Set([number]))).toBe(number + 1);
    expect(numberOf('blue', new Set())).not.toBe(number);
  });
});

describe('the record of a network', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(anyClaim, ({ record }) => {
        expect(decodeExact(networkRecord, encode(networkRecord, record))).toEqual(record);
      }),
    );
  });

  it('travels as docs/protocol.md, section 9, says', () => {
    const vector = protocolVectors('9');
    const number = numberOf(vector('name'), new Set()) ?? 0;
    expect(number).toBe(Number(vector('number')));
    const subnets = ['10.40.0.0/16', 'fd40::/64'];
    const record = { createdAt: 1_700_000_000_000, number, state: 'used' as const, subnets };
    expect(hexOf(encode(networkRecord, record))).toBe(vector('value'));
  });

  it('is refused when it is cut off, too long, or in another format', () => {
    const good = encode(networkRecord, claim('a', 'red').record);
    for (let at = 0; at < good.length; at += 1) {
      expect(() => decodeExact(networkRecord, good.subarray(0, at))).toThrow();
    }
    expect(() => decodeExact(networkRecord, Buffer.concat([good, Buffer.of(0)]))).toThrow();
    expect(() => decodeExact(networkRecord, Buffer.concat([Buffer.of(2), good.subarray(1)]))).toThrow();
  });

  it('is refused when its content cannot be', () => {
    const { record } = claim('a', 'red');
    expect(() => checkNetworkRecord('red', record)).not.toThrow();
    expect(() => checkNetworkRecord('default', record)).toThrow();
    expect(() => checkNetworkRecord('red', { ...record, number: 0 })).toThrow();
    expect(() => checkNetworkRecord('red', { ...record, subnets: ['10.40.0.1/16'] })).toThrow();
    expect(() => checkNetworkRecord('red', { ...record, subnets: ['FD40::/64'] })).toThrow();
  });
});

describe('the name of a network', () => {
  it.each([
    'red',
    'r2-d2',
    'a',
    'Red',
    'shop_default',
    'a.b',
    'red-',
    '7',
    'x'.repeat(63),
  ])('may be %s', (name) => {
    expect(() => checkNetworkName(name)).not.toThrow();
  });

  it.each([
    '',
    '-red',
    '_red',
    '.red',
    'a b',
    'a/b',
    'rød',
    'default',
    'x'.repeat(64),
  ])('may not be "%s"', (name) => {
    expect(() => checkNetworkName(name)).toThrow(expect.objectContaining({ code: 'bad-network-name' }));
  });
});

describe('the subnets of a network', () => {
  it('are read in canonical text', () => {
    expect(parseSubnets(['10.40.0.0/16', 'FD40::0/64'])).toEqual(['10.40.0.0/16', 'fd40::/64']);
  });

  it.each([
    [['10.40.0.1/16']],
    [['10.40.0.0']],
    [['0.0.0.0/0']],
    [['10.0.0.0/8', '10.40.0.0/16']],
    [['nonsense/8']],
    [['10.40/16']],
  ])('%j are refused', (texts) => {
    expect(() => parseSubnets(texts)).toThrow(expect.objectContaining({ code: 'bad-subnet' }));
  });
});
