import { expect, test } from 'vitest';
import { movedRanges } from '../../../../src/daemon/addresses/moved-ranges.js';
import { sentence, type WeftEvent } from '../../../../src/events/index.js';
import { type PeerId, parsePeerId } from '../../../../src/identity/index.js';
import { sizeOf, spanText } from '../../../../src/ipam/index.js';

const idOf = (number: number): PeerId => parsePeerId(number.toString(16).padStart(16, '0'));
const [SELF, B, C] = [idOf(0xa), idOf(0xb), idOf(0xc)];
const FIRST = 0x0a_20_04_00; // 10.32.4.0

test('addresses that change hands are told by router and direction, as ranges that people read', () => {
  const spans = [
    { start: FIRST, end: FIRST + 256, from: SELF, to: B },
    { start: FIRST + 256, end: FIRST + 512, from: C, to: SELF },
    { start: FIRST + 1_024, end: FIRST + 1_025, from: SELF, to: B },
    { start: FIRST + 2_048, end: FIRST + 2_050, from: undefined, to: SELF },
  ];
  const moves = spans.map(({ start, end, from, to }) => ({ span: { start, end }, from, to }));
  const told = movedRanges(SELF, moves).map(({ peer, isReceived, moves: all }) => ({
    peer,
    isReceived,
    ranges: all.map(({ span }) => spanText(span)),
    count: sizeOf(all.map(({ span }) => span)),
  }));
  expect(told).toEqual([
    { peer: B, isReceived: false, ranges: ['10.32.4.0-10.32.4.255', '10.32.8.0'], count: 257 },
    { peer: C, isReceived: true, ranges: ['10.32.5.0-10.32.5.255'], count: 256 },
    { peer: null, isReceived: true, ranges: ['10.32.12.0-10.32.12.1'], count: 2 },
  ]);
});

test.each([
  ['addresses-given', { peer: B, nickname: 'host-b' }, '2 addresses (10.32.4.0-10.32.4.1) went to host-b'],
  [
    'addresses-received',
    { peer: B, nickname: '' },
    `2 addresses (10.32.4.0-10.32.4.1) came to this router from ${B}`,
  ],
  [
    'addresses-received',
    { peer: null, nickname: '' },
    '2 addresses (10.32.4.0-10.32.4.1) came to this router when the range was split',
  ],
] as const)('%s is said in a sentence', (kind, who, said) => {
  const details = { ...who, ranges: ['10.32.4.0-10.32.4.1'], count: 2 };
  expect(sentence({ kind, details } as unknown as WeftEvent)).toBe(said);
});
