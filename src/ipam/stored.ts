import Type, { type Static } from 'typebox';
import { decodeExact, encode } from '../codec.js';
import { WeftError } from '../errors.js';
import { parsePeerId } from '../identity/index.js';
import { type Allocation, Allocations, IPV4, IPV6, type RingState } from './ownership/index.js';
import {
  addressNumber,
  addressText,
  type Block,
  checkRecord,
  type OwnershipRecord,
  parseBlock,
  Ring,
  ringRecord,
} from './ring/index.js';

const Peer = Type.String({ pattern: '^[0-9a-f]{16}$' });
const Bytes = Type.String({ pattern: '^[A-Za-z0-9_-]+$' });

/** The state of the ring as a file contains it. */
export const StoredRing = Type.Object({
  /** Counts the writes. */
  sequence: Type.Integer({ minimum: 0 }),
  range: Type.String(),
  founders: Type.Array(Peer),
  /** The incarnation. */
  life: Type.Integer({ minimum: 0 }),
  /** The records as they travel, in base64url. */
  facts: Type.Array(Bytes),
  /** Indices of the records that are unconfirmed. */
  doubted: Type.Array(Type.Integer({ minimum: 0 })),
  /** The allocations. */
  holdings: Type.Array(
    Type.Object({
      owner: Type.String(),
      address: Type.String({ pattern: '^[0-9]{1,3}([.][0-9]{1,3}){3}$' }),
      length: Type.Integer({ minimum: 1, maximum: 32 }),
      families: Type.Array(Type.Union([Type.Literal(4), Type.Literal(6)]), { minItems: 1 }),
    }),
  ),
});
export type StoredRing = Static<typeof StoredRing>;

export function storedRing(state: RingState, sequence: number): StoredRing {
  const records = [...(state.ring?.records() ?? [])];
  const unconfirmed = records.flatMap((record, index) =>
    record.kind === 'ownership' && state.unconfirmed.has(record) ? [index] : [],
  );
  return {
    sequence,
    range: state.range.text,
    founders: [...state.founders],
    life: state.incarnation,
    facts: records.map((record) => encode(ringRecord, record).toString('base64url')),
    doubted: unconfirmed,
    holdings: [...state.allocations.all()].map(storedAllocation),
  };
}

/**
 * The state in a file whose form was checked. Throws `range-changed` if the router is launched with another
 * range than that of the file, and `bad-message`, `impossible-record` or `bad-signature` if the file is damaged.
 */
export function restoredState(stored: StoredRing, range: Block): RingState {
  if (parseBlock(stored.range).text !== range.text) {
    throw new WeftError(
      'range-changed',
      `this router cannot hand out addresses of ${range.text} because those that it owns are of ${stored.range}: launch it with --ipalloc-range ${stored.range}, or run weft reset on all hosts to begin anew`,
    );
  }
  const records = stored.facts.map((text) => decodeExact(ringRecord, Buffer.from(text, 'base64url')));
  const founders = stored.founders.map(parsePeerId);
  let ring = founders.length === 0 ? undefined : Ring.founded(range, founders);
  for (const record of records) {
    checkRecord(record, range);
    ring = ring?.put(record);
  }
  const unconfirmed = new Set<OwnershipRecord>();
  for (const index of stored.doubted) {
    const record = records[index];
    if (record?.kind === 'ownership') unconfirmed.add(record);
  }
  let allocations = Allocations.none;
  for (const each of stored.holdings) allocations = allocations.with(restoredAllocation(each));
  return { range, founders, ring, incarnation: stored.life, unconfirmed, allocations };
}

function storedAllocation({ owner, address, length, families }: Allocation): StoredRing['holdings'][number] {
  const both: (4 | 6)[] = [];
  if ((families & IPV4) !== 0) both.push(4);
  if ((families & IPV6) !== 0) both.push(6);
  return { owner, address: addressText(address), length, families: both };
}

function restoredAllocation({
  owner,
  address,
  length,
  families,
}: StoredRing['holdings'][number]): Allocation {
  const bits = families.reduce((sum, family) => sum | (family === 4 ? IPV4 : IPV6), 0);
  return { owner, address: addressNumber(address), length, families: bits };
}
