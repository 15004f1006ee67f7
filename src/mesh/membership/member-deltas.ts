import c, { type Encoder } from 'compact-encoding';
import { boundedBytes, decodeExact, encode, fixedBytes, struct } from '../../codec.js';
import { WeftError } from '../../errors.js';
import type { PeerId } from '../../identity/index.js';
import {
  MAX_RECORD_BYTES,
  type MemberRecord,
  peerId,
  readRecord,
  SIGNATURE_BYTES,
  type SignedRecord,
} from './record.js';

/** The deltas of the gossip channel `members` (docs/protocol.md 3.6). */

/** Somebody cannot reach a peer whose record has this version. */
export interface Suspicion {
  readonly peer: PeerId;
  readonly incarnation: number;
  readonly sequence: number;
}

const RECORD = 1;
const SUSPICION = 2;

const recordDelta: Encoder<SignedRecord & { kind: number }> = struct({
  kind: c.uint8,
  record: boundedBytes(MAX_RECORD_BYTES),
  signature: fixedBytes(SIGNATURE_BYTES),
});

const suspicionDelta: Encoder<Suspicion & { kind: number }> = struct({
  kind: c.uint8,
  peer: peerId,
  incarnation: c.uint,
  sequence: c.uint,
});

export type MemberDelta =
  | { readonly kind: 'record'; readonly record: MemberRecord }
  | { readonly kind: 'suspicion'; readonly suspicion: Suspicion };

export function encodeRecord({ record, signature }: SignedRecord): Uint8Array {
  return encode(recordDelta, { kind: RECORD, record, signature });
}

export function encodeSuspicion({ peer, incarnation, sequence }: Suspicion): Uint8Array {
  return encode(suspicionDelta, { kind: SUSPICION, peer, incarnation, sequence });
}

/** Reads a delta without checking the signature of a record. Throws `bad-message`. */
export function decodeMemberDelta(bytes: Uint8Array): MemberDelta {
  switch (bytes[0]) {
    case RECORD: {
      const { record, signature } = decodeExact(recordDelta, bytes);
      return { kind: 'record', record: readRecord({ record, signature }) };
    }
    case SUSPICION: {
      const { peer, incarnation, sequence } = decodeExact(suspicionDelta, bytes);
      return { kind: 'suspicion', suspicion: { peer, incarnation, sequence } };
    }
    default:
      throw new WeftError(
        'bad-message',
        `a delta of a member was dropped: it has the unknown kind ${bytes[0]}`,
      );
  }
}
