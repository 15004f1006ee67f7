import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeExact, encode } from '../../../src/codec.js';
import {
  checkPolicyRecord,
  cleanPolicy,
  PolicyBook,
  type PolicyRecord,
  policyRecord,
} from '../../../src/policy/index.js';
import { hexOf, protocolVectors } from '../identity/vectors.js';

const text = (spec: object = { podSelector: {} }, name = 'deny') =>
  JSON.stringify(
    cleanPolicy(
      { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name }, spec },
      name,
    ),
  );
const KEY = 'default/deny';
const TEXTS = [undefined, text(), text({ podSelector: {}, policyTypes: ['Egress'] })];

test('whoever has seen the same records has the same policies, in whichever order they came', () => {
  const record = fc.record({ version: fc.nat(3), text: fc.constantFrom(...TEXTS) });
  fc.assert(
    fc.property(fc.array(record), fc.nat(), (records, seed) => {
      const shuffled = [...records].sort(
        (a, b) => ((a.version * 7 + seed) % 5) - ((b.version * 7 + seed) % 5),
      );
      const [one, other] = [new PolicyBook(), new PolicyBook()];
      for (const each of records) one.put(KEY, each);
      for (const each of [...shuffled, ...records.slice(0, 2)]) other.put(KEY, each);
      expect(other.get(KEY)).toEqual(one.get(KEY));
    }),
  );
});

test('a removal holds against what was applied before it, and not against what is applied later', () => {
  const book = new PolicyBook();
  book.put(KEY, { version: book.nextVersion(KEY, 10), text: text() });
  book.put(KEY, { version: book.nextVersion(KEY, 5), text: undefined }); // by a host whose clock is behind
  expect(book.policies()).toEqual([]);
  book.put(KEY, { version: book.nextVersion(KEY, 5), text: text() });
  expect(book.policies()).toMatchObject([{ namespace: 'default', name: 'deny' }]);
});

test('a removal is forgotten after a month, a policy never', () => {
  const book = new PolicyBook();
  book.put(KEY, { version: 10, text: undefined });
  book.put('default/open', { version: 10, text: text({ podSelector: {} }, 'open') });
  const keys = (days: number) => [...book.records(10 + days * 86_400_000)].map(([key]) => key);
  expect(keys(29)).toEqual([KEY, 'default/open']);
  expect(keys(31)).toEqual(['default/open']);
});

test('no more is remembered than there is room for', () => {
  const book = new PolicyBook();
  const taken = Array.from({ length: 5_000 }, (_, index) =>
    book.put(`default/p${index}`, { version: 1, text: undefined }),
  );
  expect(taken.filter(Boolean)).toHaveLength(4_096);
  expect(book.put('default/p0', { version: 2, text: undefined })).toBe(true);
});

test('a record travels as it is', () => {
  for (const record of [
    { version: 1_700_000_000_000, text: text() },
    { version: 0, text: undefined },
  ]) {
    expect(decodeExact(policyRecord, encode(policyRecord, record))).toEqual(record);
  }
});

test('a record has the bytes that docs/protocol.md shows', () => {
  const vector = protocolVectors('16');
  const version = Number(vector('version'));
  expect(hexOf(encode(policyRecord, { version, text: undefined }))).toBe(vector('removal'));
  expect(hexOf(encode(policyRecord, { version, text: text() }).subarray(0, 20))).toBe(vector('policy'));
});

test.each<[string, PolicyRecord]>([
  ['of another policy than its key says', { version: 1, text: text({ podSelector: {} }, 'open') }],
  ['that is no policy', { version: 1, text: '{}' }],
  ['that is no JSON', { version: 1, text: '{' }],
  ['that can be written in other ways', { version: 1, text: `${text()} ` }],
  ['of a version that nothing could follow', { version: 2 ** 53 - 1, text: undefined }],
])('a record %s is refused', (_, record) => {
  expect(() => checkPolicyRecord(KEY, record)).toThrow(
    expect.objectContaining({ code: 'bad-policy-record' }),
  );
});
