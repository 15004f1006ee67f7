/** Secure control links over TCP: handshake, proof of the network secret, messages, liveness. docs/protocol.md, section 3. */
export type { Link, LinkTimings } from './link.js';
export { type LinkOrigin, type LinkView, linkView, originOf } from './link-view.js';
export { BYE_TOO_MANY_LINKS, encodeMessage, INSTANCE_BYTES, type LinkMessage } from './messages.js';
export { checkRoutedMessage, type RoutedMessage, signRoutedMessage } from './routed-message.js';
export { Links, removal } from './table/index.js';
export type { AdmissionLimits, TargetState, TargetView } from './tcp/index.js';
