import Type, { type Static } from 'typebox';
import { decodeExact, encode } from '../codec.js';
import { WeftError } from '../errors.js';
import { parsePeerId } from '../identity/index.js';
import { Holdings, IPV4, IPV6, type RingState, type Slot } from './ownership/index.js';
import {
  addressNumber,
  addressText,
  type Block,
  checkFact,
  type Deed,
  fact,
  parseBlock,
  Ring,
} from './ring/index.js';

const Peer = Type.String({ pattern: '^[0-9a-f]{16}$' });
const Bytes = Type.String({ pattern: '^[A-Za-z0-9_-]+$' });

/** The state of the ring as it is in a file. */
export const StoredRing = Type.Object({
  /** Counts what was written. */
  sequence: Type.Integer({ minimum: 0 }),
  range: Type.String(),
  founders: Type.Array(Peer),
  life: Type.Integer({ minimum: 0 }),
  /** As they travel, base64url. */
  facts: Type.Array(Bytes),
  /** Which of them are deeds that nothing is handed out by yet. */
  doubted: Type.Array(Type.Integer({ minimum: 0 })),
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
  const facts = [...(state.ring?.facts() ?? [])];
  const doubted = facts.flatMap((each, index) =>
    each.kind === 'deed' && state.doubted.has(each.deed) ? [index] : [],
  );
  return {
    sequence,
    range: state.range.text,
    founders: [...state.founders],
    life: state.life,
    facts: facts.map((each) => encode(fact, each).toString('base64url')),
    doubted,
    holdings: [...state.holdings.all()].map(storedSlot),
  };
}

/**
 * The state in a file whose form was checked. Throws `range-changed` when it is for another range than this router is launched with, `bad-message`,
 * `bad-fact` or `bad-signature` when it is damaged.
 */
export function restoredState(stored: StoredRing, range: Block): RingState {
  if (parseBlock(stored.range).text !== range.text) {
    throw new WeftError(
      'range-changed',
      `the addresses that this router owns are of ${stored.range}, not of ${range.text}: launch it with --ipalloc-range ${stored.range}, or run weft reset on all hosts to begin anew`,
    );
  }
  const facts = stored.facts.map((text) => decodeExact(fact, Buffer.from(text, 'base64url')));
  const founders = stored.founders.map(parsePeerId);
  let ring = founders.length === 0 ? undefined : Ring.founded(range, founders);
  for (const each of facts) {
    checkFact(each, range);
    ring = ring?.put(each);
  }
  const doubted = new Set<Deed>();
  for (const index of stored.doubted) {
    const each = facts[index];
    if (each?.kind === 'deed') doubted.add(each.deed);
  }
  let holdings = Holdings.none;
  for (const slot of stored.holdings) holdings = holdings.with(restoredSlot(slot));
  return { range, founders, ring, life: stored.life, doubted, holdings };
}

function storedSlot({ owner, address, length, families }: Slot): StoredRing['holdings'][number] {
  const both: (4 | 6)[] = [];
  if ((families & IPV4) !== 0) both.push(4);
  if ((families & IPV6) !== 0) both.push(6);
  return { owner, address: addressText(address), length, families: both };
}

function restoredSlot({ owner, address, length, families }: StoredRing['holdings'][number]): Slot {
  const bits = families.reduce((sum, family) => sum | (family === 4 ? IPV4 : IPV6), 0);
  return { owner, address: addressNumber(address), length, families: bits };
}
