import c, { type Encoder } from 'compact-encoding';
import { boundedBytes, boundedList, boundedString, encode, fixedBytes, struct } from '../../codec.js';

/** docs/protocol.md 7.2: what routers say to each other about the path between them, in the mesh's channel `path`. */

export const PATH_CHANNEL = 'path';

/** Probe me now, at these addresses; I do the same. */
export const PUNCH = 1;
/** The answer: I do. */
export const PUNCHING = 2;
/** Whom do you hand packets for this peer to? */
export const WHICH_HOP = 3;
/** To this one: the peer itself where it is the next hop, none where there is no route. */
export const NEXT_HOP = 4;

/** I would connect to your TCP port for data: say how I shall begin. */
export const MAY_CONNECT = 5;
/** Begin with this ticket, within 5 s. */
export const TICKET = 6;
/** Your connection is in use: use it, too. */
export const CONNECTED = 7;

export const TICKET_BYTES = 24;

export interface PathMessage {
  readonly kind: number;
  /** Random, chosen by the one that asks, copied to the answer. */
  readonly id: number;
  /** At most one short id: the peer that a question is about, or the next hop. */
  readonly peer: readonly Uint8Array[];
  /** `address:port`, best first. */
  readonly endpoints: readonly string[];
  /** Of 24 bytes in a TICKET, else empty. */
  readonly ticket: Uint8Array;
}

export const pathMessage: Encoder<PathMessage> = struct({
  kind: c.uint8,
  id: c.uint32,
  peer: boundedList(fixedBytes(8), 1),
  endpoints: boundedList(boundedString(64), 16),
  ticket: boundedBytes(TICKET_BYTES),
});

/** A message with what its kind needs. */
export function encodePathMessage(kind: number, id: number, parts: Partial<PathMessage> = {}): Buffer {
  return encode(pathMessage, { peer: [], endpoints: [], ticket: Buffer.alloc(0), ...parts, kind, id });
}
