import { expect, test } from 'vitest';
import { identityFromSeed } from '../../../../src/identity/index.js';
import { decodeMessage, encodeMessage } from '../../../../src/ipam/ring/message-wire.js';
import type { Message } from '../../../../src/ipam/ring/messages.js';
import { parseBlock } from '../../../../src/ipam/ring/range.js';
import {
  checkRecord,
  decodeDelta,
  encodeDelta,
  hashOfConfig,
  recordSignerOf,
} from '../../../../src/ipam/ring/record-wire.js';
import type { RingRecord } from '../../../../src/ipam/ring/records.js';
import { hexOf, protocolVectors } from '../../identity/vectors.js';

const RANGE = parseBlock('10.32.0.0/12');
const [a, b] = [1, 2].map((byte) => identityFromSeed(Buffer.alloc(32, byte))) as [
  ReturnType<typeof identityFromSeed>,
  ReturnType<typeof identityFromSeed>,
];
const signer = recordSignerOf(a);
const CONFIG = { start: RANGE.start, length: RANGE.length, founders: [a.peer] };
const HASH = hashOfConfig(CONFIG);

const ownership = signer.ownership({
  ...{ start: RANGE.start, end: RANGE.start + 8, version: 3 },
  ...{ owner: b.peer, ownerIncarnation: 7, signerIncarnation: 5 },
});
const participant = signer.participant({
  peer: a.peer,
  incarnation: 5,
  ended: false,
  successor: a.peer,
  successorIncarnation: 5,
  sequence: 1,
  free: 9,
});
const records: readonly RingRecord[] = [ownership, participant];

test('records and messages are those of the protocol', () => {
  const vector = protocolVectors('12');
  const span = { start: RANGE.start, end: RANGE.start + 16 };
  expect(hexOf(HASH)).toBe(vector('configuration hash'));
  expect(hexOf(encodeDelta({ config: CONFIG, records }))).toBe(vector('delta'));
  expect(hexOf(encodeMessage({ type: 'request', nonce: 1, span, participant }, HASH))).toBe(
    vector('request'),
  );
});

test('records arrive as they were signed', () => {
  const delta = decodeDelta(encodeDelta({ config: CONFIG, records }));
  expect(delta.config).toEqual(CONFIG);
  expect(delta.records).toEqual(records);
  for (const record of delta.records) checkRecord(record, RANGE);
});

test('a record that was changed is refused, and one that somebody else signed names that signer', () => {
  const forged = { ...ownership, owner: a.peer };
  expect(() => checkRecord(forged, RANGE)).toThrow(/not signed/);
  const other = recordSignerOf(b).ownership({ ...ownership, signerIncarnation: 5 });
  checkRecord(other, RANGE);
  expect(other.signer).toBe(b.peer);
});

test('what no router signs is refused', () => {
  const bad: RingRecord[] = [
    signer.ownership({ ...ownership, start: RANGE.start - 1 }),
    signer.ownership({ ...ownership, end: RANGE.start }),
    signer.ownership({ ...ownership, version: 0 }),
    signer.ownership({ ...ownership, ownerIncarnation: 0 }),
    signer.participant({ ...participant, peer: b.peer, successor: b.peer }),
    signer.participant({ ...participant, peer: b.peer, successor: b.peer, ended: true }),
  ];
  for (const record of bad) expect(() => checkRecord(record, RANGE)).toThrow(/impossible/);
  checkRecord(signer.participant({ ...participant, peer: b.peer, successor: a.peer, ended: true }), RANGE);
});

test('every message arrives as it was sent', () => {
  const span = { start: RANGE.start, end: RANGE.start + 16 };
  const participantsHash = '0123456789abcdef';
  const messages: Message[] = [
    { type: 'request', nonce: 1, span, participant },
    { type: 'grant', nonce: 2, records },
    { type: 'denial', nonce: 3, reason: 'not-mine', records },
    { type: 'confirm', round: 4, participantsHash, spans: [{ ...span, version: 9 }], records: [] },
    { type: 'confirmed', round: 5, participantsHash, records },
    { type: 'mismatch', round: 6, records },
    { type: 'offer', nonce: 7 },
    { type: 'accept', nonce: 8, participant },
    { type: 'transfer', nonce: 9, records },
    { type: 'receipt', nonce: 10 },
  ];
  for (const message of messages) {
    expect(decodeMessage(encodeMessage(message, HASH), HASH)).toEqual(message);
  }
});

test('messages that are cut short, of unknown type, or about another range are refused', () => {
  const bytes = encodeMessage({ type: 'grant', nonce: 2, records }, HASH);
  for (let length = HASH.length; length < bytes.length; length += 7) {
    expect(() => decodeMessage(bytes.subarray(0, length), HASH)).toThrow(/cannot be read|unknown type/);
  }
  expect(() => decodeMessage(Buffer.concat([HASH, Buffer.of(99)]), HASH)).toThrow(/unknown type/);
  const elsewhere = hashOfConfig({ ...CONFIG, founders: [b.peer] });
  expect(() => decodeMessage(bytes, elsewhere)).toThrow(/another range/);
});
