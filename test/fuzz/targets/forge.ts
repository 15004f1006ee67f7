import type { Encoder } from 'compact-encoding';
import sodium from 'sodium-native';
import { boundedBytes, decodeExact, encode, fixedBytes, struct } from '../../../src/codec.js';
import { WeftError } from '../../../src/errors.js';
import { encodeDelta as encodeOwned, signEntry, signHead } from '../../../src/gossip/owned-wire.js';
import { type Identity, identityFromSeed, type PeerId } from '../../../src/identity/index.js';
import {
  decodeDelta as decodeElection,
  encodeDelta as encodeElection,
  signRecord as signElection,
  signerOf,
} from '../../../src/ipam/election/wire.js';
import { decodeMessage, encodeMessage, recordsIn } from '../../../src/ipam/ring/message-wire.js';
import { decodeDelta, encodeDelta, recordSignerOf } from '../../../src/ipam/ring/record-wire.js';
import type { RingRecord } from '../../../src/ipam/ring/records.js';
import { routedMessage, signRoutedMessage } from '../../../src/mesh/link/routed-message.js';
import { encodeRecord } from '../../../src/mesh/membership/index.js';
import { encodeStatement, makeStatement, readStatement } from '../../../src/trust/statement.js';
import { pick, type Random } from '../mutate.js';

/** What a member can sign that lies: a signature of its own makes everything well-formed that it made up. */

const signedBytes: Encoder<{ record: Uint8Array; signature: Uint8Array }> = struct({
  record: boundedBytes(4_096),
  signature: fixedBytes(64),
});

/** Versions and incarnations: small, of this time, and as high as they may be. */
const NUMBERS = [
  ...[1, 2, 1_001, 1_700_000_000_000 * 1_024, 1_700_000_100_000 * 1_024],
  ...[2 ** 52 - 1, 2 ** 52, 2 ** 52 + 1, 2 ** 53 - 2, 2 ** 53 - 1],
];
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** Signs as this member, with a label in front. */
export function signatureOf(identity: Identity, label: string, bytes: Uint8Array): Buffer {
  const signature = Buffer.alloc(SIGNATURE_BYTES);
  sodium.crypto_sign_detached(signature, Buffer.concat([Buffer.from(label), bytes]), identity.secretKey);
  return signature;
}

/** The bytes with the member's key in the place of the one at this offset. */
export function withKey(identity: Identity, bytes: Uint8Array, at: number): Buffer {
  const result = Buffer.from(bytes);
  if (result.length >= at + KEY_BYTES) result.set(identity.publicKey, at);
  return result;
}

/** An owned record of the member with this key and value, whatever they are. */
export function ownedDelta(
  identity: Identity,
  channel: string,
  { incarnation, initial = 0, sequence, key, value }: OwnedContent,
): Buffer {
  const head = signHead(channel, identity, { publicKey: identity.publicKey, incarnation, initial });
  const entry = signEntry(channel, identity, incarnation, { sequence, key, value });
  return encodeOwned([{ head, entries: [entry] }]);
}

export interface OwnedContent {
  readonly incarnation: number;
  readonly initial?: number;
  readonly sequence: number;
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** Signs records of the ring that lie about these peers. */
export interface RingForger {
  readonly identity: Identity;
  readonly random: Random;
  readonly peers: readonly PeerId[];
}

/** The delta of the ring with all its records forged; undefined for bytes that are none. */
export function ringDelta(forger: RingForger, bytes: Uint8Array): Buffer | undefined {
  return readable(() => {
    const { config, records } = decodeDelta(bytes);
    return encodeDelta({ config, records: records.map((record) => signed(forger, record)) });
  });
}

/** The same for a message between participants. */
export function ringMessage(forger: RingForger, bytes: Uint8Array): Buffer | undefined {
  return readable(() => {
    const hash = bytes.subarray(0, 8);
    const message = decodeMessage(bytes, hash);
    if ('participant' in message) {
      const participant = signed(forger, message.participant);
      return participant.kind === 'participant'
        ? encodeMessage({ ...message, participant }, hash)
        : undefined;
    }
    const records = recordsIn(message).map((record) => signed(forger, record));
    return encodeMessage('records' in message ? { ...message, records } : message, hash);
  });
}

/** A delta of the members with this record, in the name of the member. */
export function memberDelta(identity: Identity, record: Uint8Array): Buffer | undefined {
  const own = withKey(identity, record, 1);
  return readable(() =>
    Buffer.from(encodeRecord({ record: own, signature: signatureOf(identity, 'weft member v1', own) })),
  );
}

/** A statement with what this one says, signed by the member, which names itself as the heir. What says nothing is signed as it is. */
export function statementDelta(identity: Identity, bytes: Uint8Array): Buffer | undefined {
  return (
    readable(() => {
      const { content, epoch, time } = readStatement(bytes);
      const own = 'heir' in content ? { ...content, heir: identity.peer } : content;
      return encodeStatement(makeStatement(identity, own, { epoch, time }));
    }) ??
    readable(() => {
      const { record } = decodeExact(signedBytes, bytes);
      const own = withKey(identity, record, 2);
      return encode(signedBytes, { record: own, signature: signatureOf(identity, 'weft statement v2', own) });
    })
  );
}

/** A delta of the election whose records are the member's. */
export function electionDelta(identity: Identity, bytes: Uint8Array): Buffer | undefined {
  return readable(() => {
    const { begun, signed } = decodeElection(bytes);
    const { publicKey, peer } = identity;
    const own = signed.map(({ record }) =>
      signElection(signerOf(identity), { ...record, publicKey, elector: peer }),
    );
    return encodeElection({ begun, signed: own });
  });
}

/** A routed message, signed as its source. */
export function routed(identity: Identity, bytes: Uint8Array): Buffer | undefined {
  return readable(() => {
    const { content } = decodeExact(routedMessage, bytes);
    return encode(routedMessage, signRoutedMessage(identity, { ...content, source: identity.peer }));
  });
}

/** The record as the forger signs it: half of the time with a lie that no decoder can see. */
function signed({ identity, random, peers }: RingForger, record: RingRecord): RingRecord {
  const signer = recordSignerOf(identity);
  const lies = random() < 0.5;
  const number = () => pick(random, NUMBERS);
  if (record.kind === 'ownership') {
    const lie = { owner: pick(random, peers), ownerIncarnation: number(), version: number() };
    return signer.ownership({ ...record, ...(lies ? lie : {}) });
  }
  const successor = { successor: identity.peer, successorIncarnation: number() };
  const ended = { ...successor, ended: true, peer: pick(random, peers), incarnation: number() };
  const incarnation = number();
  const alive = { ended: false, peer: identity.peer, incarnation, successor: identity.peer };
  const lie = random() < 0.5 ? ended : { ...alive, successorIncarnation: incarnation };
  return signer.participant({ ...record, ...(lies ? lie : {}) });
}

function readable(make: () => Buffer | undefined): Buffer | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof WeftError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Members who exist only in what others make up. */
export const STRANGERS = Array.from({ length: 4 }, (_, index) =>
  identityFromSeed(Buffer.alloc(32, 100 + index)),
);
