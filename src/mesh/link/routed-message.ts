import c, { type Encoder } from 'compact-encoding';
import sodium from 'sodium-native';
import { boundedBytes, boundedString, encode, fixedBytes, struct } from '../../codec.js';
import { WeftError } from '../../errors.js';
import type { Identity, PeerId, PublicKey } from '../../identity/index.js';
import { peerId, SIGNATURE_BYTES } from '../membership/index.js';

/** What the source of a routed message signs. */
export interface RoutedContent {
  readonly source: PeerId;
  readonly destination: PeerId;
  /** Incarnation of the source's record. */
  readonly incarnation: number;
  /** Sequence number of the routed messages of the source within its incarnation. */
  readonly count: number;
  /** Incarnation of the destination's record, as the source knows it: a message to an earlier run is void. */
  readonly destinationIncarnation: number;
  readonly channel: string;
  readonly bytes: Uint8Array;
}

/** A message to a member that may be several hops away (docs/protocol.md 3.10). */
export interface RoutedMessage {
  /** How many more times the message may be forwarded. */
  readonly hopLimit: number;
  readonly content: RoutedContent;
  readonly signature: Uint8Array;
}

const MAX_HOPS = 64;
export const MAX_UNICAST_BYTES = 1024 * 1024 - 512;
const LABEL = Buffer.from('weft letter v1');

const routedContent: Encoder<RoutedContent> = struct({
  source: peerId,
  destination: peerId,
  incarnation: c.uint,
  count: c.uint,
  destinationIncarnation: c.uint,
  channel: boundedString(32),
  bytes: boundedBytes(MAX_UNICAST_BYTES),
});

export const routedMessage: Encoder<RoutedMessage> = struct({
  hopLimit: c.uint8,
  content: routedContent,
  signature: fixedBytes(SIGNATURE_BYTES),
});

export function signRoutedMessage(identity: Identity, content: RoutedContent): RoutedMessage {
  const signature = Buffer.alloc(SIGNATURE_BYTES);
  sodium.crypto_sign_detached(signature, signedBytes(content), identity.secretKey);
  return { hopLimit: MAX_HOPS, content, signature };
}

/** Throws `bad-signature` when the message does not come from the holder of this key. */
export function checkRoutedMessage({ content, signature }: RoutedMessage, source: PublicKey): void {
  if (!sodium.crypto_sign_verify_detached(signature, signedBytes(content), source)) {
    throw new WeftError('bad-signature', 'a routed message was dropped: it is not signed by its source');
  }
}

function signedBytes(content: RoutedContent): Buffer {
  return Buffer.concat([LABEL, encode(routedContent, content)]);
}
