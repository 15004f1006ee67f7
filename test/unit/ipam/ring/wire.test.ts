import { expect, test } from 'vitest';
import { identityFromSeed } from '../../../../src/identity/index.js';
import type { Message } from '../../../../src/ipam/ring/messages.js';
import { parseBlock } from '../../../../src/ipam/ring/range.js';
import type { Fact } from '../../../../src/ipam/ring/records.js';
import {
  checkFact,
  decodeDelta,
  decodeMessage,
  encodeDelta,
  encodeMessage,
  hashOfCharter,
  notaryOf,
} from '../../../../src/ipam/ring/wire.js';
import { hexOf, protocolVectors } from '../../identity/vectors.js';

const RANGE = parseBlock('10.32.0.0/12');
const [a, b] = [1, 2].map((byte) => identityFromSeed(Buffer.alloc(32, byte))) as [
  ReturnType<typeof identityFromSeed>,
  ReturnType<typeof identityFromSeed>,
];
const notary = notaryOf(a);
const CHARTER = { start: RANGE.start, length: RANGE.length, founders: [a.peer] };
const HASH = hashOfCharter(CHARTER);

const deed = notary.deed({
  ...{ start: RANGE.start, end: RANGE.start + 8, version: 3 },
  ...{ owner: b.peer, ownerLife: 7, giverLife: 5 },
});
const seat = notary.seat({
  peer: a.peer,
  life: 5,
  gone: false,
  heir: a.peer,
  heirLife: 5,
  sequence: 1,
  free: 9,
});
const facts: readonly Fact[] = [
  { kind: 'deed', deed },
  { kind: 'seat', seat },
];

test('facts and messages are those of the protocol', () => {
  const vector = protocolVectors('12');
  const span = { start: RANGE.start, end: RANGE.start + 16 };
  expect(hexOf(HASH)).toBe(vector('charter hash'));
  expect(hexOf(encodeDelta({ charter: CHARTER, facts }))).toBe(vector('delta'));
  expect(hexOf(encodeMessage({ type: 'want', nonce: 1, span, seat }, HASH))).toBe(vector('want'));
});

test('facts arrive as they were signed', () => {
  const delta = decodeDelta(encodeDelta({ charter: CHARTER, facts }));
  expect(delta.charter).toEqual(CHARTER);
  expect(delta.facts).toEqual(facts);
  for (const fact of delta.facts) checkFact(fact, RANGE);
});

test('a fact that was changed, or is signed by somebody else, is refused', () => {
  const forged = { ...deed, owner: a.peer };
  expect(() => checkFact({ kind: 'deed', deed: forged }, RANGE)).toThrow(/not signed/);
  const other = notaryOf(b).deed({ ...deed, giverLife: 5 });
  checkFact({ kind: 'deed', deed: other }, RANGE);
  expect(other.giver).toBe(b.peer);
});

test('what no router says is refused', () => {
  const bad: Fact[] = [
    { kind: 'deed', deed: notary.deed({ ...deed, start: RANGE.start - 1 }) },
    { kind: 'deed', deed: notary.deed({ ...deed, end: RANGE.start }) },
    { kind: 'deed', deed: notary.deed({ ...deed, version: 0 }) },
    { kind: 'deed', deed: notary.deed({ ...deed, ownerLife: 0 }) },
    { kind: 'seat', seat: notary.seat({ ...seat, peer: b.peer, heir: b.peer }) },
    { kind: 'seat', seat: notary.seat({ ...seat, peer: b.peer, heir: b.peer, gone: true }) },
  ];
  for (const fact of bad) expect(() => checkFact(fact, RANGE)).toThrow(/impossible/);
  const gone = notary.seat({ ...seat, peer: b.peer, heir: a.peer, gone: true });
  checkFact({ kind: 'seat', seat: gone }, RANGE);
});

test('every message arrives as it was sent', () => {
  const span = { start: RANGE.start, end: RANGE.start + 16 };
  const standing = '0123456789abcdef';
  const messages: Message[] = [
    { type: 'want', nonce: 1, span, seat },
    { type: 'gift', nonce: 2, facts },
    { type: 'denied', nonce: 3, why: 'not-mine', facts },
    { type: 'ask', round: 4, standing, questions: [{ ...span, version: 9 }], facts: [] },
    { type: 'answer', round: 5, standing, facts },
    { type: 'differ', round: 6, facts },
    { type: 'offer', nonce: 7 },
    { type: 'accept', nonce: 8, seat },
    { type: 'bequest', nonce: 9, facts },
    { type: 'receipt', nonce: 10 },
  ];
  for (const message of messages) {
    expect(decodeMessage(encodeMessage(message, HASH), HASH)).toEqual(message);
  }
});

test('messages that are cut short, of unknown type, or about another range are refused', () => {
  const bytes = encodeMessage({ type: 'gift', nonce: 2, facts }, HASH);
  for (let length = HASH.length; length < bytes.length; length += 7) {
    expect(() => decodeMessage(bytes.subarray(0, length), HASH)).toThrow(/cannot be read|unknown type/);
  }
  expect(() => decodeMessage(Buffer.concat([HASH, Buffer.of(99)]), HASH)).toThrow(/unknown type/);
  const elsewhere = hashOfCharter({ ...CHARTER, founders: [b.peer] });
  expect(() => decodeMessage(bytes, elsewhere)).toThrow(/another range/);
});
