import c, { type Encoder } from 'compact-encoding';
import sodium from 'sodium-native';
import { boundedList, decodeExact, encode, fixedBytes, flag, struct } from '../../codec.js';
import { WeftError } from '../../errors.js';
import {
  blake2b,
  type Identity,
  type PeerId,
  parsePublicKey,
  peerIdBytes,
  peerIdFromBytes,
  peerIdOf,
} from '../../identity/index.js';
import type { Denial, Message, Question } from './messages.js';
import { type Block, isWithin, type Span } from './range.js';
import type { Deed, Fact, Notary, Proof, Seat } from './records.js';

/** docs/protocol.md: the facts of the ring as they are signed and as they travel, and what peers say to each other about them. */

const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** Far enough from 2^53 that it can be outdone. */
const MAX_VERSION = 2 ** 52;
/** All that can be elected. */
const MAX_FOUNDERS = 1024;
const MAX_FACTS = 16_384;
const MAX_QUESTIONS = 65_536;
const DEED = 1;
const SEAT = 2;
const LABEL = Buffer.from('weft ring v1');
const DENIALS: readonly Denial[] = ['full', 'used', 'not-mine', 'not-now'];
const STANDING_BYTES = 8;

const peer: Encoder<PeerId> = mapped(fixedBytes(8), peerIdBytes, peerIdFromBytes);
const span: Encoder<Span> = struct({ start: c.uint, end: c.uint });
const proof: Encoder<Proof> = struct({
  publicKey: fixedBytes(PUBLIC_KEY_BYTES),
  signature: fixedBytes(SIGNATURE_BYTES),
});

const deedContent: Encoder<Omit<Deed, 'proof' | 'giver'>> = struct({
  start: c.uint,
  end: c.uint,
  version: c.uint,
  owner: peer,
  ownerLife: c.uint,
  giverLife: c.uint,
});

const seatContent: Encoder<Omit<Seat, 'proof' | 'signer'>> = struct({
  peer,
  life: c.uint,
  gone: flag,
  heir: peer,
  heirLife: c.uint,
  sequence: c.uint,
  free: c.uint,
});

/** Its kind, its content, and who signed both. */
export const fact: Encoder<Fact> = {
  preencode(state, value) {
    c.uint8.preencode(state, 0);
    if (value.kind === 'deed') deedContent.preencode(state, value.deed);
    else seatContent.preencode(state, value.seat);
    proof.preencode(state, proofOf(value));
  },
  encode(state, value) {
    c.uint8.encode(state, value.kind === 'deed' ? DEED : SEAT);
    if (value.kind === 'deed') deedContent.encode(state, value.deed);
    else seatContent.encode(state, value.seat);
    proof.encode(state, proofOf(value));
  },
  decode(state) {
    const kind = c.uint8.decode(state);
    if (kind !== DEED && kind !== SEAT) throw new RangeError(`a fact has the unknown kind ${kind}`);
    const deed = kind === DEED ? deedContent.decode(state) : undefined;
    const seat = kind === SEAT ? seatContent.decode(state) : undefined;
    const signed = proof.decode(state);
    const signer = peerIdOf(parsePublicKey(signed.publicKey));
    if (deed !== undefined) return { kind: 'deed', deed: { ...deed, giver: signer, proof: signed } };
    return { kind: 'seat', seat: { ...(seat as Omit<Seat, 'proof' | 'signer'>), signer, proof: signed } };
  },
};

/** What all routers of a network agree on before they tell each other facts. */
export interface Charter {
  readonly start: number;
  /** Of the prefix of the range. */
  readonly length: number;
  /** Sorted. */
  readonly founders: readonly PeerId[];
}

export interface Delta {
  readonly charter: Charter;
  readonly facts: readonly Fact[];
}

const charter: Encoder<Charter> = struct({
  start: c.uint32,
  length: c.uint8,
  founders: boundedList(peer, MAX_FOUNDERS),
});
const delta: Encoder<Delta> = struct({ charter, facts: boundedList(fact, MAX_FACTS) });

export function encodeDelta(value: Delta): Buffer {
  return encode(delta, value);
}

/** Checks the form, not the signatures. Throws `bad-message`. */
export function decodeDelta(bytes: Uint8Array): Delta {
  return decodeExact(delta, bytes);
}

/** Signs as this identity. */
export function notaryOf(identity: Identity): Notary {
  const { publicKey, peer: self } = identity;
  const prove = (kind: number, content: Buffer): Proof => {
    const signature = Buffer.alloc(SIGNATURE_BYTES);
    sodium.crypto_sign_detached(signature, signedBytes(kind, content), identity.secretKey);
    return { publicKey, signature };
  };
  return {
    peer: self,
    deed: (content) => ({ ...content, giver: self, proof: prove(DEED, encode(deedContent, content)) }),
    seat: (content) => ({ ...content, signer: self, proof: prove(SEAT, encode(seatContent, content)) }),
  };
}

