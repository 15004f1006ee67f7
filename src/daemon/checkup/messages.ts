import c, { type Encoder } from 'compact-encoding';
import { boundedList, boundedString, encode, struct } from '../../codec.js';

/** docs/protocol.md 14: what routers ask each other for `weft check`, in the mesh's channel `check`. */

export const CHECK_CHANNEL = 'check';

export const QUESTION = 1;
export const ANSWER = 2;

/** What an answer says was found, a bit each. */
export const FOUND = {
  /** A probe to the one that asks was answered. */
  probe: 1,
  /** So was one as large as a full packet. */
  fullProbe: 2,
  /** The hail with the number of the question came. */
  hail: 4,
  /** The name in the question is answered here. */
  name: 8,
} as const;

export interface CheckMessage {
  readonly kind: number;
  /** Random, chosen by the one that asks, copied to the answer; the number of the hail that goes with it. */
  readonly id: number;
  /** Of the sender's containers. */
  readonly mtu: number;
  /** At most one record of the channel `names` that the sender publishes. */
  readonly name: readonly string[];
  /** Of an answer. */
  readonly found: number;
}

const MAX_RECORD_BYTES = 400;

export const checkMessage: Encoder<CheckMessage> = struct({
  kind: c.uint8,
  id: c.uint32,
  mtu: c.uint16,
  name: boundedList(boundedString(MAX_RECORD_BYTES), 1),
  found: c.uint8,
});

export function encodeCheckMessage(message: CheckMessage): Buffer {
  return encode(checkMessage, message);
}
