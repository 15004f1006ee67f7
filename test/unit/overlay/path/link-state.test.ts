import { expect, test } from 'vitest';
import { decodeExact, encode } from '../../../../src/codec.js';
import type { PeerId } from '../../../../src/identity/index.js';
import { linkState, MAX_LINKS } from '../../../../src/overlay/path/link-state.js';
import { protocolVectors } from '../../identity/vectors.js';

const [two, three] = ['2222222222222222', '3333333333333333'] as [PeerId, PeerId];

test('links travel as the protocol says, in the order of their peers', () => {
  const links = new Map([
    [three, 9],
    [two, 12_345],
  ]);
  const bytes = encode(linkState, { nat: 'steady', links });
  expect(bytes.toString('hex')).toBe(protocolVectors('7')('links'));
  expect(decodeExact(linkState, bytes)).toEqual({ nat: 'steady', links });
});

test('links in another order, or of a NAT that there is not, are refused', () => {
  const bytes = encode(linkState, { nat: 'none', links: new Map([[two, 1]]) });
  const twice = Buffer.concat([Buffer.from([1, 2]), bytes.subarray(2), bytes.subarray(2)]);
  const strange = Buffer.concat([Buffer.from([9]), bytes.subarray(1)]);
  for (const bad of [twice, strange]) expect(() => decodeExact(linkState, bad)).toThrow();
});

test('of more links than are told the cheapest are', () => {
  const links = new Map<PeerId, number>();
  for (let i = 0; i < MAX_LINKS + 10; i += 1)
    links.set(i.toString(16).padStart(16, '0') as PeerId, 1_000 - i);
  const told = decodeExact(linkState, encode(linkState, { nat: 'none', links })).links;
  expect(told.size).toBe(MAX_LINKS);
  expect(told.has('0000000000000000' as PeerId)).toBe(false);
});