/** Throws `bad-fact` for one that no router makes, and `bad-signature`. */
export function checkFact(value: Fact, range: Block): void {
  const isPossible = value.kind === 'deed' ? isPossibleDeed(value.deed, range) : isPossibleSeat(value.seat);
  if (!isPossible) throw new WeftError('bad-fact', 'a fact about addresses says something impossible');
  const [kind, content] =
    value.kind === 'deed' ? [DEED, encode(deedContent, value.deed)] : [SEAT, encode(seatContent, value.seat)];
  const { publicKey, signature } = proofOf(value);
  if (!sodium.crypto_sign_verify_detached(signature, signedBytes(kind, content), publicKey)) {
    throw new WeftError('bad-signature', 'a fact about addresses is not signed by who says it');
  }
}

function isPossibleDeed(deed: Deed, range: Block): boolean {
  const { start, end, version, ownerLife, giverLife } = deed;
  const lives = [ownerLife, giverLife].every((life) => life > 0 && life < MAX_VERSION * 2);
  return start < end && isWithin(deed, range) && version > 0 && version <= MAX_VERSION && lives;
}

/** Only the peer itself says that it takes part; that it is gone says the peer, or its heir. */
function isPossibleSeat({ peer: about, gone, heir, heirLife, signer, life }: Seat): boolean {
  if (!gone) return signer === about && heir === about && heirLife === life && life > 0;
  return heirLife > 0 && (signer === about || signer === heir);
}

function signedBytes(kind: number, content: Uint8Array): Buffer {
  return Buffer.concat([LABEL, Buffer.of(kind), content]);
}

function proofOf(value: Fact): Proof {
  return value.kind === 'deed' ? value.deed.proof : value.seat.proof;
}

// --- Messages ------------------------------------------------------------------------------------------------------------

const facts: Encoder<readonly Fact[]> = boundedList(fact, MAX_FACTS);
const question: Encoder<Question> = struct({ start: c.uint, end: c.uint, version: c.uint });
const standing: Encoder<string> = mapped(
  fixedBytes(STANDING_BYTES),
  (text) => Buffer.from(text, 'hex'),
  (bytes) => Buffer.from(bytes).toString('hex'),
);
const denial: Encoder<Denial> = mapped(
  c.uint8,
  (why) => DENIALS.indexOf(why),
  (index) => {
    const why = DENIALS[index];
    if (why === undefined) throw new RangeError(`a denial has the unknown reason ${index}`);
    return why;
  },
);
const seat: Encoder<Seat> = mapped(
  fact,
  (value): Fact => ({ kind: 'seat', seat: value }),
  (value) => {
    if (value.kind !== 'seat') throw new RangeError('a deed stands where a seat belongs');
    return value.seat;
  },
);

type Body<T extends Message['type']> = Omit<Extract<Message, { type: T }>, 'type'>;

/** In the order of their numbers, from 0. */
const BODIES: { readonly [T in Message['type']]: Encoder<Body<T>> } = {
  want: struct({ nonce: c.uint, span, seat }),
  gift: struct({ nonce: c.uint, facts }),
  denied: struct({ nonce: c.uint, why: denial, facts }),
  ask: struct({ round: c.uint, standing, questions: boundedList(question, MAX_QUESTIONS), facts }),
  answer: struct({ round: c.uint, standing, facts }),
  differ: struct({ round: c.uint, facts }),
  offer: struct({ nonce: c.uint }),
  accept: struct({ nonce: c.uint, seat }),
  bequest: struct({ nonce: c.uint, facts }),
  receipt: struct({ nonce: c.uint }),
};
const TYPES = Object.keys(BODIES) as Message['type'][];

/** A message with the hash of the charter in front: between routers that do not agree on that nothing else has a meaning. */
export function encodeMessage(message: Message, charterHash: Uint8Array): Buffer {
  const body = encode(BODIES[message.type] as Encoder<Message>, message);
  return Buffer.concat([charterHash, Buffer.of(TYPES.indexOf(message.type)), body]);
}

/** Checks the form, not the signatures. Throws `bad-message`, and `ring-mismatch` when the sender has another charter. */
export function decodeMessage(bytes: Uint8Array, charterHash: Uint8Array): Message {
  if (Buffer.compare(bytes.subarray(0, charterHash.length), charterHash) !== 0) {
    throw new WeftError(
      'ring-mismatch',
      'a router asks about addresses of another range, or of one that was split between others at first',
    );
  }
  const type = TYPES[bytes[charterHash.length] ?? TYPES.length];
  if (type === undefined) throw new WeftError('bad-message', 'a message about addresses has an unknown type');
  const body = decodeExact(BODIES[type] as Encoder<object>, bytes.subarray(charterHash.length + 1));
  return { type, ...body } as Message;
}

/** The facts in a message. */
export function factsIn(message: Message): readonly Fact[] {
  if ('facts' in message) return message.facts;
  return 'seat' in message ? [{ kind: 'seat', seat: message.seat }] : [];
}

/** 8 bytes. */
export function hashOfCharter(value: Charter): Buffer {
  return blake2b(16, [LABEL, encode(charter, value)]).subarray(0, 8);
}

function mapped<T, U>(encoder: Encoder<U>, to: (value: T) => U, from: (value: U) => T): Encoder<T> {
  return {
    preencode: (state, value) => encoder.preencode(state, to(value)),
    encode: (state, value) => encoder.encode(state, to(value)),
    decode: (state) => from(encoder.decode(state)),
  };
}
