/** Secure control links over TCP: handshake, proof of the network secret, messages, liveness. docs/protocol.md, section 3. */
export type { Link, LinkContext, LinkTimings } from './link.js';
export { type Farewell, LinkPolicy, otherPeer, removal } from './link-policy.js';
export { LinkTable } from './link-table.js';
export { type LinkView, linkView } from './link-view.js';
export { BYE_TOO_MANY_LINKS, encodeMessage, INSTANCE_BYTES, type LinkMessage } from './messages.js';
export { OpenLinks } from './open-links.js';
export { checkRoutedMessage, type RoutedMessage, signRoutedMessage } from './routed-message.js';
export type { AdmissionLimits, TargetState, TargetView } from './tcp/index.js';
export { Acceptor, Admission, connectTcp, Dialer, ownAddresses } from './tcp/index.js';
