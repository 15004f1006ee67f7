/** Secure control links over TCP: handshake, proof of the network secret, messages, liveness. docs/protocol.md, section 3. */
export { CLONED_CHANNEL, clonedAt, clonedSomewhere, decodeSighting, encodeSighting } from './clones.js';
export { Link, type LinkContext, OLD_SECRET, type RemoteEnd } from './link.js';
export { LinkTable } from './link-table.js';
export { type LinkView, linkView } from './link-view.js';
export {
  BYE_CLONED,
  BYE_OLD_SECRET,
  BYE_REMOVED,
  BYE_REVOKED,
  BYE_STOPPING,
  BYE_TOO_MANY_LINKS,
  encodeMessage,
  INSTANCE_BYTES,
  type LinkMessage,
} from './messages.js';
export { checkRoutedMessage, type RoutedMessage, signRoutedMessage } from './routed-message.js';
export type { AdmissionLimits, TargetState, TargetView } from './tcp/index.js';
export { Acceptor, Admission, connectTcp, Dialer } from './tcp/index.js';
export type { LinkTimings } from './types.js';
